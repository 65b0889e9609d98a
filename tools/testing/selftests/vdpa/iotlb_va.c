// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB messages for a parent that works on addresses of the process
 * (use_va), on vdpa_mock: shared mappings of files reach it with their
 * address, anything else is refused and not left out in silence.
 */
#include "common.h"

#include "dev.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

#define RW		VHOST_ACCESS_RW
#define MEM_SIZE	SZ_64K
#define MAX_FILES	65536	/* mappings in an address space */

FIXTURE(iotlb_va) {
	struct mockdev dev;
	int fd;
	char *mem;		/* MEM_SIZE, shared */
};

FIXTURE_VARIANT(iotlb_va) {
	const char *knobs;
};

FIXTURE_VARIANT_ADD(iotlb_va, dma_map) { "mapping=va" };
FIXTURE_VARIANT_ADD(iotlb_va, set_map) { "mapping=set_map_va" };

FIXTURE_SETUP(iotlb_va)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	self->mem = mem_memfd(MEM_SIZE);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, mock_own(&self->dev, variant->knobs));
	self->fd = self->dev.fd;
}

FIXTURE_TEARDOWN(iotlb_va)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

/* Whether the map has a range "asid first last addr perm". */
static bool has_range(struct mockdev *dev, uint64_t first, uint64_t last,
		      const void *mem)
{
	char line[128];

	snprintf(line, sizeof(line), "0 %#lx %#lx %#lx 3\n", first, last,
		 (uintptr_t)mem);
	return strstr(mock_read(dev, "map"), line);
}

TEST_F(iotlb_va, owner_is_bound_until_the_file_is_closed)
{
	EXPECT_EQ(1, mock_state(&self->dev, "mm"));
	EXPECT_TRUE(mock_called(&self->dev, "bind_mm 0x1"));
	close(self->fd);
	self->dev.fd = -1;
	EXPECT_EQ(0, mock_state(&self->dev, "mm"));
}

TEST_F(iotlb_va, parent_that_cannot_bind_has_no_owner)
{
	close(self->fd);
	self->dev.fd = vhost_open(self->dev.name);
	self->fd = self->dev.fd;
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "bind_mm errno 12 1"));
	EXPECT_ERRNO(ENOMEM, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(EPERM, iotlb_map(self->fd, 0, 0, MEM_SIZE, self->mem, RW));
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
}

TEST_F(iotlb_va, shared_memory_is_mapped_at_its_address)
{
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x10000, MEM_SIZE, self->mem,
				  RW));
	EXPECT_TRUE(has_range(&self->dev, 0x10000, 0x1ffff, self->mem));
	/* Nothing is pinned: the parent follows the page tables. */
	EXPECT_EQ(0, status_kib("VmPin"));
	ASSERT_ERRNO(0, iotlb_unmap(self->fd, 0, 0x10000, MEM_SIZE));
	EXPECT_STREQ("", mock_map(&self->dev));
}

TEST_F(iotlb_va, invalidate_of_a_page_keeps_the_rest)
{
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x10000, MEM_SIZE, self->mem,
				  RW));
	ASSERT_ERRNO(0, iotlb_unmap(self->fd, 0, 0x14000, SZ_4K));
	EXPECT_TRUE(has_range(&self->dev, 0x10000, 0x13fff, self->mem));
	EXPECT_TRUE(has_range(&self->dev, 0x15000, 0x1ffff,
			      self->mem + 0x5000));
}

/* Where the pages of the memory end, wherever it was mapped to. */
TEST_F(iotlb_va, invalidate_cuts_where_a_page_ends)
{
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x10000, 2 * SZ_4K,
				  self->mem + 0x100, RW));
	EXPECT_ERRNO(EINVAL, iotlb_unmap(self->fd, 0, 0x11000, SZ_4K));
	EXPECT_ERRNO(0, iotlb_unmap(self->fd, 0, 0x10f00, 0x1100));
	EXPECT_TRUE(has_range(&self->dev, 0x10000, 0x10eff,
			      self->mem + 0x100));
}

/* Upstream says yes and maps nothing. */
TEST_F(iotlb_va, private_memory_is_refused)
{
	char *mem = mem_anon(MEM_SIZE);

	EXPECT_ERRNO(EINVAL, iotlb_map(self->fd, 0, 0, MEM_SIZE, mem, RW));
	EXPECT_STREQ("", mock_map(&self->dev));
	munmap(mem, MEM_SIZE);
}

