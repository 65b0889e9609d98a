// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio devices of the VM: found in sysfs below the vDPA device, configured
 * with ip(8) and the ioctls of ethtool(8).
 */
#include "nic.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dev.h"
#include "files.h"

#define FRAME	200
#define WAIT_MS	10000

bool nic_modules(void)
{
	return module_load("vdpa_net") && module_load("vhost_vdpa") &&
	       module_load("virtio_vdpa") && module_load("virtio_net");
}

bool virtio_find(const char *name, const char *class, char *entry, size_t len)
{
	struct dirent *found;
	char path[256];
	DIR *dir;

	*entry = '\0';
	for (int i = 0; i < 64 && !*entry; i++) {
		snprintf(path, sizeof(path), BUS "/devices/%s/virtio%d/%s",
			 name, i, class);
		dir = opendir(path);
		while (dir && (found = readdir(dir)))
			if (found->d_name[0] != '.')
				snprintf(entry, len, "%s", found->d_name);
		if (dir)
			closedir(dir);
	}
	return *entry;
}

bool nic_find(const char *name, char *nic, size_t len)
{
	return virtio_find(name, "net", nic, len);
}

int virtio_bind(const char *name)
{
	const char *driver = link_name(BUS "/devices/%s/driver", name);
	int err = *driver ? driver_unbind(driver, name) : 0;

	return err ?: driver_bind("virtio_vdpa", name);
}

int nic_bind(const char *name, char *nic, size_t len)
{
	int err = virtio_bind(name);

	if (err)
		return err;
	return nic_find(name, nic, len) ? 0 : -ENOENT;
}

int nic_up(const char *nic)
{
	file_write("1", "/proc/sys/net/ipv6/conf/%s/disable_ipv6", nic);
	return run_command("ip link set %s up", nic);
}

int nic_ethtool(const char *nic, void *cmd)
{
	struct ifreq ifr = { .ifr_data = cmd };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", nic);
	err = ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;
	close(fd);
	return err;
}

int nic_ring_size(const char *nic, uint32_t cmd, uint32_t *rx, uint32_t *tx)
{
	struct ethtool_ringparam ring = {
		.cmd = cmd, .rx_pending = *rx, .tx_pending = *tx,
	};
	int err = nic_ethtool(nic, &ring);

	*rx = ring.rx_pending;
	*tx = ring.tx_pending;
	return err;
}

int nic_send(const char *nic)
{
	uint8_t frame[64] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_802_EX1),
		.sll_ifindex = if_nametoindex(nic),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int err;

	frame[12] = ETH_P_802_EX1 >> 8;
	frame[13] = ETH_P_802_EX1 & 0xff;
	err = sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&addr,
		     sizeof(addr)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

long nic_stat(const char *nic, const char *name)
{
	char text[32];

	return file_read(text, sizeof(text), "/sys/class/net/%s/statistics/%s",
			 nic, name) ? -1 : atol(text);
}

int nic_socket(const char *nic)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_802_EX1),
		.sll_ifindex = if_nametoindex(nic),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_802_EX1));

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -1;
	return fd;
}

bool nic_crosses(int from, int to)
{
	struct pollfd pfd = { .fd = to, .events = POLLIN };
	uint8_t sent[FRAME], got[FRAME + 64];
	static uint8_t seed;

	memset(sent, ++seed, sizeof(sent));
	memset(sent, 0xff, 6);
	sent[12] = ETH_P_802_EX1 >> 8;
	sent[13] = ETH_P_802_EX1 & 0xff;
	if (send(from, sent, sizeof(sent), 0) != sizeof(sent))
		return false;
	/* Others may come before it. */
	while (poll(&pfd, 1, WAIT_MS) == 1)
		if (recv(to, got, sizeof(got), 0) == sizeof(sent) &&
		    !memcmp(sent, got, sizeof(sent)))
			return true;
	return false;
}
