// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes to a mock device by netlink, if the knob "change" is set: what is to
 * be different is where a network device has it in its configuration space.
 *
 * Called by the core with vdpa->cf_lock held; it has checked everything.
 */
#include "mock.h"

#include <linux/string.h>
#include <linux/vdpa_change.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_net.h>

static void mock_write(struct mock *m, size_t offset, const void *from,
		       size_t len)
{
	if (offset + len <= m->props.config_size)
		memcpy(m->config + offset, from, len);
}

static void mock_apply(struct mock *m, const struct vdpa_dev_change *change)
{
	const struct vdpa_dev_set_config *config = &change->config;
	__le16 status = cpu_to_le16(change->net_status);
	__le16 mtu = cpu_to_le16(config->net.mtu);
	__le16 pairs = cpu_to_le16(config->net.max_vq_pairs);

	lockdep_assert_held(&m->lock);

	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR))
		mock_write(m, offsetof(struct virtio_net_config, mac),
			   config->net.mac, sizeof(config->net.mac));
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_STATUS))
		mock_write(m, offsetof(struct virtio_net_config, status),
			   &status, sizeof(status));
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU))
		mock_write(m, offsetof(struct virtio_net_config, mtu),
			   &mtu, sizeof(mtu));
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP))
		mock_write(m, offsetof(struct virtio_net_config,
				       max_virtqueue_pairs),
			   &pairs, sizeof(pairs));
}

static int mock_change(struct vdpa_device *vdpa,
		       const struct vdpa_dev_change *change)
{
	struct mock *m = to_mock(vdpa);

	if (m->props.change > 1)
		return -m->props.change;
	scoped_guard(spinlock_irqsave, &m->lock)
		mock_apply(m, change);
	return 0;
}

const struct vdpa_change_ops mock_change_ops = {
	.live = BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR) |
		BIT_ULL(VDPA_ATTR_DEV_NET_STATUS),
	.idle = BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU) |
		BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP),
	.set = mock_change,
};
