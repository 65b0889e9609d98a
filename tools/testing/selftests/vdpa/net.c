// SPDX-License-Identifier: GPL-2.0-only
/*
 * The software NIC vdpa_net: a driver in user space on one side, the network
 * interface of the host on the other, with a packet socket on it.
 */
#include "common.h"

#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <stdio.h>

#include "dev.h"
#include "driver.h"
#include "files.h"
#include "mem.h"
#include "nic.h"
#include "vhost.h"

#define NAME		"nettest"
#define MTU		9000
#define FRAME		100
#define STATS		8	/* four of each virtqueue */
#define ETH_TEST	0x88b5	/* ETH_P_802_EX1: for experiments */

#define STATUS_FEATURE	BIT_ULL(VIRTIO_NET_F_STATUS)
#define MRG		BIT_ULL(VIRTIO_NET_F_MRG_RXBUF)

FIXTURE(net) {
	struct drv drv;
	int sock;
	int ifindex;
};

FIXTURE_VARIANT(net) {
	uint64_t features;
};

FIXTURE_VARIANT_ADD(net, plain) { .features = STATUS_FEATURE };
FIXTURE_VARIANT_ADD(net, mergeable) { .features = STATUS_FEATURE | MRG };

static int add_nic(const char *name)
{
	return run_command("vdpa dev add name %s mgmtdev vdpa_net mac 52:54:00:12:34:56 mtu 9000",
			   name);
}

static int peer_set(const char *what)
{
	return run_command("ip link set " NAME " %s", what);
}

static int packet_socket(int ifindex)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_TEST),
		.sll_ifindex = ifindex,
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_TEST));

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -1;
	return fd;
}

/* A sysfs attribute of the peer as a number; -1 if it has none just now. */
static int peer_attr(const char *attr)
{
	char text[32];

	if (file_read(text, sizeof(text), "/sys/class/net/" NAME "/%s", attr))
		return -1;
	return atoi(text);
}

static bool peer_attr_becomes(const char *attr, int value)
{
	for (int i = 0; i < DRV_WAIT_MS / 10; i++) {
		if (peer_attr(attr) == value)
			return true;
		usleep(10000);
	}
	return false;
}

FIXTURE_SETUP(net)
{
	if (!module_load("vdpa_net") || !module_load("vhost_vdpa"))
		SKIP(return, "vdpa_net or vhost_vdpa cannot be loaded");
	vdpa_del(NAME);
	ASSERT_EQ(0, add_nic(NAME));
	/* The host's own frames would come between. */
	file_write("1", "/proc/sys/net/ipv6/conf/" NAME "/disable_ipv6");
	ASSERT_EQ(0, peer_set("up"));
	self->ifindex = if_nametoindex(NAME);
	self->sock = packet_socket(self->ifindex);
	ASSERT_LE(0, self->sock);
	self->drv.features = variant->features;
	self->drv.size = 32;
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
	ASSERT_TRUE(peer_attr_becomes("carrier", 1));
}

FIXTURE_TEARDOWN(net)
{
	close(self->sock);
	drv_end(&self->drv, NAME);
}

static bool readable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

/* The guest sends a frame in @nr pieces; true if the host has it. */
static bool guest_to_host(struct drv *drv, int sock, size_t len)
{
	uint8_t *sent = drv_buf(8, drv), got[MTU + 64];
	struct drv_seg seg[] = {
		{ drv_buf_iova(8), DRV_HDR + 14 },
		{ drv_buf_iova(8) + DRV_HDR + 14, len - 14 },
	};

	drv_fill(sent, len, NULL, len);
	drv_post(drv, DRV_TX, seg, len > 14 ? 2 : 1);
	return drv_used(drv, DRV_TX, DRV_WAIT_MS) == 0 &&
	       readable(sock, DRV_WAIT_MS) &&
	       recv(sock, got, sizeof(got), 0) == (ssize_t)len &&
	       !memcmp(got, sent + DRV_HDR, len);
}

