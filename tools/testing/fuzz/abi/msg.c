// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB messages: drawn so that they meet what is mapped, what each must answer
 * and what it leaves mapped.
 */
#include "random.h"

#include <string.h>
#include <sys/uio.h>

static const char *const type_name[] = {
	"0", "miss", "update", "invalidate", "access_fail", "batch_begin",
	"batch_end",
};

int caller_check(bool stranger)
{
	return m.owner == (stranger ? STRANGER : SELF) ? 0 : -EPERM;
}

/* An address that means something in @as, or the edge of the world. */
static uint64_t iova_draw(const struct space *as)
{
	const struct piece *piece;
	struct rng *rng = &w.rng;

	if (as->map.nr && rng_percent(rng, 50)) {
		piece = &as->map.at[rng_below(rng, as->map.nr)];
		return rng_pick(rng, piece->first, piece->last,
				piece->last + 1, piece->first - 1,
				piece->first - PAGE, piece->first & -PAGE,
				as->map.at[0].first,
				as->map.at[as->map.nr - 1].last + 1);
	}
	switch (rng_below(rng, 16)) {
	case 0:
		return rng_pick(rng, 0UL, UINT64_MAX, -PAGE, -16 * PAGE,
				-PAGE + 1, m.shape.iova_first,
				m.shape.iova_first - 1, m.shape.iova_last,
				m.shape.iova_last - PAGE + 1, 1UL << 63);
	case 1:
		return rng_next(rng);
	default:
		return m.shape.iova_first / PAGE * PAGE +
		       rng_below(rng, 96) * PAGE;
	}
}

static uint64_t size_draw(uint64_t left)
{
	struct rng *rng = &w.rng;

	switch (rng_below(rng, 20)) {
	case 0:
		return rng_pick(rng, 0UL, 1UL, PAGE - 1, PAGE + 1, UINT64_MAX,
				1UL << 63, 1UL << 40, -PAGE, 0x400000UL);
	case 1:
		return rng_below(rng, 4 * PAGE);
	case 2:
		return left;
	case 3:
		return rng_next(rng) >> rng_below(rng, 64);
	default:
		return (1 + rng_below(rng, rng_pick(rng, 2, 8, 24))) * PAGE;
	}
}

static void update_draw(const struct space *as, struct vhost_iotlb_msg *msg)
{
	struct rng *rng = &w.rng;
	uint64_t left;

	msg->uaddr = arena_draw(rng, &left);
	msg->iova = iova_draw(as);
	msg->size = size_draw(left);
	/* What would wrap ends at the last byte more often. */
	if (msg->iova + msg->size < msg->iova && rng_percent(rng, 70))
		msg->size = -msg->iova;
	msg->perm = rng_percent(rng, 98) ? 1 + rng_below(rng, 3) :
		    rng_pick(rng, 0, 4, 7, 255);
	switch (rng_below(rng, 10)) {
	case 0:
		msg->uaddr += rng_below(rng, PAGE);
		break;
	case 1:	/* Both in the middle of a page, at the same place. */
		left = rng_below(rng, PAGE);
		msg->iova += left;
		msg->uaddr += left;
		break;
	case 2:
		if (rng_percent(rng, 20))
			msg->uaddr = rng_pick(rng, 0UL, UINT64_MAX, 1UL << 46,
					      1UL << 47, arena_user_max(),
					      0xffff888000000000UL);
		break;
	}
}

/* Mostly from and to where a piece begins or ends. */
static void invalidate_draw(const struct space *as,
			    struct vhost_iotlb_msg *msg)
{
	struct rng *rng = &w.rng;
	uint64_t a = iova_draw(as), b = iova_draw(as);

	msg->iova = a;
	if (rng_percent(rng, 4)) {
		msg->iova = 0;
		msg->size = UINT64_MAX;
	} else if (as->map.nr && rng_percent(rng, 70)) {
		msg->iova = a < b ? a : b;
		msg->size = a < b ? b - a : a - b;
		if (msg->size > 64 * PAGE && rng_percent(rng, 80))
			msg->size = PAGE;
	} else {
		msg->size = size_draw(PAGE);
	}
}

