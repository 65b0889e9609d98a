// SPDX-License-Identifier: GPL-2.0-only
/*
 * The input of a target, and a driver whose memory is as the input says; see
 * hostile.h.
 */
#include "hostile.h"

void (*compat_read_hook)(void *p, size_t len);

struct area areas[AREAS_MAX];
u32 nr_areas;
u32 translations;

static const u8 *in;
static size_t in_left;
static u32 chaos;	/* state of the driver's other CPU; 0: there is none */

void input_begin(const u8 *data, size_t size)
{
	in = data;
	in_left = size;
}

size_t input_left(void)
{
	return in_left;
}

u8 get8(void)
{
	if (!in_left)
		return 0;
	in_left--;
	return *in++;
}

u16 get16(void)
{
	u16 lo = get8();

	return lo | get8() << 8;
}

u32 get32(void)
{
	u32 lo = get16();

	return lo | (u32)get16() << 16;
}

u64 get_iova(void)
{
	u8 sel = get8();
	u64 iova = areas[sel % nr_areas].iova;

	if (sel & 0x80)
		return iova + get16();
	return iova + get8() * 4;
}

u8 *area_add(u64 iova, u32 len, u32 access)
{
	void *mem;

	assert(nr_areas < AREAS_MAX);
	if (posix_memalign(&mem, 16, len))
		abort();
	memset(mem, 0, len);
	areas[nr_areas++] = (struct area){ iova, len, access, mem };
	return mem;
}

void areas_free(void)
{
	while (nr_areas)
		free(areas[--nr_areas].mem);
}

void area_poke(void)
{
	struct area *a = &areas[get8() % nr_areas];
	u16 at = get16() % a->len;

	a->mem[at] = get8();
}

void put_desc(void *table, u32 nr)
{
	struct vring_desc *d = (struct vring_desc *)table + get8() % nr;
	u8 flags = get8();

	d->addr = cpu_to_le64(get_iova());
	d->len = cpu_to_le32(flags & 0x80 ? get32() : get8());
	d->flags = cpu_to_le16(flags & 7);
	d->next = cpu_to_le16(flags & 0x40 ? get16() : get8() % nr);
}

void put_avail(struct vring_avail *avail, u32 size, u16 head)
{
	u16 idx = le16_to_cpu(avail->idx);

	avail->ring[idx % size] = cpu_to_le16(head);
	put_avail_idx(avail, idx + 1);
}

void put_avail_idx(struct vring_avail *avail, u16 idx)
{
	avail->idx = cpu_to_le16(idx);
}

static u32 next_chaos(void)
{
	chaos ^= chaos << 13;
	chaos ^= chaos >> 17;
	chaos ^= chaos << 5;
	return chaos;
}

static bool is_the_drivers(const u8 *p)
{
	for (u32 i = 0; i < nr_areas; i++)
		if (p >= areas[i].mem && p < areas[i].mem + areas[i].len)
			return true;
	return false;
}

/* Another CPU writes to what was just read. */
static void write_behind(void *p, size_t len)
{
	u32 r;

	if (!chaos)
		return;
	r = next_chaos();
	if (r & 0x100 && is_the_drivers(p))
		((u8 *)p)[r % len] ^= r >> 24;
}

void chaos_begin(u32 seed)
{
	chaos = seed;
	compat_read_hook = write_behind;
}

void chaos_end(void)
{
	chaos = 0;
	compat_read_hook = NULL;
}

void *translate(void *priv, u64 iova, u32 *len, u32 access)
{
	u32 i;

	assert(*len);
	translations++;
	if (chaos) {
		struct area *a = &areas[next_chaos() % nr_areas];

		a->mem[next_chaos() % a->len] ^= chaos >> 24;
	}
	for (i = 0; i < nr_areas; i++) {
		struct area *a = &areas[i];
		u64 off = iova - a->iova;

		if (off >= a->len || (access & a->access) != access)
			continue;
		*len = min_t(u64, *len, a->len - off);
		return a->mem + off;
	}
	return NULL;
}
