// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB messages for memory of every shape: what vhost_vdpa keeps of it in
 * runs of pages, and does not look at page by page, must be what the process
 * has there. vdpa_mock checks that no page is unpinned before its time.
 */
#include "common.h"

#include <sys/mman.h>

#include "dev.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

#define RW	VHOST_ACCESS_RW
#define IOVA	0x40000000UL

/* More runs than fit the first two chunks of a region. */
#define PAGES	1301

FIXTURE(iotlb_mem) {
	struct mockdev dev;
};

FIXTURE_SETUP(iotlb_mem)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_own(&self->dev, "mapping=dma_map"));
}

FIXTURE_TEARDOWN(iotlb_mem)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

/* Cut page by page, each run and each chunk is the place of a cut once. */
static int cut_pages(int fd, size_t from, size_t step)
{
	size_t i;

	for (i = from; i < PAGES; i += step)
		if (iotlb_unmap(fd, 0, IOVA + i * SZ_4K, SZ_4K))
			return -1;
	return 0;
}

TEST_F(iotlb_mem, scattered_pages_go_one_by_one)
{
	char *mem = mem_scattered(PAGES * SZ_4K);
	size_t i;

	ASSERT_NE(NULL, mem);
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, IOVA, PAGES * SZ_4K, mem,
				  RW));
	EXPECT_TRUE(mock_map_is_at(&self->dev, 0, IOVA, mem, PAGES * SZ_4K));
	ASSERT_ERRNO(0, cut_pages(self->dev.fd, PAGES / 2, PAGES));
	ASSERT_ERRNO(0, cut_pages(self->dev.fd, 0, 2));
	EXPECT_EQ(PAGES / 2 * 4, status_kib("VmPin"));
	for (i = 1; i < PAGES; i += 100)
		EXPECT_TRUE(mock_map_is_at(&self->dev, 0, IOVA + i * SZ_4K,
					   mem + i * SZ_4K, SZ_4K));
	ASSERT_ERRNO(0, cut_pages(self->dev.fd, 1, 2));
	EXPECT_EQ(0, status_kib("VmPin"));
	mem_free(mem, PAGES * SZ_4K);
}

TEST_F(iotlb_mem, pages_in_rows_are_cut_within_a_row)
{
	char *mem = mem_anon(PAGES * SZ_4K);

	ASSERT_NE(NULL, mem);
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, IOVA, PAGES * SZ_4K, mem,
				  RW));
	EXPECT_TRUE(mock_map_is_at(&self->dev, 0, IOVA, mem, PAGES * SZ_4K));
	ASSERT_ERRNO(0, cut_pages(self->dev.fd, 0, 3));
	ASSERT_ERRNO(0, cut_pages(self->dev.fd, 2, 3));
	ASSERT_ERRNO(0, cut_pages(self->dev.fd, 1, 3));
	EXPECT_EQ(0, status_kib("VmPin"));
	mem_free(mem, PAGES * SZ_4K);
}

FIXTURE(huge) {
	struct mockdev dev;
	char *mem;
};

FIXTURE_VARIANT(huge) {
	void *(*alloc)(size_t size);
};

FIXTURE_VARIANT_ADD(huge, transparent) { .alloc = mem_thp };
FIXTURE_VARIANT_ADD(huge, hugetlb) { .alloc = mem_hugetlb };

#define HUGE_SIZE	(4 * SZ_2M)

FIXTURE_SETUP(huge)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	self->mem = variant->alloc(HUGE_SIZE);
	if (!self->mem)
		SKIP(return, "no huge pages");
	ASSERT_EQ(0, mock_own(&self->dev, "mapping=dma_map"));
}

FIXTURE_TEARDOWN(huge)
{
	EXPECT_STREQ("", mock_del(&self->dev));
	mem_free(self->mem, HUGE_SIZE);
}

TEST_F(huge, page_is_mapped_from_and_to_anywhere_in_it)
{
	static const size_t cut[] = { 0, SZ_4K, SZ_2M / 2, SZ_2M - SZ_4K };
	size_t i, size;

	for (i = 0; i < ARRAY_SIZE(cut); i++) {
		size = HUGE_SIZE - 2 * cut[i];
		ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, IOVA, size,
					  self->mem + cut[i], RW));
		EXPECT_TRUE(mock_map_is_at(&self->dev, 0, IOVA,
					   self->mem + cut[i], size));
		EXPECT_EQ(size / 1024, status_kib("VmPin"));
		ASSERT_ERRNO(0, iotlb_unmap(self->dev.fd, 0, IOVA, size));
		EXPECT_EQ(0, status_kib("VmPin"));
	}
}

/* Pages of it change places, behind a first and a last one that do not. */
static int shuffle(char *huge)
{
	char *spare = mmap(NULL, SZ_4K, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *a = huge + 100 * SZ_4K, *b = huge + 300 * SZ_4K;
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	if (mremap(a, SZ_4K, SZ_4K, flags, spare) == MAP_FAILED ||
	    mremap(b, SZ_4K, SZ_4K, flags, a) == MAP_FAILED ||
	    mremap(spare, SZ_4K, SZ_4K, flags, b) == MAP_FAILED)
		return -1;
	return 0;
}

TEST_F(huge, page_that_is_mapped_in_pieces_is_followed_by_the_piece)
{
	if (variant->alloc == mem_hugetlb)
		SKIP(return, "it always is mapped as a whole");
	ASSERT_EQ(0, shuffle(self->mem));
	/* Another one: a page of it is another page now. */
	ASSERT_NE(MAP_FAILED, mmap(self->mem + SZ_2M + 7 * SZ_4K, SZ_4K,
				   PROT_READ | PROT_WRITE, MAP_PRIVATE |
				   MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE,
				   -1, 0));
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, IOVA, HUGE_SIZE, self->mem,
				  RW));
	EXPECT_TRUE(mock_map_is_at(&self->dev, 0, IOVA, self->mem, HUGE_SIZE));
	ASSERT_ERRNO(0, iotlb_unmap(self->dev.fd, 0, IOVA, HUGE_SIZE));
	EXPECT_EQ(0, status_kib("VmPin"));
}

TEST_HARNESS_MAIN
