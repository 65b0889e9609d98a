// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's side of a split virtqueue, see drv.h. The areas of the ring are
 * allocated to the byte, so that the address sanitizer sees one step too far.
 */
#include "drv.h"

void (*compat_read_hook)(void *p, size_t len);

static void *area(size_t align, size_t len)
{
	void *p;

	if (posix_memalign(&p, align < sizeof(p) ? sizeof(p) : align, len))
		abort();
	return memset(p, 0, len);
}

int drv_init(struct drv *d, u32 size, u64 features)
{
	struct vdpa_ring_cfg cfg = {
		.features = features,
		.size = size,
		.mem = { .translate = drv_translate, .priv = d },
	};

	memset(d, 0, sizeof(*d));
	d->size = size;
	d->features = features;
	d->desc = area(16, vdpa_ring_desc_bytes(size, features));
	d->avail = area(2, vdpa_ring_driver_bytes(size, features));
	d->used = area(4, vdpa_ring_device_bytes(size, features));
	cfg.desc = d->desc;
	cfg.driver = d->avail;
	cfg.device = d->used;
	d->data = area(4096, DRV_BYTES);
	drv_map(d, DRV_IOVA, DRV_BYTES, d->data,
		VDPA_RING_READ | VDPA_RING_WRITE);
	d->ring = vdpa_ring_create(&cfg);
	if (IS_ERR(d->ring)) {
		int err = PTR_ERR(d->ring);

		d->ring = NULL;
		return err;
	}
	return vdpa_chain_init(&d->chain);
}

void drv_fini(struct drv *d)
{
	vdpa_chain_fini(&d->chain);
	vdpa_ring_destroy(d->ring);
	free(d->desc);
	free(d->avail);
	free(d->used);
	free(d->data);
}

void drv_map(struct drv *d, u64 iova, u64 len, void *mem, u32 access)
{
	assert(d->nr_maps < DRV_MAPS);
	d->map[d->nr_maps++] = (struct drv_map){
		.iova = iova, .len = len, .mem = mem, .access = access,
	};
}

void drv_unmap_all(struct drv *d)
{
	d->nr_maps = 0;
}

void *drv_translate(void *priv, u64 iova, u32 *len, u32 access)
{
	struct drv *d = priv;
	u32 i;

	assert(*len);
	d->translations++;
	for (i = 0; i < d->nr_maps; i++) {
		const struct drv_map *m = &d->map[i];
		u64 off = iova - m->iova;

		if (off >= m->len || (m->access & access) != access)
			continue;
		*len = min_t(u64, *len, m->len - off);
		return m->mem + off;
	}
	return NULL;
}

void drv_desc(struct drv *d, void *table, u32 i, u64 iova, u32 len, u16 flags,
	      u16 next)
{
	struct vring_desc desc = {
		.addr = cpu_to_le64(iova),
		.len = cpu_to_le32(len),
		.flags = cpu_to_le16(flags),
		.next = cpu_to_le16(next),
	};

	/* An indirect table may lie anywhere. */
	memcpy((u8 *)(table ?: d->desc) + i * sizeof(desc), &desc,
	       sizeof(desc));
}

void drv_offer(struct drv *d, u16 head)
{
	u16 idx = drv_avail_idx(d);

	d->avail->ring[idx & (d->size - 1)] = cpu_to_le16(head);
	__atomic_store_n(&d->avail->idx, cpu_to_le16((u16)(idx + 1)),
			 __ATOMIC_RELEASE);
}

void drv_offer_good(struct drv *d, u16 head)
{
	drv_desc(d, NULL, head, DRV_IOVA, 1, 0, 0);
	drv_offer(d, head);
}

u16 drv_avail_idx(const struct drv *d)
{
	return le16_to_cpu(d->avail->idx);
}

u16 drv_used_idx(const struct drv *d)
{
	return le16_to_cpu(d->used->idx);
}

void drv_set_used_event(struct drv *d, u16 val)
{
	assert(d->features & DRV_EVENT_IDX);
	d->avail->ring[d->size] = cpu_to_le16(val);
}

u16 drv_avail_event(const struct drv *d)
{
	assert(d->features & DRV_EVENT_IDX);
	return le16_to_cpu(*(__virtio16 *)&d->used->ring[d->size]);
}

bool drv_would_kick(const struct drv *d, u16 old)
{
	if (d->features & DRV_EVENT_IDX)
		return vring_need_event(drv_avail_event(d), drv_avail_idx(d),
					old);
	return !(le16_to_cpu(d->used->flags) & VRING_USED_F_NO_NOTIFY);
}

int drv_set_base(struct drv *d, u16 base)
{
	struct vdpa_ring_state state = { .avail = base, .used = base };

	d->avail->idx = cpu_to_le16(base);
	d->used->idx = cpu_to_le16(base);
	d->used_seen = base;
	return vdpa_ring_set_state(d->ring, &state);
}

static struct {
	void *p;
	size_t len;
} reads[8192];

u32 drv_reads, drv_reads_again;

static void count_read(void *p, size_t len)
{
	u32 i;

	for (i = 0; i < drv_reads; i++)
		if (p < reads[i].p + reads[i].len && reads[i].p < p + len)
			drv_reads_again++;
	assert(drv_reads < ARRAY_SIZE(reads));
	reads[drv_reads].p = p;
	reads[drv_reads++].len = len;
}

void drv_watch_reads(bool on)
{
	if (on) {
		drv_reads = 0;
		drv_reads_again = 0;
	}
	compat_read_hook = on ? count_read : NULL;
}

u32 drv_reads_of(const void *p)
{
	u32 i, nr = 0;

	for (i = 0; i < drv_reads; i++)
		nr += reads[i].p == p;
	return nr;
}
