// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random driver, random device, one seed a test: every byte, length and id
 * arrives, in scattered memory, in every mixture of direct and indirect, and
 * neither side sleeps while there is something for it to do.
 *
 * RING_SEED=n in the environment runs that seed only, RING_SEEDS=n so many.
 */
#include "drv.h"
#include "kselftest_harness.h"

#define SLOT		1024U		/* bytes of memory of each head */
#define TABLE_SLOT	(16 * 16U)	/* of them, for its indirect table */
#define SIZE_MAX_TEST	64U
#define CHAIN_SEGS	6U
#define BASE_IOVA	0x7fff0000ULL

struct model_chain {
	u32 nr_desc;			/* of the ring */
	u16 desc[CHAIN_SEGS + 1];
	u32 nr_seg;			/* buffers, empty ones included */
	u32 nr_out, nr_in, out_len, in_len;	/* without empty ones */
	u32 written;
	u8 out[SLOT], in[SLOT];
};

struct world {
	struct drv d;
	u32 rand;
	struct model_chain chain[SIZE_MAX_TEST];
	bool desc_used[SIZE_MAX_TEST];
	u32 nr_free;

	u16 queue[SIZE_MAX_TEST];	/* offered and not fetched, in order */
	u32 nr_queue;
	u16 flight[SIZE_MAX_TEST];	/* fetched and not completed */
	u32 nr_flight;
	bool dev_asleep, kicked;
	bool drv_asleep, called;
	u16 drv_delay;			/* completions it wants to sleep over */
	u64 done;
};

static u32 rnd(struct world *w, u32 below)
{
	w->rand ^= w->rand << 13;
	w->rand ^= w->rand >> 17;
	w->rand ^= w->rand << 5;
	return w->rand % below;
}

/* The driver's view of its own memory: access rights do not bind it. */
static void drv_copy(struct world *w, u64 iova, void *buf, u32 len, bool write)
{
	while (len) {
		u32 n = len;
		u8 *p = drv_translate(&w->d, iova, &n, 0);

		assert(p);
		memcpy(write ? p : buf, write ? buf : p, n);
		iova += n;
		buf += n;
		len -= n;
	}
}

/* The slots lie one behind the other, over mappings cut anywhere. */
static void map_randomly(struct world *w)
{
	u32 total = w->d.size * SLOT, pos = 0, nr = 0, i, j;
	u32 cut[32];

	while (pos < total && nr < ARRAY_SIZE(cut) - 1) {
		cut[nr] = 1 + rnd(w, total / 8);
		cut[nr] = min(cut[nr], total - pos);
		pos += cut[nr++];
	}
	if (pos < total)
		cut[nr++] = total - pos;
	drv_unmap_all(&w->d);
	for (i = 0, pos = 0; i < nr; pos += cut[i++]) {
		u32 at = 0;

		/* Odd pieces first, so that neighbours lie apart. */
		for (j = 0; j < nr; j++)
			if ((j & 1) > (i & 1) || ((j & 1) == (i & 1) && j < i))
				at += cut[j];
		drv_map(&w->d, BASE_IOVA + pos, cut[i], w->d.data + at,
			VDPA_RING_READ | VDPA_RING_WRITE);
	}
}

static u16 take_desc(struct world *w)
{
	u32 i = rnd(w, w->d.size);

	while (w->desc_used[i])
		i = (i + 1) % w->d.size;
	w->desc_used[i] = true;
	w->nr_free--;
	return i;
}

/* Lays the buffers out behind the table; @direct of them in the ring. */
static void write_chain(struct world *w, struct model_chain *c, u32 direct)
{
	u16 head = c->desc[0];
	u64 slot = BASE_IOVA + head * SLOT, at = slot + TABLE_SLOT;
	u32 nr_out = rnd(w, c->nr_seg + 1), i, len, left = SLOT - TABLE_SLOT;
	u8 table[CHAIN_SEGS * 16];

	for (i = 0; i < c->nr_seg; i++) {
		bool write = i >= nr_out, last = i == c->nr_seg - 1;
		u16 flags = (write ? VRING_DESC_F_WRITE : 0) |
			    (last ? 0 : VRING_DESC_F_NEXT);

		len = rnd(w, 5) ? rnd(w, left / (c->nr_seg - i) + 1) : 0;
		if (i < direct)
			drv_desc(&w->d, NULL, c->desc[i], at, len, flags,
				 last ? rnd(w, 65536) : c->desc[i + 1]);
		else
			drv_desc(&w->d, table, i - direct, at, len, flags,
				 i - direct + 1);
		if (write) {
			c->in_len += len;
			c->nr_in += !!len;
		} else {
			for (u32 j = 0; j < len; j++)
				c->out[c->out_len + j] = rnd(w, 256);
			drv_copy(w, at, c->out + c->out_len, len, true);
			c->out_len += len;
			c->nr_out += !!len;
		}
		at += len;
		left -= len;
	}
	if (direct == c->nr_seg)
		return;
	/* At any address: the last bytes of the place for the table. */
	len = (c->nr_seg - direct) * 16;
	at = slot + rnd(w, TABLE_SLOT - len + 1);
	drv_copy(w, at, table, len, true);
	drv_desc(&w->d, NULL, c->desc[direct], at, len,
		 VRING_DESC_F_INDIRECT | (rnd(w, 2) ? VRING_DESC_F_WRITE : 0),
		 rnd(w, 2) ? 0 : rnd(w, 65536));
}

