/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of vdpa_soft.ko. The lock order is in vdpa_soft.h. */
#ifndef _VDPA_SOFT_PRIVATE_H
#define _VDPA_SOFT_PRIVATE_H

#include <linux/types.h>

struct vdpa_config_ops;
struct vdpa_callback;
struct vdpa_device;
struct vdpa_soft;
struct vdpa_soft_as;
struct vdpa_soft_vq;
struct vhost_iotlb;
struct workqueue_struct;

/* What every driver must take. */
#define SOFT_FEATURES_NEEDED	(BIT_ULL(VIRTIO_F_VERSION_1) | \
				 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))

/* main.c */
extern struct workqueue_struct *soft_wq;
void soft_free(struct vdpa_device *vdpa);

/* ops.c */
extern const struct vdpa_config_ops soft_ops_dma_map;
extern const struct vdpa_config_ops soft_ops_set_map;

/* config.c */
size_t soft_get_config_size(struct vdpa_device *vdpa);
void soft_get_config(struct vdpa_device *vdpa, unsigned int offset, void *buf,
		     unsigned int len);
void soft_set_config(struct vdpa_device *vdpa, unsigned int offset,
		     const void *buf, unsigned int len);
u32 soft_get_generation(struct vdpa_device *vdpa);
void soft_set_config_cb(struct vdpa_device *vdpa, struct vdpa_callback *cb);

/* vq.c */
void soft_vq_init(struct vdpa_soft *soft, u16 idx);
void soft_vq_reset(struct vdpa_soft_vq *vq);
void soft_vq_update(struct vdpa_soft_vq *vq);
void soft_vq_drop_ring(struct vdpa_soft_vq *vq);
void soft_vq_settle(struct vdpa_soft_vq *vq);
void soft_vq_forget(struct vdpa_soft_vq *vq);

/* area.c */
int soft_area_map(struct vdpa_soft_vq *vq, int which, u64 bytes);
void soft_area_unmap(struct vdpa_soft_vq *vq, int which);
bool soft_area_overlaps(const struct vdpa_soft_vq *vq, u64 iova, u64 last);

/* map.c */
void *soft_translate(void *priv, u64 iova, u32 *len, u32 access);
void soft_as_init(struct vdpa_soft_as *as);
void soft_as_free(struct vdpa_soft_as *as);
void soft_as_clear(struct vdpa_soft *soft, struct vdpa_soft_as *as,
		   bool identity);
int soft_dma_map(struct vdpa_device *vdpa, unsigned int asid, u64 iova,
		 u64 size, u64 pa, u32 perm, void *opaque);
int soft_dma_unmap(struct vdpa_device *vdpa, unsigned int asid, u64 iova,
		   u64 size);
int soft_set_map(struct vdpa_device *vdpa, unsigned int asid,
		 struct vhost_iotlb *iotlb);
int soft_reset_map(struct vdpa_device *vdpa, unsigned int asid);
int soft_set_group_asid(struct vdpa_device *vdpa, unsigned int group,
			unsigned int asid);

#endif /* _VDPA_SOFT_PRIVATE_H */
