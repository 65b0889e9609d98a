/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of the tests of IOTLB messages: a device of vdpa_mock with an
 * owner, once with each way a parent may map and a client may ask.
 */
#ifndef VDPA_SELFTESTS_IOTLB_H
#define VDPA_SELFTESTS_IOTLB_H

#include "common.h"
#include "dev.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

#define RW	VHOST_ACCESS_RW

FIXTURE(iotlb) {
	struct mockdev dev;
	int fd;
	char *mem;		/* 16 pages */
};

FIXTURE_VARIANT(iotlb) {
	const char *mapping;
	bool batch;
	uint32_t version;
};

FIXTURE_VARIANT_ADD(iotlb, dma_map) { "mapping=dma_map", false, 2 };
FIXTURE_VARIANT_ADD(iotlb, dma_map_v1) { "mapping=dma_map", false, 1 };
FIXTURE_VARIANT_ADD(iotlb, dma_map_batch) { "mapping=dma_map", true, 2 };
FIXTURE_VARIANT_ADD(iotlb, set_map) { "mapping=set_map", false, 2 };
FIXTURE_VARIANT_ADD(iotlb, set_map_batch) { "mapping=set_map", true, 2 };

#define MEM_SIZE	(16 * SZ_4K)

FIXTURE_SETUP(iotlb)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	self->mem = mem_anon(MEM_SIZE);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, mock_own(&self->dev, variant->mapping));
	self->fd = self->dev.fd;
}

FIXTURE_TEARDOWN(iotlb)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

/* Another device than that of the fixture: its file. */
static inline int again(struct __test_metadata *_metadata, struct mockdev *dev,
			const char *mapping, const char *knobs)
{
	char all[256];

	snprintf(all, sizeof(all), "%s %s", mapping, knobs);
	ASSERT_STREQ("", mock_del(dev));
	ASSERT_EQ(0, mock_own(dev, all));
	return dev->fd;
}

/* One message, maybe in a batch; the errno of what failed first. */
static inline int send_msg(int fd, uint32_t version, bool batch,
			   struct vhost_iotlb_msg msg)
{
	struct iotlb_req begin = {
		.version = version, .msg.type = VHOST_IOTLB_BATCH_BEGIN,
	};
	struct iotlb_req end = {
		.version = version, .msg.type = VHOST_IOTLB_BATCH_END,
	};
	struct iotlb_req req = { .version = version, .msg = msg };
	int err, last = 0;

	if (batch && iotlb_send(fd, &begin))
		return errno;
	err = errno_of(iotlb_send(fd, &req));
	if (batch)
		last = errno_of(iotlb_send(fd, &end));
	return err ?: last;
}

/* As the variant has it. */
#define SEND(...)							\
	send_msg(self->fd, variant->version, variant->batch,		\
		 (struct vhost_iotlb_msg) { __VA_ARGS__ })
#define MAP(_iova, _size, _mem, _perm)					\
	SEND(.type = VHOST_IOTLB_UPDATE, .iova = (_iova),		\
	     .size = (_size), .uaddr = (uintptr_t)(_mem), .perm = (_perm))
#define UNMAP(_iova, _size)						\
	SEND(.type = VHOST_IOTLB_INVALIDATE, .iova = (_iova), .size = (_size))

#endif /* VDPA_SELFTESTS_IOTLB_H */