/* The host sends a frame; true if the guest finds it in buffer 0. */
static bool host_to_guest(struct drv *drv, int sock, size_t len)
{
	struct drv_seg rx = { drv_buf_iova(0), 3 * DRV_BUF, true };
	struct virtio_net_hdr_v1 *hdr = drv_buf(0, drv);
	uint8_t frame[DRV_HDR + MTU + 64];

	drv_fill(frame, len, NULL, len + 1);
	memset(hdr, 0xee, 3 * DRV_BUF);
	drv_post(drv, DRV_RX, &rx, 1);
	return send(sock, frame + DRV_HDR, len, 0) == (ssize_t)len &&
	       drv_used(drv, DRV_RX, DRV_WAIT_MS) == DRV_HDR + len &&
	       hdr->num_buffers == 1 && !hdr->flags && !hdr->gso_type &&
	       !memcmp(hdr + 1, frame + DRV_HDR, len);
}

TEST_F(net, frames_of_all_lengths_flow_both_ways)
{
	static const size_t len[] = {
		14, 60, 1514, 2048, 2049, 4096, 4097, MTU + 14,
	};

	for (size_t i = 0; i < ARRAY_SIZE(len); i++) {
		EXPECT_TRUE(guest_to_host(&self->drv, self->sock, len[i]))
			TH_LOG("%zu bytes", len[i]);
		EXPECT_TRUE(host_to_guest(&self->drv, self->sock, len[i]))
			TH_LOG("%zu bytes", len[i]);
	}
}

