// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that does what the fuzzer says to a ring and its memory, and a
 * device that calls the verbs of the ring in any order its owner could.
 *
 * The input is 8 bytes of setup and then operations (enum op). With the right
 * setup the memory also changes right after it was read: what is read twice is
 * different the second time. Buffers and tables may lie in the ring itself.
 *
 * Besides what the sanitizers see, a chain that was fetched must be one.
 */
#include "hostile.h"

#define MEM_BYTES	1024

enum op {
	OP_DESC, OP_TABLE, OP_OFFER, OP_POKE, OP_FETCH, OP_COMPLETE, OP_PUBLISH,
	OP_ENABLE, OP_DISABLE, OP_PULL, OP_PUSH, OP_NEXT, OP_UNFETCH,
	OP_SET_STATE, OP_IDX, OP_NR
};

static void check_part(const struct vdpa_seg *seg, u32 nr, u64 len)
{
	u64 sum = 0, last;

	while (nr--) {
		assert(seg->len);
		assert(!check_add_overflow(seg->iova, (u64)seg->len - 1,
					   &last));
		sum += seg++->len;
	}
	assert(sum == len);
}

static void check_fetched(int ret, const struct vdpa_chain *c, u32 size)
{
	assert(ret == 1 || ret == 0 || ret == -EBADMSG || ret == -EIO);
	/* a table in pieces is the only thing that is translated */
	assert(translations <= VDPA_CHAIN_MAX * 16);
	if (ret == 1 || ret == -EBADMSG)
		assert(c->id < size);
	if (ret != 1) {
		assert(!c->nr_out && !c->nr_in && !c->out_len && !c->in_len);
		return;
	}
	assert(c->nr_out + c->nr_in <= VDPA_CHAIN_MAX);
	assert(c->out_len + c->in_len <= 1ULL << 32);
	check_part(c->seg, c->nr_out, c->out_len);
	check_part(c->seg + c->nr_out, c->nr_in, c->in_len);
}

struct fuzz {
	struct vdpa_ring *ring;
	struct vdpa_chain chain;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	u32 size;
	u64 out_left, in_left;
	u16 in_flight;
};

static void do_fetch(struct fuzz *f)
{
	int ret;

	translations = 0;
	ret = vdpa_ring_fetch(f->ring, &f->chain);
	check_fetched(ret, &f->chain, f->size);
	if (ret == 1 || ret == -EBADMSG)
		f->in_flight++;
	assert(f->in_flight <= f->size);
	f->out_left = f->chain.out_len;
	f->in_left = f->chain.in_len;
}

static void do_move(struct fuzz *f, enum op op)
{
	u64 *left = op == OP_PULL ? &f->out_left : &f->in_left;
	u8 buf[256];
	size_t want = get8(), done;

	memset(buf, want, sizeof(buf));
	if (op == OP_PULL)
		done = vdpa_chain_pull(&f->chain, buf, want);
	else
		done = vdpa_chain_push(&f->chain, buf, want);
	assert(done <= want && done <= *left);
	*left -= done;
}

static void do_next(struct fuzz *f)
{
	u32 access = get8() & 1 ? VDPA_RING_READ : VDPA_RING_WRITE, len = 0;
	u64 *left = access == VDPA_RING_READ ? &f->out_left : &f->in_left;
	u8 *p = vdpa_chain_next(&f->chain, access, &len);

	assert(!!p == !!len);
	assert(len <= *left);
	*left -= len;
	if (!p)
		return;
	(void)READ_ONCE(p[0]);
	(void)READ_ONCE(p[len - 1]);
}

static void do_state(struct fuzz *f)
{
	struct vdpa_ring_state old, new = { .avail = get16() };
	int ret;

	new.used = new.avail - get8();
	vdpa_ring_get_state(f->ring, &old);
	assert((u16)(old.avail - old.used) == f->in_flight);
	ret = vdpa_ring_set_state(f->ring, &new);
	assert(ret == ((u16)(new.avail - new.used) > f->size ? -EINVAL : 0));
	if (!ret)
		f->in_flight = new.avail - new.used;
}

