// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB messages as user space writes them (drivers/vhost/iotlb_msg.c). What
 * lies behind is told of a message only if all that it says is within bounds;
 * that is worked out here once more, with numbers that do not wrap.
 */
#include "hostile.h"

#include "../../../drivers/vhost/vhost_vdpa.h"

#define MAX_AS		4
#define USER_END	((1ULL << 47) - PAGE_SIZE)

#define u128	unsigned __int128

struct task task_self;

static struct vhost_vdpa vdpa_node;
static struct vhost_vdpa_as spaces[MAX_AS];
static bool gone;

/* The last message that came through: to whom, and which handler. */
static struct vhost_vdpa_as *told_as;
static u32 told_type;

static int tell(u32 type, struct vhost_vdpa_as *as, u32 owner)
{
	assert(owner == vdpa_node.owner_nr);
	told_as = as;
	told_type = type;
	return 0;
}

int vhost_vdpa_as_update(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			 const struct vhost_iotlb_msg *msg, u32 owner)
{
	return tell(VHOST_IOTLB_UPDATE, as, owner);
}

int vhost_vdpa_as_invalidate(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			     const struct vhost_iotlb_msg *msg, u32 owner)
{
	return tell(VHOST_IOTLB_INVALIDATE, as, owner);
}

int vhost_vdpa_as_batch_begin(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			      const struct vhost_iotlb_msg *msg, u32 owner)
{
	return tell(VHOST_IOTLB_BATCH_BEGIN, as, owner);
}

int vhost_vdpa_as_batch_end(struct vhost_vdpa *v, struct vhost_vdpa_as *as,
			    const struct vhost_iotlb_msg *msg, u32 owner)
{
	return tell(VHOST_IOTLB_BATCH_END, as, owner);
}

bool vdpa_gate_is_closed(struct vdpa_gate *gate)
{
	return gone;
}

bool access_ok(const void *p, u64 size)
{
	return (u128)(uintptr_t)p + size <= USER_END;
}

static bool is_user_memory(const struct vhost_iotlb_msg *msg)
{
	return (u128)msg->uaddr + msg->size <= USER_END;
}

static int expect_memory(const struct vhost_iotlb_msg *msg)
{
	u128 last = (u128)msg->iova + msg->size - 1;

	if (msg->iova < vdpa_node.range.first || last > vdpa_node.range.last)
		return -EINVAL;
	if (msg->perm < VHOST_ACCESS_RO || msg->perm > VHOST_ACCESS_RW)
		return -EINVAL;
	return is_user_memory(msg) ? 0 : -EFAULT;
}

/* What is to come of a message, and in which address space. */
static int expect(const struct vhost_msg_v2 *msg, u32 *asid)
{
	const struct vhost_iotlb_msg *iotlb = &msg->iotlb;
	bool v2 = msg->type == VHOST_IOTLB_MSG_V2;

	if (gone)
		return -ENODEV;
	if (vdpa_node.mm != task_self.mm)
		return -EPERM;
	if (!v2 && msg->type != VHOST_IOTLB_MSG)
		return -EINVAL;
	*asid = v2 && vdpa_node.backend_features &
		BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID) ? msg->asid : 0;
	if (*asid >= vdpa_node.nas)
		return -EINVAL;
	switch (iotlb->type) {
	case VHOST_IOTLB_BATCH_BEGIN:
	case VHOST_IOTLB_BATCH_END:
		return 0;
	case VHOST_IOTLB_UPDATE:
	case VHOST_IOTLB_INVALIDATE:
		if (!iotlb->size ||
		    (u128)iotlb->iova + iotlb->size > (u128)U64_MAX + 1)
			return -EINVAL;
		return iotlb->type == VHOST_IOTLB_UPDATE ?
			expect_memory(iotlb) : 0;
	default:
		return -EINVAL;
	}
}

static void check_message(const struct vhost_msg_v2 *msg, size_t len)
{
	struct file file = { .private_data = &vdpa_node };
	struct kiocb iocb = { .ki_filp = &file };
	struct iov_iter from = { .from = msg, .count = len };
	u32 asid = 0;
	int want = expect(msg, &asid);
	ssize_t ret;

	if (want != -ENODEV && len != sizeof(*msg))
		want = -EINVAL;
	told_as = NULL;
	ret = vhost_vdpa_write_iter(&iocb, &from);
	if (want) {
		assert(ret == want && !told_as);
		return;
	}
	assert(ret == sizeof(*msg));
	assert(told_as == &spaces[asid] && told_type == msg->iotlb.type);
}

/* A number near one that means something. */
static u64 get_near(void)
{
	static const u64 base[] = {
		0, PAGE_SIZE, BIT_ULL(30), USER_END, BIT_ULL(63), U64_MAX,
	};
	u8 sel = get8();

	return base[sel % ARRAY_SIZE(base)] + (sel & 0x80 ? get16() : get8()) -
	       128;
}

static void get_message(struct vhost_msg_v2 *msg)
{
	u8 how = get8();

	memset(msg, 0, sizeof(*msg));
	msg->type = how & 1 ? VHOST_IOTLB_MSG_V2 : get8() % 4;
	msg->asid = how & 2 ? get32() : get8() % MAX_AS;
	msg->iotlb.type = how & 4 ? get8() : get8() % 8;
	msg->iotlb.perm = how & 8 ? get8() : get8() % 4;
	msg->iotlb.iova = get_near();
	msg->iotlb.size = get_near();
	msg->iotlb.uaddr = get_near();
}

static void setup(void)
{
	u8 how = get8();

	vdpa_node = (struct vhost_vdpa) {
		.nas = 1 + how % MAX_AS, .as = spaces, .mm = task_self.mm,
		.owner_nr = get8(), .range.last = U64_MAX,
	};
	if (how & 0x10)
		vdpa_node.backend_features =
			BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID);
	if (how & 0x20) {
		vdpa_node.range.first = get_near();
		vdpa_node.range.last = get_near();
	}
	if (how & 0x40)
		vdpa_node.mm = (void *)&how;
	gone = how & 0x80;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct vhost_msg_v2 msg;

	input_begin(data, size);
	setup();
	while (input_left()) {
		get_message(&msg);
		check_message(&msg, sizeof(msg));
		check_message(&msg, get8() % sizeof(msg));
	}
	vdpa_node.mm = NULL;
	return 0;
}