TEST_F(net, frame_longer_than_the_mtu_is_an_error)
{
	struct drv_seg seg = { drv_buf_iova(8), DRV_HDR + MTU + 14 + 4 + 1 };

	drv_fill(drv_buf(8, &self->drv), MTU + 19, NULL, 0);
	drv_post(&self->drv, DRV_TX, &seg, 1);
	EXPECT_EQ(0, drv_used(&self->drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_FALSE(readable(self->sock, DRV_QUIET_MS));
	EXPECT_EQ(1, drv_counter(NAME, DRV_TX, "tx errors"));
	EXPECT_EQ(1, peer_attr("statistics/rx_errors"));
	EXPECT_TRUE(guest_to_host(&self->drv, self->sock, FRAME));
}

TEST_F(net, frame_waits_for_a_buffer)
{
	struct drv *drv = &self->drv;
	struct drv_seg rx = { drv_buf_iova(0), DRV_BUF, true };
	uint8_t frame[DRV_HDR + FRAME];

	drv_fill(frame, FRAME, NULL, 1);
	ASSERT_EQ(FRAME, send(self->sock, frame + DRV_HDR, FRAME, 0));
	EXPECT_EQ(-1, drv_used(drv, DRV_RX, DRV_QUIET_MS));
	drv_post(drv, DRV_RX, &rx, 1);
	EXPECT_EQ(DRV_HDR + FRAME, drv_used(drv, DRV_RX, DRV_WAIT_MS));
}

/* More than the queue between host and guest holds, in order. */
TEST_F(net, host_outruns_the_guest)
{
	struct drv *drv = &self->drv;
	struct drv_seg rx = { drv_buf_iova(0), DRV_BUF, true };
	uint8_t frame[DRV_HDR + FRAME], *got = drv_buf(0, drv);
	uint32_t n, seq, last = 0;

	/* The usual one drops what has waited for long. */
	ASSERT_EQ(0, run_command("tc qdisc replace dev " NAME " root pfifo"));
	for (n = 1; n <= 600; n++) {
		drv_fill(frame, FRAME, NULL, 0);
		memcpy(frame + DRV_HDR + ETH_HLEN, &n, sizeof(n));
		if (send(self->sock, frame + DRV_HDR, FRAME, MSG_DONTWAIT) < 0)
			break;
	}
	EXPECT_LT(256, n);
	for (seq = 1; seq < n; seq++) {
		drv_post(drv, DRV_RX, &rx, 1);
		ASSERT_EQ(DRV_HDR + FRAME, drv_used(drv, DRV_RX, DRV_WAIT_MS))
			TH_LOG("frame %u of %u", seq, n);
		memcpy(&last, got + DRV_HDR + ETH_HLEN, sizeof(last));
		ASSERT_EQ(seq, last);
	}
	EXPECT_TRUE(host_to_guest(drv, self->sock, FRAME));
}

TEST_F(net, long_frame_takes_several_buffers_if_negotiated)
{
	struct drv *drv = &self->drv;
	struct virtio_net_hdr_v1 *hdr = drv_buf(0, drv);
	uint8_t frame[DRV_HDR + 5000], got[5000];
	size_t pos;

	for (int i = 0; i < 3; i++) {
		struct drv_seg rx = { drv_buf_iova(2 * i), 2000, true };

		drv_avail(drv, DRV_RX, drv_chain(drv, DRV_RX, &rx, 1));
	}
	drv_kick(drv, DRV_RX);
	drv_fill(frame, 5000, NULL, 3);
	ASSERT_EQ(5000, send(self->sock, frame + DRV_HDR, 5000, 0));

	if (!(variant->features & MRG)) {
		EXPECT_EQ(0, drv_used(drv, DRV_RX, DRV_WAIT_MS));
		EXPECT_EQ(-1, drv_used(drv, DRV_RX, DRV_QUIET_MS));
		EXPECT_EQ(1, drv_counter(NAME, DRV_RX, "rx errors"));
		EXPECT_EQ(1, peer_attr("statistics/tx_errors"));
		return;
	}
	EXPECT_EQ(2000, drv_used(drv, DRV_RX, DRV_WAIT_MS));
	EXPECT_EQ(2000, drv_used(drv, DRV_RX, DRV_WAIT_MS));
	EXPECT_EQ(DRV_HDR + 1000, drv_used(drv, DRV_RX, DRV_WAIT_MS));
	EXPECT_EQ(3, hdr->num_buffers);
	pos = 2000 - DRV_HDR;
	memcpy(got, hdr + 1, pos);
	memcpy(got + pos, drv_buf(2, drv), 2000);
	memcpy(got + pos + 2000, drv_buf(4, drv), 1000 + DRV_HDR);
	EXPECT_EQ(0, memcmp(got, frame + DRV_HDR, 5000));
	EXPECT_TRUE(host_to_guest(drv, self->sock, FRAME));
}

TEST_F(net, frame_for_which_buffers_do_not_suffice_is_dropped)
{
	struct drv *drv = &self->drv;
	struct drv_seg rx = { drv_buf_iova(0), 2000, true };
	uint8_t frame[DRV_HDR + 5000];

	if (!(variant->features & MRG))
		SKIP(return, "frames take one buffer");
	drv_fill(frame, 5000, NULL, 3);
	drv_post(drv, DRV_RX, &rx, 1);
	ASSERT_EQ(5000, send(self->sock, frame + DRV_HDR, 5000, 0));
	EXPECT_EQ(-1, drv_used(drv, DRV_RX, DRV_QUIET_MS));
	EXPECT_EQ(1, drv_counter(NAME, DRV_RX, "rx overruns"));
	/* The buffer was not lost. */
	ASSERT_EQ(FRAME, send(self->sock, frame + DRV_HDR, FRAME, 0));
	EXPECT_EQ(DRV_HDR + FRAME, drv_used(drv, DRV_RX, DRV_WAIT_MS));
}

static int guest_link(struct drv *drv)
{
	struct virtio_net_config config;

	if (config_io(drv->fd, VHOST_VDPA_GET_CONFIG, 0, sizeof(config),
		      &config))
		return -1;
	return config.status;
}

TEST_F(net, guest_sees_whether_the_peer_is_up)
{
	int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct drv *drv = &self->drv;
	uint64_t count;

	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SET_CONFIG_CALL, &event));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP, guest_link(drv));
	ASSERT_EQ(0, peer_set("down"));
	EXPECT_TRUE(readable(event, DRV_WAIT_MS));
	EXPECT_EQ(0, guest_link(drv));
	EXPECT_LT(0, read(event, &count, sizeof(count)));
	ASSERT_EQ(0, peer_set("up"));
	EXPECT_TRUE(readable(event, DRV_WAIT_MS));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP, guest_link(drv));
	close(event);
	/* The old one has heard of the interface being down. */
	close(self->sock);
	self->sock = packet_socket(self->ifindex);
	EXPECT_TRUE(guest_to_host(drv, self->sock, FRAME));
}