static void driver_offers(struct world *w)
{
	u32 nr = 1 + rnd(w, 4), i;
	u16 old = drv_avail_idx(&w->d);

	while (nr-- && w->nr_free) {
		bool indirect = w->d.features & DRV_INDIRECT && rnd(w, 2);
		u32 segs = 1 + rnd(w, CHAIN_SEGS), direct;
		struct model_chain *c;
		u16 head;

		direct = indirect ? rnd(w, segs) : segs;
		if (direct + indirect > w->nr_free) {
			direct = w->nr_free - indirect;
			if (!indirect)
				segs = direct;
		}
		head = take_desc(w);
		c = &w->chain[head];
		*c = (struct model_chain){
			.nr_seg = segs, .nr_desc = direct + indirect,
			.desc = { head },
		};
		for (i = 1; i < c->nr_desc; i++)
			c->desc[i] = take_desc(w);
		write_chain(w, c, direct);
		drv_offer(&w->d, head);
		w->queue[w->nr_queue++] = head;
	}
	if (drv_avail_idx(&w->d) != old && drv_would_kick(&w->d, old))
		w->kicked = true;
}

static const char *device_moves_data(struct world *w, struct model_chain *c)
{
	struct vdpa_chain *chain = &w->d.chain;
	u8 buf[SLOT];
	u32 pos = 0, len;
	void *p;

	while (pos < c->out_len) {
		u32 ask = 1 + rnd(w, 300);

		if (rnd(w, 2)) {
			len = vdpa_chain_pull(chain, buf + pos,
					      min(ask, SLOT - pos));
		} else {
			p = vdpa_chain_next(chain, VDPA_RING_READ, &len);
			if (p)
				memcpy(buf + pos, p, len);
		}
		if (!len)
			return "readable part is short";
		pos += len;
	}
	if (vdpa_chain_pull(chain, buf, 1))
		return "readable part is long";
	if (memcmp(buf, c->out, c->out_len))
		return "readable bytes differ";

	c->written = rnd(w, c->in_len + 1);
	for (pos = 0; pos < c->written; pos++)
		c->in[pos] = rnd(w, 256);
	for (pos = 0; pos < c->written; pos += len) {
		u32 ask = min(1 + rnd(w, 300), c->written - pos);

		len = vdpa_chain_push(chain, c->in + pos, ask);
		if (len != ask)
			return "writable part is short";
	}
	return NULL;
}

static const char *device_fetches(struct world *w)
{
	struct vdpa_chain *chain = &w->d.chain;
	int ret = vdpa_ring_fetch(w->d.ring, chain);
	struct model_chain *c;

	if (ret != !!w->nr_queue)
		return "fetch does not say what is available";
	if (!ret)
		return NULL;
	if (!rnd(w, 8)) {
		vdpa_ring_unfetch(w->d.ring, 1);
		return NULL;
	}
	c = &w->chain[w->queue[0]];
	if (chain->id != w->queue[0])
		return "chains come in another order";
	if (chain->nr_out != c->nr_out || chain->nr_in != c->nr_in ||
	    chain->out_len != c->out_len || chain->in_len != c->in_len)
		return "chain has another shape";
	memmove(w->queue, w->queue + 1, --w->nr_queue * sizeof(*w->queue));
	w->flight[w->nr_flight++] = chain->id;
	return device_moves_data(w, c);
}

static void device_completes(struct world *w)
{
	u32 nr;

	for (nr = rnd(w, w->nr_flight + 1); nr; nr--) {
		u32 i = rnd(w, w->nr_flight);
		u16 id = w->flight[i];

		vdpa_ring_complete(w->d.ring, id, w->chain[id].written);
		w->flight[i] = w->flight[--w->nr_flight];
		if (!rnd(w, 3) && vdpa_ring_publish(w->d.ring))
			w->called = true;
	}
	if (vdpa_ring_publish(w->d.ring))
		w->called = true;
}