static void msg_draw(struct vhost_msg_v2 *msg)
{
	struct rng *rng = &w.rng;
	struct space *as;

	memset(msg, 0, sizeof(*msg));
	msg->type = rng_percent(rng, 97) ?
		    rng_pick(rng, VHOST_IOTLB_MSG_V2, VHOST_IOTLB_MSG_V2,
			     VHOST_IOTLB_MSG_V2, VHOST_IOTLB_MSG) :
		    rng_pick(rng, 0, 3, 0x80000001);
	msg->asid = rng_percent(rng, 97) ? rng_below(rng, m.shape.nas) :
		    rng_pick(rng, m.shape.nas, m.shape.nas + 1, UINT32_MAX);
	if (msg->type == VHOST_IOTLB_MSG)
		msg->asid = rng_percent(rng, 50) ? rng_next(rng) : 0;
	as = &m.as[msg->asid % m.shape.nas];
	if (rng_percent(rng, 3))
		msg->iotlb.type = rng_pick(rng, 0, 1, 4, 7, 255);
	else
		msg->iotlb.type = rng_pick(rng, VHOST_IOTLB_UPDATE,
					   VHOST_IOTLB_UPDATE,
					   VHOST_IOTLB_UPDATE,
					   VHOST_IOTLB_UPDATE,
					   VHOST_IOTLB_INVALIDATE,
					   VHOST_IOTLB_INVALIDATE,
					   VHOST_IOTLB_INVALIDATE,
					   VHOST_IOTLB_BATCH_BEGIN,
					   VHOST_IOTLB_BATCH_END);
	if (msg->iotlb.type == VHOST_IOTLB_UPDATE)
		update_draw(as, &msg->iotlb);
	else
		invalidate_draw(as, &msg->iotlb);
}

/* Pages that the model has charged to this process, and @more, are too many. */
static bool over_limit(uint64_t more)
{
	return m.shape.memlock && !takes_va() &&
	       pinned_model() + more > m.shape.memlock;
}

static int update_check(const struct space *as,
			const struct vhost_iotlb_msg *msg)
{
	uint64_t first = msg->iova, last = first + msg->size - 1;

	if (msg->iova < m.shape.iova_first || last > m.shape.iova_last)
		return -EINVAL;
	if (!msg->perm || msg->perm > VHOST_ACCESS_RW)
		return -EINVAL;
	if (msg->uaddr + msg->size < msg->uaddr ||
	    msg->uaddr + msg->size > arena_user_max())
		return -EFAULT;
	if (m.shape.mapping == MAP_IOMMU) {
		/* It maps whole pages. */
		if (msg->iova % PAGE != msg->uaddr % PAGE)
			return -EINVAL;
		first &= -PAGE;
		last |= PAGE - 1;
	}
	if (space_overlaps(as, first, last))
		return -EEXIST;
	if (over_limit((msg->uaddr % PAGE + msg->size - 1) / PAGE + 1))
		return -ENOMEM;
	return arena_check(msg->uaddr, msg->size, msg->perm, takes_va());
}

/* It is then offered the one before, which it takes unless it refuses all. */
int model_refused(struct space *as, uint64_t pages)
{
	if (m.inject_nth) {
		space_commit(as);
	} else {
		as->uncommitted = true;
		as->limbo += pages;
	}
	return m.inject;
}

/* @got is what the call answered: a parent may be asked often, or once. */
static int update_model(struct space *as, const struct vhost_iotlb_msg *msg,
			int got)
{
	uint64_t pages = (msg->uaddr % PAGE + msg->size - 1) / PAGE + 1;
	int err = update_check(as, msg);

	if (err)
		return err;
	if (has_table() && !as->in_batch && m.inject)
		return model_refused(as, pages);
	/* How many calls memory takes depends on where it lies. */
	if (!has_table() && m.inject &&
	    (m.inject_nth <= 1 || got == m.inject))
		return m.inject;
	if (got)
		return 0;
	space_add(as, msg);
	if (!has_table() || !as->in_batch)
		space_commit(as);
	else
		as->uncommitted = true;
	return 0;
}

static int invalidate_model(struct space *as,
			    const struct vhost_iotlb_msg *msg)
{
	uint64_t first = msg->iova, last = first + msg->size - 1, pages;

	if (!first && msg->size == UINT64_MAX)
		last = UINT64_MAX;
	if (!space_can_cut(as, first) ||
	    (last != UINT64_MAX && !space_can_cut(as, last + 1)))
		return -EINVAL;
	if (!space_overlaps(as, first, last))
		return 0;
	if (m.inject && !has_table())
		return m.inject;
	if (m.inject && !as->in_batch)
		return model_refused(as, 0);
	pages = space_remove(as, first, last);
	if (!has_table() || !as->in_batch) {
		space_commit(as);
	} else {
		as->uncommitted = true;
		as->limbo += pages;
	}
	return 0;
}

