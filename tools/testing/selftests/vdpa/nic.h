/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vDPA devices as virtio devices of the VM, through virtio_vdpa, and the
 * network interfaces that virtio_net makes of them.
 */
#ifndef VDPA_SELFTESTS_NIC_H
#define VDPA_SELFTESTS_NIC_H

#include <linux/virtio_config.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Features without which the kernel's drivers take no vDPA device. */
#define VIRTIO_F_BASE	((1ULL << VIRTIO_F_VERSION_1) | \
			 (1ULL << VIRTIO_F_ACCESS_PLATFORM))

/* Are the modules there that it takes? Loads them. */
bool nic_modules(void);

/*
 * What a virtio driver has made of the device @name: the entry of its directory
 * @class ("net", "block"). nic_find() is for network interfaces.
 */
bool virtio_find(const char *name, const char *class, char *entry, size_t len);
bool nic_find(const char *name, char *nic, size_t len);

/* Give the device to virtio_vdpa, whoever has it now. 0 or -errno. */
int virtio_bind(const char *name);
int nic_bind(const char *name, char *nic, size_t len);

/* Up, and silent if nobody sends anything. */
int nic_up(const char *nic);

/* A command of <linux/ethtool.h>, of its own type: 0 or -errno. */
int nic_ethtool(const char *nic, void *cmd);
/* ETHTOOL_GRINGPARAM or ETHTOOL_SRINGPARAM: 0 or -errno. */
int nic_ring_size(const char *nic, uint32_t cmd, uint32_t *rx, uint32_t *tx);

/* Send one frame that nobody waits for: 0 or -errno. */
int nic_send(const char *nic);

/* A packet socket on it, for frames of ETH_P_802_EX1; -1 and errno. */
int nic_socket(const char *nic);
/* Does a frame of its own kind go in at one socket and come out at the other? */
bool nic_crosses(int from, int to);

/* One of its counters in sysfs; -1 if there is none of this name. */
long nic_stat(const char *nic, const char *name);

#endif /* VDPA_SELFTESTS_NIC_H */
