// SPDX-License-Identifier: GPL-2.0-only
/*
 * A software NIC that is taken from its driver in user space: in the middle of
 * traffic, and to be given to virtio_vdpa and back while the file that was
 * used with it stays open.
 */
#include "common.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "dev.h"
#include "driver.h"
#include "ending.h"
#include "files.h"
#include "leak.h"
#include "mem.h"
#include "vhost.h"

#define NAME	"rebind0"
#define HOST	"10.99.0.1"	/* the peer in the host */
#define GUEST	"10.99.0.2"	/* the NIC that virtio_vdpa makes */
#define PORT	9999
#define FRAME	100

FIXTURE(rebind) {
	struct drv old;		/* who had it first */
	long pinned;
	int refs;
	bool had_virtio;
};

/* @ip: the command, perhaps that of another namespace. */
static int give_address(const char *ip, const char *nic, const char *addr)
{
	return run_command("%s addr add %s/24 dev %s && %s link set %s up",
			   ip, addr, nic, ip, nic);
}

FIXTURE_SETUP(rebind)
{
	self->old.fd = -1;
	if (!module_load("vdpa_net") || !module_load("vhost_vdpa"))
		SKIP(return, "vdpa_net or vhost_vdpa cannot be loaded");
	self->had_virtio = file_exists("/sys/module/virtio_vdpa");
	self->pinned = pinned_pages();
	self->refs = module_refs("vhost_vdpa");
	ASSERT_EQ(0, run_command("vdpa dev add name %s mgmtdev %s mac %s",
				 NAME, "vdpa_net", "52:54:00:12:34:57"));
	file_write("1", "/proc/sys/net/ipv6/conf/" NAME "/disable_ipv6");
	ASSERT_EQ(0, give_address("ip", NAME, HOST));
	self->old.size = 32;
	ASSERT_ERRNO(0, drv_start(&self->old, NAME, mem_anon(DRV_MEM)));
}

FIXTURE_TEARDOWN(rebind)
{
	drv_end(&self->old, NAME);
	if (!self->had_virtio)
		run_command("rmmod virtio_vdpa");
	EXPECT_TRUE(module_load("vdpa_net"));
	EXPECT_EQ(self->pinned, pinned_pages());
	EXPECT_EQ(self->refs, module_refs("vhost_vdpa"));
}

static bool is_gone(int fd)
{
	struct pollfd wait = { .fd = fd };

	return get_status(fd) < 0 && errno == ENODEV &&
	       iotlb_unmap(fd, 0, 0, UINT64_MAX) && errno == ENODEV &&
	       poll(&wait, 1, 0) == 1 && wait.revents == (POLLHUP | POLLERR);
}

/* The network interface below the device; false if none comes. */
static bool find_nic(char *name, size_t len)
{
	char command[256], text[64];
	bool found = false;
	FILE *out;
	int i;

	snprintf(command, sizeof(command),
		 "ls " BUS "/devices/" NAME "/virtio*/net 2>/dev/null");
	for (i = 0; i < 100 && !found; i++) {
		out = popen(command, "r");
		found = out && fgets(text, sizeof(text), out);
		if (out)
			pclose(out);
		if (!found)
			usleep(100000);
	}
	text[strcspn(text, "\n")] = '\0';
	snprintf(name, len, "%s", found ? text : "");
	return found;
}

static int udp_socket(const char *addr)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(PORT),
		.sin_addr.s_addr = inet_addr(addr),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		return -1;
	return fd;
}

/* In a network namespace of its own, with the NIC: sends back what comes. */
static void echo(int ready, int go)
{
	struct sockaddr_in from;
	socklen_t len;
	char buf[2048];
	ssize_t n;
	int fd;

	if (unshare(CLONE_NEWNET) || write(ready, "r", 1) != 1 ||
	    read(go, buf, 1) != 1)
		_exit(1);
	fd = udp_socket("0.0.0.0");
	if (fd < 0 || write(ready, "r", 1) != 1)
		_exit(1);
	for (;;) {
		len = sizeof(from);
		n = recvfrom(fd, buf, sizeof(buf), 0,
			     (struct sockaddr *)&from, &len);
		if (n < 0 || sendto(fd, buf, n, 0, (struct sockaddr *)&from,
				    len) != n)
			_exit(1);
	}
}

/* How many of @nr datagrams go to the NIC and come back. */
static int round_trips(int nr)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PORT),
		.sin_addr.s_addr = inet_addr(GUEST),
	};
	char sent[1000], got[2000];
	int fd = udp_socket(HOST), i, back = 0;

	for (i = 0; i < nr; i++) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };

		memset(sent, i, sizeof(sent));
		if (sendto(fd, sent, sizeof(sent), 0, (struct sockaddr *)&to,
			   sizeof(to)) != sizeof(sent) ||
		    poll(&wait, 1, DRV_WAIT_MS) != 1 ||
		    recv(fd, got, sizeof(got), 0) != sizeof(sent) ||
		    memcmp(sent, got, sizeof(sent)))
			break;
		back++;
	}
	close(fd);
	return back;
}