TEST_F(iotlb_va, shared_memory_that_may_not_be_written_is_refused)
{
	ASSERT_EQ(0, mprotect(self->mem, MEM_SIZE, PROT_READ));
	EXPECT_ERRNO(EINVAL, iotlb_map(self->fd, 0, 0, MEM_SIZE, self->mem,
				       RW));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 0, 0, MEM_SIZE, self->mem,
				  VHOST_ACCESS_RO));
}

/*
 * Upstream maps a wrong part of the file when the range starts in a hole, and
 * drops every mapping when the failing one starts at IOVA 0.
 */
TEST_F(iotlb_va, hole_is_efault_and_drops_nothing)
{
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x100000, SZ_4K, self->mem, RW));
	ASSERT_EQ(0, munmap(self->mem + 4 * SZ_4K, SZ_4K));
	EXPECT_ERRNO(EFAULT, iotlb_map(self->fd, 0, 0, SZ_4K,
				       self->mem + 4 * SZ_4K, RW));
	EXPECT_ERRNO(EFAULT, iotlb_map(self->fd, 0, 0, 2 * SZ_4K,
				       self->mem + 4 * SZ_4K, RW));
	EXPECT_ERRNO(EFAULT, iotlb_map(self->fd, 0, 0, MEM_SIZE, self->mem,
				       RW));
	EXPECT_STREQ("0 0x100000 0x100fff 3\n", mock_map(&self->dev));
}

TEST_F(iotlb_va, range_over_two_files_is_two_ranges)
{
	char *other = mem_memfd(SZ_4K);

	ASSERT_EQ(self->mem + SZ_4K,
		  mremap(other, SZ_4K, SZ_4K, MREMAP_MAYMOVE | MREMAP_FIXED,
			 self->mem + SZ_4K));
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0x10000, MEM_SIZE, self->mem,
				  RW));
	EXPECT_STREQ("0 0x10000 0x1ffff 3\n", mock_map(&self->dev));
	EXPECT_TRUE(has_range(&self->dev, 0x10000, 0x10fff, self->mem));
	EXPECT_TRUE(has_range(&self->dev, 0x11000, 0x11fff,
			      self->mem + SZ_4K));
	ASSERT_ERRNO(0, iotlb_unmap(self->fd, 0, 0, UINT64_MAX));
	EXPECT_STREQ("", mock_map(&self->dev));
}

/* Each holds its file. */
TEST_F_TIMEOUT(iotlb_va, file_mappings_have_a_limit_of_their_own, 120)
{
	uint64_t at = 0, end = MAX_FILES * SZ_64K;
	int fd = self->fd;

	ASSERT_ERRNO(0, iotlb_batch(fd, 0, VHOST_IOTLB_BATCH_BEGIN));
	while (at < end && !iotlb_map(fd, 0, at, MEM_SIZE, self->mem, RW))
		at += SZ_64K;
	ASSERT_EQ(end, at);
	ASSERT_ERRNO(0, iotlb_batch(fd, 0, VHOST_IOTLB_BATCH_END));
	EXPECT_ERRNO(ENOSPC, iotlb_map(fd, 0, end, SZ_4K, self->mem, RW));
	/* A cut would be one more. */
	EXPECT_ERRNO(ENOSPC, iotlb_unmap(fd, 0, SZ_4K, SZ_4K));
	EXPECT_ERRNO(0, iotlb_unmap(fd, 0, 0, SZ_64K));
	EXPECT_ERRNO(0, iotlb_map(fd, 0, end, SZ_4K, self->mem, RW));
	ASSERT_ERRNO(0, iotlb_unmap(fd, 0, 0, UINT64_MAX));
	EXPECT_STREQ("", mock_map(&self->dev));
}

TEST_F(iotlb_va, device_goes_while_memory_is_mapped)
{
	ASSERT_ERRNO(0, iotlb_map(self->fd, 0, 0, MEM_SIZE, self->mem, RW));
	ASSERT_EQ(0, vdpa_del(self->dev.name));
	EXPECT_ERRNO(ENODEV, iotlb_unmap(self->fd, 0, 0, UINT64_MAX));
}

TEST_HARNESS_MAIN