int model_end_batch(struct space *as)
{
	as->in_batch = false;
	if (!as->uncommitted)
		return 0;
	if (m.inject) {
		int err = m.inject;

		if (m.inject_nth)
			m.inject = 0;
		return err;
	}
	space_commit(as);
	return 0;
}

static int msg_model(const struct vhost_msg_v2 *msg, bool stranger, int got)
{
	const struct vhost_iotlb_msg *iotlb = &msg->iotlb;
	bool range = iotlb->type == VHOST_IOTLB_UPDATE ||
		     iotlb->type == VHOST_IOTLB_INVALIDATE;
	uint32_t asid = 0;
	struct space *as;

	if (caller_check(stranger))
		return -EPERM;
	if (msg->type != VHOST_IOTLB_MSG && msg->type != VHOST_IOTLB_MSG_V2)
		return -EINVAL;
	if (!range && iotlb->type != VHOST_IOTLB_BATCH_BEGIN &&
	    iotlb->type != VHOST_IOTLB_BATCH_END)
		return -EINVAL;
	if (msg->type == VHOST_IOTLB_MSG_V2 &&
	    m.backend & BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID))
		asid = msg->asid;
	if (asid >= m.shape.nas)
		return -EINVAL;
	as = &m.as[asid];
	if (range && (!iotlb->size ||
		      iotlb->iova + (iotlb->size - 1) < iotlb->iova))
		return -EINVAL;
	switch (iotlb->type) {
	case VHOST_IOTLB_UPDATE:
		return update_model(as, iotlb, got);
	case VHOST_IOTLB_INVALIDATE:
		return invalidate_model(as, iotlb);
	case VHOST_IOTLB_BATCH_BEGIN:
		as->in_batch = true;
		return 0;
	default:
		return model_end_batch(as);
	}
}

static void msg_inject(const struct vhost_msg_v2 *msg)
{
	if (!m.shape.mock || m.gone || m.shape.mapping == MAP_IOMMU ||
	    !rng_percent(&w.rng, 6))
		return;
	if (has_table())
		inject_arm("set_map", rng_percent(&w.rng, 70));
	else if (msg->iotlb.type == VHOST_IOTLB_UPDATE)
		inject_arm("dma_map", rng_pick(&w.rng, 0, 1, 2, 3, 5, 9));
	else if (msg->iotlb.type == VHOST_IOTLB_INVALIDATE)
		inject_arm("dma_unmap", rng_percent(&w.rng, 50));
}

/* In what length and from where. */
static int write_check(const struct buffer *buf, size_t len, size_t full)
{
	if (buf->not_user)
		return -EFAULT;
	if (m.gone)
		return -ENODEV;
	if (len != full)
		return -EINVAL;
	return buf->can_read < full ? -EFAULT : 0;
}

void msg_step(void)
{
	struct vhost_msg_v2 msg;
	struct buffer buf = buffer_draw(&w.rng, sizeof(msg));
	struct call call = {
		.is_write = true, .fd = w.dev.fd, .ptr = buf.ptr,
		.len = sizeof(msg),
		.stranger = rng_percent(&w.rng, 3),
	};
	const char *name;
	int want, got;
	long ret;

	msg_draw(&msg);
	/* Its memory is its own, and nothing here knows where that is. */
	if (m.owner == STRANGER && msg.iotlb.type == VHOST_IOTLB_UPDATE)
		call.stranger = false;
	if (rng_percent(&w.rng, 2))
		call.len = rng_pick(&w.rng, 0, 1, 8, 64, 71, 73, 144);
	memcpy(buf.data, &msg, buf.can_read);
	msg_inject(&msg);
	ret = call_run(&call);
	got = ret < 0 ? ret : 0;
	if (!got && ret != sizeof(msg))
		fail("a message of %zu bytes writes %ld", sizeof(msg), ret);
	want = write_check(&buf, call.len, sizeof(msg)) ?:
	       msg_model(&msg, call.stranger, got);
	name = msg.iotlb.type < ARRAY_SIZE(type_name) ?
	       type_name[msg.iotlb.type] : "?";
	expect(want, got,
	       "%s%s v%d as %u iova %#llx size %#llx uaddr %#llx perm %u len %zu",
	       call.stranger ? "stranger: " : "", name, msg.type,
	       msg.type == VHOST_IOTLB_MSG ? 0 : msg.asid, msg.iotlb.iova,
	       msg.iotlb.size, msg.iotlb.uaddr, msg.iotlb.perm, call.len);
	inject_disarm();
}