TEST_F(net, frame_for_a_peer_that_is_down_is_dropped)
{
	struct drv *drv = &self->drv;
	struct drv_seg seg = { drv_buf_iova(8), DRV_HDR + FRAME };

	ASSERT_EQ(0, peer_set("down"));
	drv_fill(drv_buf(8, drv), FRAME, NULL, 0);
	drv_post(drv, DRV_TX, &seg, 1);
	EXPECT_EQ(0, drv_used(drv, DRV_TX, DRV_WAIT_MS));
	EXPECT_EQ(1, drv_counter(NAME, DRV_TX, "tx drops"));
}

TEST_F(net, carrier_of_the_peer_follows_the_driver)
{
	struct drv *drv = &self->drv;

	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_SUSPEND));
	EXPECT_TRUE(peer_attr_becomes("carrier", 0));
	ASSERT_ERRNO(0, ioctl(drv->fd, VHOST_VDPA_RESUME));
	EXPECT_TRUE(peer_attr_becomes("carrier", 1));
	ASSERT_ERRNO(0, set_status(drv->fd, 0));
	EXPECT_TRUE(peer_attr_becomes("carrier", 0));
	ASSERT_ERRNO(0, drv_restart(drv));
	EXPECT_TRUE(peer_attr_becomes("carrier", 1));
	EXPECT_TRUE(host_to_guest(drv, self->sock, FRAME));
	close(drv->fd);
	drv->fd = -1;
	EXPECT_TRUE(peer_attr_becomes("carrier", 0));
}

TEST_F(net, peer_is_a_child_of_the_device)
{
	char path[128], real[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", NAME);
	ASSERT_NE(NULL, realpath(path, real));
	EXPECT_STREQ(NAME, strrchr(real, '/') + 1);
	EXPECT_EQ(MTU, peer_attr("mtu"));
}

/* As "ethtool -i" and "ethtool -S" ask. */
TEST_F(net, ethtool_tells_what_vdpa_counts)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	struct {
		struct ethtool_gstrings is;
		char name[STATS][ETH_GSTRING_LEN];
	} names = { { ETHTOOL_GSTRINGS, ETH_SS_STATS, STATS } };
	struct {
		struct ethtool_stats is;
		__u64 value[STATS];
	} stats = { { ETHTOOL_GSTATS, STATS } };
	unsigned long idx;
	char *name;

	ASSERT_TRUE(guest_to_host(&self->drv, self->sock, FRAME));
	ASSERT_TRUE(guest_to_host(&self->drv, self->sock, FRAME));
	ASSERT_TRUE(host_to_guest(&self->drv, self->sock, FRAME));
	ASSERT_EQ(0, nic_ethtool(NAME, &info));
	EXPECT_STREQ("vdpa_net", info.driver);
	EXPECT_STREQ(NAME, info.bus_info);
	ASSERT_EQ(STATS, info.n_stats);
	ASSERT_EQ(0, nic_ethtool(NAME, &names));
	ASSERT_EQ(0, nic_ethtool(NAME, &stats));
	for (int i = 0; i < STATS; i++) {
		ASSERT_EQ(0, strncmp(names.name[i], "vq", 2));
		idx = strtoul(names.name[i] + 2, &name, 10);
		EXPECT_EQ(drv_counter(NAME, idx, name + 1), stats.value[i]) {
			TH_LOG("%s", names.name[i]);
		}
	}
	EXPECT_STREQ("vq0 rx packets", names.name[0]);
	EXPECT_EQ(1, stats.value[0]);
	EXPECT_STREQ("vq1 tx packets", names.name[STATS / 2]);
	EXPECT_EQ(2, stats.value[STATS / 2]);
	ASSERT_EQ(0, nic_ethtool(NAME, &link));
	EXPECT_EQ(1, link.data);
	/* It has no self-tests, so there are no names of them. */
	names.is.string_set = ETH_SS_TEST;
	EXPECT_EQ(-EOPNOTSUPP, nic_ethtool(NAME, &names));
}

