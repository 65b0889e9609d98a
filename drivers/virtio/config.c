// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a virtio driver asks of the device as a whole: configuration space,
 * status, features. Called by the virtio core, which serialises; the core of
 * the bus takes vdpa->cf_lock.
 */
#include "virtio_vdpa.h"

#include <linux/rcupdate.h>
#include <linux/vdpa_vq_reset.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

static struct vdpa_device *to_vdpa(struct virtio_device *vdev)
{
	return to_virtio_vdpa(vdev)->vdpa;
}

static void virtio_vdpa_get(struct virtio_device *vdev, unsigned int offset,
			    void *buf, unsigned int len)
{
	vdpa_get_config(to_vdpa(vdev), offset, buf, len);
}

static void virtio_vdpa_set(struct virtio_device *vdev, unsigned int offset,
			    const void *buf, unsigned int len)
{
	vdpa_set_config(to_vdpa(vdev), offset, buf, len);
}

static u32 virtio_vdpa_generation(struct virtio_device *vdev)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);

	return vdpa->config->get_generation ?
	       vdpa->config->get_generation(vdpa) : 0;
}

static u8 virtio_vdpa_get_status(struct virtio_device *vdev)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);

	return vdpa->config->get_status(vdpa);
}

static void virtio_vdpa_set_status(struct virtio_device *vdev, u8 status)
{
	vdpa_set_status(to_vdpa(vdev), status);
}

/**
 * virtio_vdpa_synchronize_cbs() - Wait until no callback of old is running.
 * @vdev: the device
 *
 * Callbacks of the parent are RCU readers, in whatever context they come.
 *
 * Context: Process context. May sleep.
 */
void virtio_vdpa_synchronize_cbs(struct virtio_device *vdev)
{
	/* Pairs with virtio_vdpa_vq_cb(). */
	synchronize_rcu();
}

/*
 * The driver takes it for granted. A device that can not be reset keeps the
 * status it had, which is how virtio drivers find out.
 */
static void virtio_vdpa_reset(struct virtio_device *vdev)
{
	(void)vdpa_reset(to_vdpa(vdev), 0);
	virtio_vdpa_synchronize_cbs(vdev);
}

static u64 virtio_vdpa_get_features(struct virtio_device *vdev)
{
	struct vdpa_device *vdpa = to_vdpa(vdev);
	u64 features = vdpa->config->get_device_features(vdpa);

	if (!vdpa->config->kick_vq_with_data)
		features &= ~BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);
	if (!vdpa_can_vq_reset(vdpa))
		features &= ~BIT_ULL(VIRTIO_F_RING_RESET);
	return features;
}

static int virtio_vdpa_finalize_features(struct virtio_device *vdev)
{
	/* It is the transport's, and served by disable_vq_and_reset() here. */
	bool ring_reset = __virtio_test_bit(vdev, VIRTIO_F_RING_RESET);

	vring_transport_features(vdev);
	if (ring_reset)
		__virtio_set_bit(vdev, VIRTIO_F_RING_RESET);
	return vdpa_set_features(to_vdpa(vdev), vdev->features);
}

static const char *virtio_vdpa_bus_name(struct virtio_device *vdev)
{
	return dev_name(&to_vdpa(vdev)->dev);
}

const struct virtio_config_ops virtio_vdpa_config_ops = {
	.get = virtio_vdpa_get,
	.set = virtio_vdpa_set,
	.generation = virtio_vdpa_generation,
	.get_status = virtio_vdpa_get_status,
	.set_status = virtio_vdpa_set_status,
	.reset = virtio_vdpa_reset,
	.find_vqs = virtio_vdpa_find_vqs,
	.del_vqs = virtio_vdpa_del_vqs,
	.synchronize_cbs = virtio_vdpa_synchronize_cbs,
	.get_features = virtio_vdpa_get_features,
	.finalize_features = virtio_vdpa_finalize_features,
	.bus_name = virtio_vdpa_bus_name,
	.set_vq_affinity = virtio_vdpa_set_vq_affinity,
	.get_vq_affinity = virtio_vdpa_get_vq_affinity,
	.disable_vq_and_reset = virtio_vdpa_disable_vq,
	.enable_vq_after_reset = virtio_vdpa_enable_vq,
};