/* The same with the NIC in a namespace, whose end brings it back. */
static int traffic(const char *nic, int nr)
{
	int ready[2], go[2], back = -1;
	char c, ip[64];
	pid_t pid;

	if (pipe(ready) || pipe(go))
		return -1;
	pid = fork();
	if (!pid)
		echo(ready[1], go[0]);
	snprintf(ip, sizeof(ip), "nsenter -t %d -n ip", pid);
	close(ready[1]);
	close(go[0]);
	if (read(ready[0], &c, 1) == 1 &&
	    !run_command("ip link set %s netns %d", nic, pid) &&
	    !give_address(ip, nic, GUEST) &&
	    write(go[1], "g", 1) == 1 && read(ready[0], &c, 1) == 1)
		back = round_trips(nr);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(go[1]);
	return back;
}

TEST_F_TIMEOUT(rebind, gives_virtio_vdpa_a_nic_that_works_and_vhost_its_own, 120)
{
	struct drv next = { .fd = -1, .size = 32 };
	char nic[64];

	if (run_command("modprobe virtio_vdpa && modprobe virtio_net"))
		SKIP(return, "this kernel has no virtio_vdpa");

	ASSERT_EQ(0, driver_unbind("vhost_vdpa", NAME));
	ASSERT_EQ(0, driver_bind("virtio_vdpa", NAME));
	EXPECT_TRUE(is_gone(self->old.fd));
	ASSERT_TRUE(find_nic(nic, sizeof(nic)));
	EXPECT_EQ(20, traffic(nic, 20));
	EXPECT_TRUE(is_gone(self->old.fd));

	ASSERT_EQ(0, driver_unbind("virtio_vdpa", NAME));
	ASSERT_EQ(0, driver_bind("vhost_vdpa", NAME));
	EXPECT_TRUE(is_gone(self->old.fd));
	EXPECT_ERRNO(0, drv_start(&next, NAME, mem_anon(DRV_MEM)));
	EXPECT_LE(0, get_status(next.fd));
	EXPECT_TRUE(is_gone(self->old.fd));
	drv_close(&next);
	mem_free(next.mem, DRV_MEM);
}

/* A loopback NIC that goes while its driver in user space has it work. */
FIXTURE(nic) {
	struct drv drv;
	long pinned;
};

FIXTURE_VARIANT(nic) {
	enum ending how;
};

FIXTURE_VARIANT_ADD(nic, deleted) { END_DELETED };
FIXTURE_VARIANT_ADD(nic, unbound) { END_UNBOUND };
FIXTURE_VARIANT_ADD(nic, unloaded) { END_UNLOADED };

FIXTURE_SETUP(nic)
{
	const char *reason = drv_device(NAME);

	self->drv.fd = -1;
	if (reason)
		SKIP(return, "%s", reason);
	self->pinned = pinned_pages();
	self->drv.size = 32;
	ASSERT_ERRNO(0, drv_start(&self->drv, NAME, mem_anon(DRV_MEM)));
}

FIXTURE_TEARDOWN(nic)
{
	EXPECT_TRUE(module_load("vdpa_net"));
	drv_end(&self->drv, NAME);
}

static void *worker(void *arg)
{
	long rounds = 0;

	while (drv_works(arg, FRAME))
		rounds++;
	return (void *)rounds;
}

TEST_F_TIMEOUT(nic, ends_under_traffic_and_touches_no_memory_after, 90)
{
	size_t len = DRV_MEM - DRV_RINGS, i;
	uint8_t *bufs = self->drv.mem + DRV_RINGS;
	pthread_t thread;
	void *rounds;

	ASSERT_EQ(0, pthread_create(&thread, NULL, worker, &self->drv));
	usleep(300000);
	EXPECT_ENDS_AT_ONCE(variant->how, NAME, "vdpa_net");
	EXPECT_TRUE(is_gone(self->drv.fd));
	EXPECT_EQ(self->pinned, pinned_pages());
	pthread_join(thread, &rounds);
	EXPECT_LT(0, (long)rounds);

	memset(bufs, 0x77, len);
	drv_kick(&self->drv, DRV_TX);
	usleep(200000);
	for (i = 0; i < len && bufs[i] == 0x77; i++)
		;
	EXPECT_EQ(len, i);
}

TEST_HARNESS_MAIN