static const char *device_runs(struct world *w)
{
	const char *err;
	u32 nr;

	device_completes(w);
	if (w->dev_asleep && !w->kicked)
		return w->nr_queue ? "device sleeps with a chain waiting" : NULL;
	w->dev_asleep = false;
	w->kicked = false;
	if (rnd(w, 2))
		vdpa_ring_kick_disable(w->d.ring);
	for (nr = rnd(w, 6); nr; nr--) {
		err = device_fetches(w);
		if (err)
			return err;
	}
	if (!w->nr_queue) {
		w->dev_asleep = !vdpa_ring_kick_enable(w->d.ring);
		if (!w->dev_asleep)
			return "kicks are enabled but there is said to be more";
	} else if (!rnd(w, 4) && !vdpa_ring_kick_enable(w->d.ring)) {
		return "chains are waiting, but there is said to be none";
	}
	return NULL;
}

static const char *driver_reaps(struct world *w)
{
	while (w->d.used_seen != drv_used_idx(&w->d)) {
		struct vring_used_elem *e;
		struct model_chain *c;
		u32 id, pos = 0, i;
		u8 in[SLOT];

		e = &w->d.used->ring[w->d.used_seen++ % w->d.size];
		id = le32_to_cpu(e->id);
		if (id >= w->d.size || !w->chain[id].nr_desc)
			return "used element names no chain";
		c = &w->chain[id];
		if (le32_to_cpu(e->len) != c->written)
			return "used element has another length";
		/* The writable bytes lie behind the readable ones. */
		drv_copy(w, BASE_IOVA + id * SLOT + TABLE_SLOT + c->out_len,
			 in, c->written, false);
		for (pos = 0; pos < c->written; pos++)
			if (in[pos] != c->in[pos])
				return "written bytes differ";
		for (i = 0; i < c->nr_desc; i++)
			w->desc_used[c->desc[i]] = false;
		w->nr_free += c->nr_desc;
		c->nr_desc = 0;
		w->done++;
	}
	return NULL;
}

static const char *driver_runs(struct world *w)
{
	u16 news = drv_used_idx(&w->d) - w->d.used_seen;
	const char *err;

	if (w->drv_asleep && !w->called) {
		if (news > w->drv_delay)
			return "driver sleeps, not called";
		if (!rnd(w, 4))
			driver_offers(w);
		return NULL;
	}
	w->drv_asleep = false;
	w->called = false;
	if (!(w->d.features & DRV_EVENT_IDX))
		w->d.avail->flags = cpu_to_le16(VRING_AVAIL_F_NO_INTERRUPT);
	err = driver_reaps(w);
	if (err)
		return err;
	driver_offers(w);
	if (rnd(w, 2))
		return NULL;
	w->drv_delay = 0;
	if (w->d.features & DRV_EVENT_IDX) {
		if (w->nr_queue + w->nr_flight)
			w->drv_delay = rnd(w, w->nr_queue + w->nr_flight);
		drv_set_used_event(&w->d, w->d.used_seen + w->drv_delay);
	} else {
		w->d.avail->flags = 0;
	}
	w->drv_asleep = true;
	return NULL;
}

static const char *play(u32 seed, u64 *done)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *err = NULL;
	u64 features = 0;
	u32 i, size;

	w->rand = seed * 2654435761U + 1;
	for (i = 0; i < 8; i++)
		rnd(w, 2);
	size = 1U << rnd(w, 7);
	features |= rnd(w, 2) ? DRV_INDIRECT : 0;
	features |= rnd(w, 2) ? DRV_EVENT_IDX : 0;
	if (drv_init(&w->d, size, features))
		abort();
	w->nr_free = size;
	map_randomly(w);
	if (drv_set_base(&w->d, rnd(w, 4) ? rnd(w, 65536) : 65536 - size))
		abort();
	if (vdpa_ring_kick_enable(w->d.ring))
		err = "an empty ring is said to have a chain";
	w->dev_asleep = true;

	for (i = 0; i < 600 && !err; i++)
		err = rnd(w, 2) ? driver_runs(w) : device_runs(w);
	*done += w->done;
	drv_fini(&w->d);
	free(w);
	return err;
}

TEST(random_traffic_arrives_and_nobody_oversleeps)
{
	const char *one = getenv("RING_SEED"), *many = getenv("RING_SEEDS");
	u32 seed = one ? strtoul(one, NULL, 0) : 0;
	u32 nr = one ? 1 : many ? strtoul(many, NULL, 0) : 2000;
	u64 done = 0;

	for (; nr; nr--, seed++) {
		const char *err = play(seed, &done);

		ASSERT_EQ(NULL, err) {
			TH_LOG("RING_SEED=%u: %s", seed, err);
		}
	}
	/* or it was no traffic */
	EXPECT_LT(one ? 0 : 10, done);
	TH_LOG("%llu chains", (unsigned long long)done);
}

TEST_HARNESS_MAIN