TEST_F(net, name_that_is_taken_is_not_used)
{
	if (run_command("ip link add nettest2 type dummy"))
		SKIP(return, "no dummy interface");
	EXPECT_EQ(0, add_nic("nettest2"));
	EXPECT_TRUE(file_exists(BUS "/devices/nettest2/net/vdpa0"));
	EXPECT_EQ(0, vdpa_del("nettest2"));
	EXPECT_EQ(0, run_command("ip link del nettest2"));
	/* One that is no name of an interface. */
	EXPECT_EQ(0, add_nic("a-name-that-is-too-long"));
	EXPECT_TRUE(file_exists(BUS "/devices/%s/net/vdpa0",
				"a-name-that-is-too-long"));
	EXPECT_EQ(0, vdpa_del("a-name-that-is-too-long"));
	/* What means every interface to the kernel. */
	EXPECT_EQ(0, add_nic("all"));
	EXPECT_TRUE(file_exists(BUS "/devices/all/net/vdpa0"));
	EXPECT_EQ(0, vdpa_del("all"));
	EXPECT_EQ(0, add_nic("per%dcent"));
	EXPECT_TRUE(file_exists(BUS "/devices/%s/net/vdpa0", "per%dcent"));
	EXPECT_EQ(0, vdpa_del("per%dcent"));
}

TEST_F(net, peer_comes_back_when_its_namespace_ends)
{
	ASSERT_EQ(0, run_command("ip netns add nettest"));
	EXPECT_EQ(0, run_command("ip link set " NAME " netns nettest"));
	ASSERT_EQ(0, run_command("ip netns del nettest"));
	EXPECT_TRUE(peer_attr_becomes("ifindex", self->ifindex));
	ASSERT_EQ(0, peer_set("up"));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP, guest_link(&self->drv));
	close(self->sock);
	self->sock = packet_socket(self->ifindex);
	EXPECT_TRUE(guest_to_host(&self->drv, self->sock, FRAME));
}

/* The guest takes no frames: it must not keep the sender's pages. */
TEST_F(net, zero_copy_sender_gets_its_pages_back)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9),
	};
	int sock = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
	char *mem = mem_anon(SZ_4K);
	struct pollfd done = { .fd = sock };

	ASSERT_EQ(0, run_command("ip address add 192.0.2.1/24 dev " NAME));
	ASSERT_EQ(0, run_command("ip neighbour add 192.0.2.2 lladdr 52:54:00:12:34:56 dev "
				 NAME));
	inet_pton(AF_INET, "192.0.2.2", &to.sin_addr);
	ASSERT_EQ(0, setsockopt(sock, SOL_SOCKET, SO_ZEROCOPY, &one,
				sizeof(one)));
	ASSERT_EQ(1000, sendto(sock, mem, 1000, MSG_ZEROCOPY,
			       (struct sockaddr *)&to, sizeof(to)));
	EXPECT_EQ(1, poll(&done, 1, 5000));
	EXPECT_EQ(POLLERR, done.revents);
	close(sock);
	mem_free(mem, SZ_4K);
}

TEST_F(net, deleted_at_once_under_traffic)
{
	struct drv *drv = &self->drv;
	uint8_t frame[DRV_HDR + FRAME];

	drv_fill(frame, FRAME, NULL, 1);
	drv_fill(drv_buf(8, drv), FRAME, NULL, 0);
	for (int i = 0; i < 200; i++) {
		struct drv_seg seg = { drv_buf_iova(8), DRV_HDR + FRAME };

		send(self->sock, frame + DRV_HDR, FRAME, MSG_DONTWAIT);
		drv_post(drv, DRV_TX, &seg, 1);
		if (i >= 20)
			drv_used(drv, DRV_TX, 1);
	}
	EXPECT_DELETED_AT_ONCE(NAME);
	EXPECT_EQ(-1, peer_attr("ifindex"));
	EXPECT_ERRNO(ENODEV, get_status(drv->fd));
}

TEST_HARNESS_MAIN
