/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vDPA device as an ordinary virtio device of the host: what the files of
 * virtio_vdpa.ko share.
 *
 * There is no lock here. The virtio core calls the operations of one device
 * one at a time, except notify and those that read; callbacks of the parent
 * are RCU readers.
 */
#ifndef _DRIVERS_VIRTIO_VIRTIO_VDPA_H
#define _DRIVERS_VIRTIO_VIRTIO_VDPA_H

#include <linux/types.h>
#include <linux/vdpa.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>

struct irq_affinity;

/**
 * struct virtio_vdpa_vq - where the parent's callback finds its virtqueue
 * @vq: NULL: the callback does nothing; see virtio_vdpa_synchronize_cbs()
 */
struct virtio_vdpa_vq {
	struct virtqueue __rcu *vq;
};

/**
 * struct virtio_vdpa - one vDPA device, bound to this driver
 * @vdev: what virtio drivers see; the last reference to it is that to all this
 * @vdpa: valid while @vdev is registered
 * @listening: the configuration callback may use @vdev; see event.c
 * @broken: the virtqueues there are have been broken
 * @broken_work: breaks the virtqueues if the parent needs a reset; not queued
 *	unless @listening
 * @rcu: frees all this
 * @vqs: by queue index, vdpa->nvqs of them
 */
struct virtio_vdpa {
	struct virtio_device vdev;
	struct vdpa_device *vdpa;
	bool listening;
	bool broken;
	struct work_struct broken_work;
	struct rcu_head rcu;
	struct virtio_vdpa_vq vqs[];
};

static inline struct virtio_vdpa *to_virtio_vdpa(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_vdpa, vdev);
}

/* config.c */
extern const struct virtio_config_ops virtio_vdpa_config_ops;
void virtio_vdpa_synchronize_cbs(struct virtio_device *vdev);

/* event.c */
void virtio_vdpa_break_if_broken(struct virtio_vdpa *v);
void virtio_vdpa_broken_work(struct work_struct *work);
void virtio_vdpa_events_start(struct virtio_vdpa *v);
void virtio_vdpa_events_stop(struct virtio_vdpa *v);

/* vqs.c */
int virtio_vdpa_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			 struct virtqueue *vqs[],
			 struct virtqueue_info infos[],
			 struct irq_affinity *affinity);
void virtio_vdpa_del_vqs(struct virtio_device *vdev);
int virtio_vdpa_disable_vq(struct virtqueue *vq);
int virtio_vdpa_enable_vq(struct virtqueue *vq);

/* affinity.c */
int virtio_vdpa_set_vq_affinity(struct virtqueue *vq,
				const struct cpumask *mask);
const struct cpumask *virtio_vdpa_get_vq_affinity(struct virtio_device *vdev,
						  int idx);
int virtio_vdpa_spread_vqs(struct vdpa_device *vdpa, unsigned int nvqs,
			   const struct irq_affinity *affinity);

#endif /* _DRIVERS_VIRTIO_VIRTIO_VDPA_H */
