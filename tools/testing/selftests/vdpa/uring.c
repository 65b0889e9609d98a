// SPDX-License-Identifier: GPL-2.0-only
/*
 * The character device and io_uring: IOTLB messages can be written through
 * one, and a device that takes addresses of the process does not take the
 * memory of one, which could hold the device's own file.
 */
#include "common.h"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dev.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

struct uring {
	int fd;
	struct io_uring_params params;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqes;
};

static bool uring_open(struct uring *ring)
{
	int prot = PROT_READ | PROT_WRITE;
	struct io_uring_params *p = &ring->params;

	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(SYS_io_uring_setup, 4, p);
	if (ring->fd < 0)
		return false;
	ring->sq = mmap(NULL, SZ_4K, prot, MAP_SHARED, ring->fd,
			IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, SZ_4K, prot, MAP_SHARED, ring->fd,
			IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, SZ_4K, prot, MAP_SHARED, ring->fd,
			  IORING_OFF_SQES);
	return ring->sq != MAP_FAILED && ring->cq != MAP_FAILED &&
	       ring->sqes != MAP_FAILED;
}

static uint32_t *at(char *ring, uint32_t offset)
{
	return (uint32_t *)(ring + offset);
}

/* Write @msg to @fd and wait; what write() would have said, -errno if bad. */
static int uring_write(struct uring *ring, int fd, const void *msg,
		       unsigned int len, unsigned int flags)
{
	struct io_uring_params *p = &ring->params;
	uint32_t *tail = at(ring->sq, p->sq_off.tail);
	uint32_t *head = at(ring->cq, p->cq_off.head);
	struct io_uring_cqe *cqe =
		(struct io_uring_cqe *)(ring->cq + p->cq_off.cqes);

	memset(ring->sqes, 0, sizeof(*ring->sqes));
	ring->sqes->opcode = IORING_OP_WRITE;
	ring->sqes->flags = flags;
	ring->sqes->fd = fd;
	ring->sqes->addr = (uintptr_t)msg;
	ring->sqes->len = len;
	at(ring->sq, p->sq_off.array)[*tail % p->sq_entries] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1,
		    IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	cqe += *head % p->cq_entries;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return cqe->res;
}

FIXTURE(uring) {
	struct mockdev dev;
	struct uring ring;
};

FIXTURE_VARIANT(uring) {
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(uring, inline) { 0 };
FIXTURE_VARIANT_ADD(uring, async) { IOSQE_ASYNC };

FIXTURE_SETUP(uring)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	if (!uring_open(&self->ring))
		SKIP(return, "no io_uring");
}

FIXTURE_TEARDOWN(uring)
{
	close(self->ring.fd);
	EXPECT_STREQ("", mock_del(&self->dev));
}

TEST_F_TIMEOUT(uring, write_completes, 30)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2, .iotlb = {
			.type = VHOST_IOTLB_UPDATE, .iova = 0x1000,
			.size = SZ_4K, .perm = VHOST_ACCESS_RW,
		},
	};

	ASSERT_EQ(0, mock_own(&self->dev, "mapping=dma_map"));
	msg.iotlb.uaddr = (uintptr_t)mem_anon(SZ_4K);
	EXPECT_EQ(sizeof(msg), uring_write(&self->ring, self->dev.fd, &msg,
					   sizeof(msg), variant->flags));
	EXPECT_STREQ("0 0x1000 0x1fff 3\n", mock_map(&self->dev));
	EXPECT_EQ(-EEXIST, uring_write(&self->ring, self->dev.fd, &msg,
				       sizeof(msg), variant->flags));
}

TEST_F(uring, memory_of_a_ring_is_refused)
{
	ASSERT_EQ(0, mock_own(&self->dev, "mapping=va"));
	EXPECT_ERRNO(EINVAL, iotlb_map(self->dev.fd, 0, 0, SZ_4K,
				       self->ring.sqes, VHOST_ACCESS_RW));
}

TEST_HARNESS_MAIN
