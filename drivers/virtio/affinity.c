// SPDX-License-Identifier: GPL-2.0-only
/*
 * On which CPUs the callbacks of a virtqueue run, where the parent lets us
 * choose: as a driver asks, else spread evenly, near CPUs of a node together.
 * Called from find_vqs() and by virtio drivers.
 */
#include "virtio_vdpa.h"

#include <linux/group_cpus.h>
#include <linux/interrupt.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

int virtio_vdpa_set_vq_affinity(struct virtqueue *vq,
				const struct cpumask *mask)
{
	struct vdpa_device *vdpa = to_virtio_vdpa(vq->vdev)->vdpa;

	if (!vdpa->config->set_vq_affinity)
		return 0;
	return vdpa->config->set_vq_affinity(vdpa, vq->index, mask);
}

const struct cpumask *virtio_vdpa_get_vq_affinity(struct virtio_device *vdev,
						  int idx)
{
	struct vdpa_device *vdpa = to_virtio_vdpa(vdev)->vdpa;

	if (!vdpa->config->get_vq_affinity)
		return NULL;
	return vdpa->config->get_vq_affinity(vdpa, idx);
}

/**
 * virtio_vdpa_spread_vqs() - Spread virtqueues over all CPUs.
 * @vdpa: the device
 * @nvqs: how many there are, by index
 * @affinity: how many at either end are left alone
 *
 * What the parent does not take is not an error: it is a hint.
 *
 * Context: Process context. May sleep.
 * Return: 0; -ENOMEM.
 */
int virtio_vdpa_spread_vqs(struct vdpa_device *vdpa, unsigned int nvqs,
			   const struct irq_affinity *affinity)
{
	unsigned int first = affinity->pre_vectors;
	struct cpumask *masks;
	unsigned int n;

	if (!vdpa->config->set_vq_affinity ||
	    first + affinity->post_vectors >= nvqs)
		return 0;

	n = nvqs - first - affinity->post_vectors;
	masks = group_cpus_evenly(n);
	if (!masks)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		vdpa->config->set_vq_affinity(vdpa, first + i, &masks[i]);
	kfree(masks);
	return 0;
}
