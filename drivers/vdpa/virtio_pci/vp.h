/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of vp_vdpa.ko.
 *
 * The registers of a function that work on the selected virtqueue or half of
 * features are used by operations that the bus driver calls one at a time, so
 * there is no lock for them.
 *
 * Lock order: management lock of the vDPA core -> fn->lock -> vp->config.lock,
 * vq->line.lock. The last two are taken with interrupts disabled.
 */
#ifndef _VP_VDPA_H
#define _VP_VDPA_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vdpa.h>
#include <linux/virtio_pci_modern.h>

#define VP_IRQ_NAME	64

/**
 * struct vp_line - where an interrupt of the device goes
 * @lock: @cb, which is called under it
 * @cb: what the bus driver has given
 */
struct vp_line {
	spinlock_t lock;	/* interrupts disabled */
	struct vdpa_callback cb;
};

/**
 * struct vp_vq - a virtqueue
 * @line: its interrupt
 * @notify: register that kicks it
 * @notify_pa: the same, physical address
 * @max: largest ring, in descriptors; 0: there is no such virtqueue
 * @name: of its interrupt in /proc/interrupts
 */
struct vp_vq {
	struct vp_line line;
	void __iomem *notify;
	resource_size_t notify_pa;
	u16 max;
	char name[VP_IRQ_NAME];
};

/* How the interrupts of a device reach us; less and less exact. */
enum vp_vectors {
	VP_VECTORS_NONE,
	VP_VECTORS_EACH,	/* one for config, one for each virtqueue */
	VP_VECTORS_TWO,		/* one for config, one for all virtqueues */
	VP_VECTORS_ONE,		/* one for all */
};

/**
 * struct vp_dev - a vDPA device on a virtio-pci function
 * @vdpa: what the bus sees; first
 * @fn: its function; immutable
 * @vqs: vdpa.nvqs of them; immutable
 * @nvqs: virtqueues; immutable
 * @features: offered; immutable
 * @driver_features: what the driver has taken
 * @used: a driver has written a status since the last reset
 * @max: largest of all rings; immutable
 * @vectors: what interrupts there are; changes while the device is reset only
 * @config: the config interrupt
 * @config_name: of the config interrupt in /proc/interrupts
 */
struct vp_dev {
	struct vdpa_device vdpa;
	struct vp_fn *fn;
	struct vp_vq *vqs;
	u16 nvqs;
	u16 max;
	u64 features;
	u64 driver_features;
	bool used;
	enum vp_vectors vectors;
	struct vp_line config;
	char config_name[VP_IRQ_NAME];
};

/**
 * struct vp_fn - a virtio-pci function, and management device
 * @modern: its registers; immutable
 * @mgmt: immutable
 * @ids: of @mgmt
 * @lock: @vp
 * @vp: the device on it, NULL if there is none
 */
struct vp_fn {
	struct virtio_pci_modern_device modern;
	struct vdpa_mgmt_dev mgmt;
	struct virtio_device_id ids[2];
	struct mutex lock;
	struct vp_dev *vp;
};

static inline struct vp_dev *vdpa_to_vp(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct vp_dev, vdpa);
}

static inline struct virtio_pci_modern_device *vp_modern(struct vp_dev *vp)
{
	return &vp->fn->modern;
}

/* Unplugged, or given up by PCI: reads answer ones, writes do nothing. */
static inline bool vp_fn_is_gone(const struct vp_fn *fn)
{
	return pci_channel_offline(fn->modern.pci_dev);
}

/* dev.c */
extern const struct vdpa_mgmtdev_ops vp_mgmtdev_ops;
int vp_fn_reset(struct vp_fn *fn);

/* ops.c */
extern const struct vdpa_config_ops vp_config_ops;
void vp_free(struct vdpa_device *vdpa);

/* vq.c */
int vp_vq_set_address(struct vdpa_device *vdpa, u16 idx, u64 desc, u64 driver,
		      u64 device);
void vp_vq_set_num(struct vdpa_device *vdpa, u16 idx, u32 num);
void vp_vq_kick(struct vdpa_device *vdpa, u16 idx);
void vp_vq_kick_with_data(struct vdpa_device *vdpa, u32 data);
void vp_vq_set_cb(struct vdpa_device *vdpa, u16 idx, struct vdpa_callback *cb);
void vp_vq_set_ready(struct vdpa_device *vdpa, u16 idx, bool ready);
bool vp_vq_get_ready(struct vdpa_device *vdpa, u16 idx);
int vp_vq_set_state(struct vdpa_device *vdpa, u16 idx,
		    const struct vdpa_vq_state *state);
int vp_vq_get_state(struct vdpa_device *vdpa, u16 idx,
		    struct vdpa_vq_state *state);
struct vdpa_notification_area vp_vq_get_notification(struct vdpa_device *vdpa,
						     u16 idx);
u16 vp_vq_get_size(struct vdpa_device *vdpa, u16 idx);

/* irq.c */
void vp_line_init(struct vp_line *line);
void vp_line_set(struct vp_line *line, const struct vdpa_callback *cb);
void vp_line_raise(struct vp_line *line);
int vp_irqs_request(struct vp_dev *vp);
void vp_irqs_free(struct vp_dev *vp);
u16 vp_irq_vq_vector(const struct vp_dev *vp, u16 idx);
int vp_irq_get_vq(struct vdpa_device *vdpa, u16 idx);

#endif /* _VP_VDPA_H */