static void do_complete(struct fuzz *f)
{
	if (!f->in_flight)
		return;
	vdpa_ring_complete(f->ring, f->chain.id, get32());
	f->in_flight--;
}

static void do_unfetch(struct fuzz *f)
{
	u16 nr;

	if (!f->in_flight)
		return;
	nr = get8() % f->in_flight + 1;
	vdpa_ring_unfetch(f->ring, nr);
	f->in_flight -= nr;
}

/* What the driver does to memory; false if @op is none of that. */
static bool do_driver_op(struct fuzz *f, enum op op)
{
	switch (op) {
	case OP_DESC:
		put_desc(f->desc, f->size);
		return true;
	case OP_TABLE:
		put_desc(areas[3].mem, MEM_BYTES / sizeof(struct vring_desc));
		return true;
	case OP_OFFER:
		put_avail(f->avail, f->size, get8() % f->size);
		return true;
	case OP_IDX:
		put_avail_idx(f->avail, get16());
		return true;
	case OP_POKE:
		area_poke();
		return true;
	default:
		return false;
	}
}

/* What the device does with the ring. */
static void do_device_op(struct fuzz *f, enum op op)
{
	switch (op) {
	case OP_FETCH:
		do_fetch(f);
		break;
	case OP_COMPLETE:
		do_complete(f);
		break;
	case OP_PUBLISH:
		vdpa_ring_publish(f->ring);
		break;
	case OP_ENABLE:
		vdpa_ring_kick_enable(f->ring);
		break;
	case OP_DISABLE:
		vdpa_ring_kick_disable(f->ring);
		break;
	case OP_PULL:
	case OP_PUSH:
		do_move(f, op);
		break;
	case OP_NEXT:
		do_next(f);
		break;
	case OP_UNFETCH:
		do_unfetch(f);
		break;
	case OP_SET_STATE:
		do_state(f);
		break;
	default:
		break;
	}
}

static void setup(struct fuzz *f)
{
	struct vdpa_ring_cfg cfg = { .mem = { .translate = translate } };
	u8 how;

	f->size = 1U << get8() % 8;
	cfg.size = f->size;
	how = get8();
	cfg.features = (how & 1 ? BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) : 0) |
		       (how & 2 ? BIT_ULL(VIRTIO_RING_F_EVENT_IDX) : 0);
	/* In 0x1000 steps; the last step wraps around. */
	cfg.desc = area_add(0x1000, vdpa_ring_desc_bytes(f->size, 0), AREA_RW);
	cfg.driver = area_add(0x2000, vdpa_ring_driver_bytes(f->size,
							     cfg.features),
			      AREA_RW);
	cfg.device = area_add(0x3000, vdpa_ring_device_bytes(f->size,
							     cfg.features),
			      AREA_RW);
	area_add(0x4000, MEM_BYTES, AREA_RW);
	area_add(0x4000 + MEM_BYTES, 100, VDPA_RING_READ);
	area_add(0x4000 + MEM_BYTES + 100, MEM_BYTES, VDPA_RING_WRITE);
	area_add(0 - (u64)MEM_BYTES, MEM_BYTES, AREA_RW);
	f->desc = cfg.desc;
	f->avail = cfg.driver;
	f->used = cfg.device;
	f->ring = vdpa_ring_create(&cfg);
	if (IS_ERR(f->ring) || vdpa_chain_init(&f->chain))
		abort();
	if (how & 4) {
		struct vdpa_ring_state state = { .avail = 0xfffe };

		state.used = state.avail;
		put_avail_idx(f->avail, state.avail);
		vdpa_ring_set_state(f->ring, &state);
	}
	chaos_begin(get32());
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz f = {};

	input_begin(data, size);
	setup(&f);
	while (input_left()) {
		enum op op = get8() % OP_NR;

		if (!do_driver_op(&f, op))
			do_device_op(&f, op);
	}
	chaos_end();
	vdpa_chain_fini(&f.chain);
	vdpa_ring_destroy(f.ring);
	areas_free();
	return 0;
}
