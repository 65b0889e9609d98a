// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space of a software device.
 *
 * Owns the bytes (little endian: VERSION_1 is mandatory), their generation and
 * the config interrupt, all under soft->config_lock. The bus driver reads
 * through vdpa_config_ops, the device class reads and writes from any context.
 * The class decides which fields the driver may write.
 */
#include "soft.h"

#include <linux/string.h>
#include <linux/vdpa_soft.h>

size_t soft_get_config_size(struct vdpa_device *vdpa)
{
	return vdpa_to_soft(vdpa)->class->config_size;
}

/* What is outside of the configuration space reads as zero. */
void soft_get_config(struct vdpa_device *vdpa, unsigned int offset, void *buf,
		     unsigned int len)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);
	unsigned int size = soft->class->config_size;

	memset(buf, 0, len);
	if (offset < size)
		vdpa_soft_config_read(soft, offset, buf,
				      min(len, size - offset));
}

void soft_set_config(struct vdpa_device *vdpa, unsigned int offset,
		     const void *buf, unsigned int len)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);
	const struct vdpa_soft_class *class = soft->class;

	if (class->config_write && offset <= class->config_size &&
	    len <= class->config_size - offset)
		class->config_write(soft, offset, buf, len);
}

u32 soft_get_generation(struct vdpa_device *vdpa)
{
	return READ_ONCE(vdpa_to_soft(vdpa)->generation);
}

void soft_set_config_cb(struct vdpa_device *vdpa, struct vdpa_callback *cb)
{
	struct vdpa_soft *soft = vdpa_to_soft(vdpa);
	unsigned long flags;

	spin_lock_irqsave(&soft->config_lock, flags);
	soft->config_cb = *cb;
	spin_unlock_irqrestore(&soft->config_lock, flags);
}

/**
 * vdpa_soft_config_read() - Read configuration space.
 * @soft: device
 * @offset: first byte
 * @buf: where to
 * @len: bytes, within the configuration space
 *
 * Context: Any.
 */
void vdpa_soft_config_read(struct vdpa_soft *soft, unsigned int offset,
			   void *buf, unsigned int len)
{
	unsigned long flags;

	spin_lock_irqsave(&soft->config_lock, flags);
	memcpy(buf, soft->config + offset, len);
	spin_unlock_irqrestore(&soft->config_lock, flags);
}
EXPORT_SYMBOL_GPL(vdpa_soft_config_read);

/**
 * vdpa_soft_config_write() - Change configuration space.
 * @soft: device
 * @offset: first byte
 * @buf: the new bytes
 * @len: how many, within the configuration space
 *
 * The driver learns of it through vdpa_soft_config_notify() only.
 *
 * Context: Any.
 */
void vdpa_soft_config_write(struct vdpa_soft *soft, unsigned int offset,
			    const void *buf, unsigned int len)
{
	unsigned long flags;

	spin_lock_irqsave(&soft->config_lock, flags);
	memcpy(soft->config + offset, buf, len);
	WRITE_ONCE(soft->generation, soft->generation + 1);
	spin_unlock_irqrestore(&soft->config_lock, flags);
}
EXPORT_SYMBOL_GPL(vdpa_soft_config_write);

/**
 * vdpa_soft_config_notify() - Raise the config interrupt.
 * @soft: device
 *
 * Context: Any.
 */
void vdpa_soft_config_notify(struct vdpa_soft *soft)
{
	unsigned long flags;

	spin_lock_irqsave(&soft->config_lock, flags);
	if (soft->config_cb.callback)
		soft->config_cb.callback(soft->config_cb.private);
	spin_unlock_irqrestore(&soft->config_lock, flags);
}
EXPORT_SYMBOL_GPL(vdpa_soft_config_notify);
