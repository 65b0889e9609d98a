// SPDX-License-Identifier: GPL-2.0-only
/*
 * Status and configuration space of a device, for bus drivers and for netlink.
 *
 * Everything here runs under vdpa->cf_lock. The parent sees only ranges within
 * its configuration space, and a buffer that is zeroed: it may leave it alone.
 */
#include "core.h"

/* Reads what there is of [@offset, @offset + @len); the rest of @buf is 0. */
static size_t __vdpa_read_config(struct vdpa_device *vdpa, unsigned int offset,
				 void *buf, size_t len)
{
	const struct vdpa_config_ops *ops = vdpa->config;
	size_t size = ops->get_config_size(vdpa);

	lockdep_assert_held(&vdpa->cf_lock);

	memset(buf, 0, len);
	if (offset >= size)
		return 0;
	len = min(len, size - offset);
	ops->get_config(vdpa, offset, buf, len);
	return len;
}

/**
 * vdpa_peek_config() - Read the start of the configuration space.
 * @vdpa: the device
 * @buf: where to
 * @len: bytes; what the device does not have is zeroed
 *
 * For observers: other than vdpa_get_config() this changes nothing.
 *
 * Context: Process context, vdpa->cf_lock held. May sleep.
 * Return: how many bytes the device has, at most @len.
 */
size_t vdpa_peek_config(struct vdpa_device *vdpa, void *buf, size_t len)
{
	return __vdpa_read_config(vdpa, 0, buf, len);
}

/* A driver that was told yes without asking has none either. */
static bool vdpa_features_fixed(struct vdpa_device *vdpa)
{
	return vdpa->config->get_status(vdpa) & VIRTIO_CONFIG_S_FEATURES_OK;
}

/**
 * vdpa_get_config() - Read configuration space for the driver of a device.
 * @vdpa: the device
 * @offset: first byte
 * @buf: where to
 * @len: bytes; what the device does not have is zeroed
 *
 * A driver that reads before it has set features is a legacy one, which has
 * none. The device is told so, because how it stores its fields depends on it.
 *
 * Context: Process context. Takes vdpa->cf_lock. May sleep.
 */
void vdpa_get_config(struct vdpa_device *vdpa, unsigned int offset,
		     void *buf, unsigned int len)
{
	scoped_guard(rwsem_read, &vdpa->cf_lock) {
		if (vdpa->features_valid) {
			__vdpa_read_config(vdpa, offset, buf, len);
			return;
		}
	}

	guard(rwsem_write)(&vdpa->cf_lock);
	/* One that knows no legacy drivers refuses; its layout is the same. */
	if (!vdpa->features_valid && !vdpa_features_fixed(vdpa))
		(void)vdpa_set_features_unlocked(vdpa, 0);
	__vdpa_read_config(vdpa, offset, buf, len);
}
EXPORT_SYMBOL_GPL(vdpa_get_config);

/**
 * vdpa_set_config() - Write configuration space for the driver of a device.
 * @vdpa: the device
 * @offset: first byte
 * @buf: where from
 * @len: bytes; nothing is written if the device does not have all of them
 *
 * Context: Process context. Takes vdpa->cf_lock. May sleep.
 */
void vdpa_set_config(struct vdpa_device *vdpa, unsigned int offset,
		     const void *buf, unsigned int len)
{
	const struct vdpa_config_ops *ops = vdpa->config;
	size_t size;

	guard(rwsem_write)(&vdpa->cf_lock);
	size = ops->get_config_size(vdpa);
	if (offset > size || len > size - offset)
		return;
	ops->set_config(vdpa, offset, buf, len);
}
EXPORT_SYMBOL_GPL(vdpa_set_config);

/**
 * vdpa_set_status() - Set the status of a device.
 * @vdpa: the device
 * @status: VIRTIO_CONFIG_S_*; not 0, for which there is vdpa_reset()
 *
 * Context: Process context. Takes vdpa->cf_lock. May sleep.
 */
void vdpa_set_status(struct vdpa_device *vdpa, u8 status)
{
	guard(rwsem_write)(&vdpa->cf_lock);
	vdpa->config->set_status(vdpa, status);
}
EXPORT_SYMBOL(vdpa_set_status);
