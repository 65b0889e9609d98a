// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB messages for a parent behind the platform's IOMMU: vdpa_mock with the
 * PCI function "edu" of QEMU as the device that performs DMA. That copies to
 * and from a buffer of its own when it is told to, so what is mapped is seen
 * as the device sees it. Skipped in a VM without that function, or without an
 * IOMMU; scripts/check.d/iommu starts one that has both.
 */
#include "common.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dev.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

#define PCI		"/sys/bus/pci/devices"
#define EDU_ID		"0x11e8"
#define EDU_BUF		0x40000UL	/* its own buffer, in its own addresses */
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_START	1
#define EDU_TO_MEMORY	2

#define SZ_1G	0x40000000UL
#define RW	VHOST_ACCESS_RW

FIXTURE(iotlb_iommu) {
	struct mockdev dev;
	char *bar;
	char *mem;	/* 8 pages */
};

/* Name of the function; false if there is none behind an IOMMU. */
static bool edu_find(char *name, size_t len)
{
	struct dirent *entry;
	bool found = false;
	char id[16];
	DIR *dir = opendir(PCI);

	while (dir && !found && (entry = readdir(dir))) {
		file_read(id, sizeof(id), PCI "/%s/device", entry->d_name);
		found = !strncmp(id, EDU_ID, strlen(EDU_ID)) &&
			file_exists(PCI "/%s/iommu_group", entry->d_name);
		snprintf(name, len, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool edu_open(const char *name, char **bar)
{
	char path[128];
	uint16_t command;
	int fd;

	if (file_write("1", PCI "/%s/enable", name))
		return false;
	snprintf(path, sizeof(path), PCI "/%s/config", name);
	fd = open(path, O_RDWR);
	if (pread(fd, &command, 2, 4) != 2)
		return false;
	command |= 4;	/* may perform DMA */
	if (pwrite(fd, &command, 2, 4) != 2)
		return false;
	close(fd);
	snprintf(path, sizeof(path), PCI "/%s/resource0", name);
	fd = open(path, O_RDWR);
	*bar = mmap(NULL, SZ_4K, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return *bar != MAP_FAILED;
}

static void edu_set(char *bar, uint32_t reg, uint64_t value)
{
	__atomic_store_n((uint64_t *)(bar + reg), value, __ATOMIC_SEQ_CST);
}

static void edu_dma(char *bar, uint64_t src, uint64_t dst, uint32_t count,
		    uint32_t direction)
{
	edu_set(bar, EDU_SRC, src);
	edu_set(bar, EDU_DST, dst);
	edu_set(bar, EDU_COUNT, count);
	edu_set(bar, EDU_CMD, EDU_START | direction);
	while (__atomic_load_n((uint64_t *)(bar + EDU_CMD), __ATOMIC_SEQ_CST) &
	       EDU_START)
		usleep(1000);
}

/*
 * The device reads the byte at @iova, ours at @mem, into its buffer, or writes it
 * from there. It is another one each time.
 */
static char next_byte;

static void edu_read(char *bar, uint64_t iova, char *mem)
{
	*mem = ++next_byte;
	edu_dma(bar, iova, EDU_BUF, 1, 0);
	*mem = 0;
}

static bool edu_writes(char *bar, uint64_t iova, char *mem)
{
	edu_dma(bar, EDU_BUF, iova, 1, EDU_TO_MEMORY);
	return *mem == next_byte;
}

/* Does the device see our byte at @iova, and write there where we see it? */
static bool edu_reaches(char *bar, uint64_t iova, char *mem)
{
	edu_read(bar, iova, mem);
	return edu_writes(bar, iova, mem);
}

FIXTURE_SETUP(iotlb_iommu)
{
	char name[32], knobs[64];

	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	if (!edu_find(name, sizeof(name)))
		SKIP(return, "no PCI function edu behind an IOMMU");
	ASSERT_TRUE(edu_open(name, &self->bar));
	self->mem = mem_scattered(8 * SZ_4K);
	ASSERT_NE(NULL, self->mem);
	snprintf(knobs, sizeof(knobs), "mapping=none dma_dev=%s", name);
	ASSERT_EQ(0, mock_own(&self->dev, knobs));
}

FIXTURE_TEARDOWN(iotlb_iommu)
{
	EXPECT_STREQ("", mock_del(&self->dev));
}

TEST_F(iotlb_iommu, device_reaches_what_is_mapped_and_no_more)
{
	char *mem = self->mem;

	EXPECT_FALSE(edu_reaches(self->bar, 0x10000, mem));
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0x10000, 8 * SZ_4K, mem,
				  RW));
	EXPECT_TRUE(edu_reaches(self->bar, 0x10000, mem));
	EXPECT_TRUE(edu_reaches(self->bar, 0x17fff, mem + 8 * SZ_4K - 1));
	EXPECT_FALSE(edu_reaches(self->bar, 0xffff, mem));
	EXPECT_FALSE(edu_reaches(self->bar, 0x18000, mem));
	ASSERT_ERRNO(0, iotlb_unmap(self->dev.fd, 0, 0x10000, 8 * SZ_4K));
	EXPECT_FALSE(edu_reaches(self->bar, 0x10000, mem));
	EXPECT_EQ(0, status_kib("VmPin"));
}

/*
 * Whether the kernel logs, within a second, that the IOMMU has refused an access
 * in the page of @iova. Each kind of IOMMU says so in its own words.
 */
static bool fault_is_logged(int log, uint64_t iova)
{
	static const char *const words[] = { "address=0x", "fault addr 0x" };
	char line[1024];
	bool found = false;

	for (int ms = 0; ms < 1000 && !found; ms += 10) {
		ssize_t len = read(log, line, sizeof(line) - 1);

		if (len < 0) {
			usleep(10000);
			continue;
		}
		line[len] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			const char *at = strstr(line, words[i]);

			found |= at && strtoull(at + strlen(words[i]) - 2, NULL,
						16) >> 12 == iova >> 12;
		}
	}
	return found;
}

/* The kernel keeps quiet about some of many faults. */
#define FAULT_TRIES	20

/* The AMD IOMMU of QEMU refuses as well, but the kernel hears nothing of it. */
static bool faults_are_logged(void)
{
	return file_exists("/sys/class/iommu/dmar0");
}

/* The device reads or writes the byte at @iova; is it told that it may not? */
static bool edu_is_refused(char *bar, uint64_t iova, uint32_t direction)
{
	int log = log_open();
	bool logged = false;

	for (int i = 0; i < FAULT_TRIES && !logged; i++) {
		if (direction == EDU_TO_MEMORY)
			edu_dma(bar, EDU_BUF, iova, 1, direction);
		else
			edu_dma(bar, iova, EDU_BUF, 1, direction);
		logged = !faults_are_logged() || fault_is_logged(log, iova);
	}
	close(log);
	return logged;
}

/* The bytes next to those that are mapped, in our memory as in the device's. */
TEST_F(iotlb_iommu, access_next_to_what_is_mapped_is_a_fault_that_is_logged)
{
	const struct {
		uint64_t iova;
		char *mem;
	} next[] = {
		{ 0xffff, self->mem + SZ_4K - 1 },
		{ 0x12000, self->mem + 3 * SZ_4K },
	};
	char *mem = self->mem + SZ_4K;

	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0x10000, 2 * SZ_4K, mem,
				  RW));
	for (size_t i = 0; i < ARRAY_SIZE(next); i++) {
		*next[i].mem = 0x5a;
		EXPECT_TRUE(edu_is_refused(self->bar, next[i].iova, 0));
		/* What has it got instead? */
		edu_dma(self->bar, EDU_BUF, 0x10000, 1, EDU_TO_MEMORY);
		EXPECT_NE(0x5a, *mem);

		edu_read(self->bar, 0x10000, mem);
		EXPECT_TRUE(edu_is_refused(self->bar, next[i].iova,
					   EDU_TO_MEMORY));
		EXPECT_EQ(0x5a, *next[i].mem);
	}
	EXPECT_TRUE(edu_reaches(self->bar, 0x10000, mem));
}

TEST_F(iotlb_iommu, reset_of_ownership_leaves_nothing_to_reach)
{
	int fd = self->dev.fd;

	ASSERT_ERRNO(0, iotlb_map(fd, 0, 0x10000, SZ_4K, self->mem, RW));
	EXPECT_TRUE(edu_reaches(self->bar, 0x10000, self->mem));
	ASSERT_ERRNO(0, ioctl(fd, VHOST_RESET_OWNER));
	EXPECT_FALSE(edu_reaches(self->bar, 0x10000, self->mem));
	EXPECT_EQ(0, status_kib("VmPin"));
	ASSERT_ERRNO(0, ioctl(fd, VHOST_SET_OWNER));
	ASSERT_ERRNO(0, iotlb_map(fd, 0, 0x20000, SZ_4K, self->mem, RW));
	EXPECT_TRUE(edu_reaches(self->bar, 0x20000, self->mem));
}

TEST_F(iotlb_iommu, what_may_not_be_written_is_not)
{
	char *to = self->mem + SZ_4K;

	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0x10000, SZ_4K, self->mem,
				  VHOST_ACCESS_RO));
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0x20000, SZ_4K, to, RW));
	edu_read(self->bar, 0x10000, self->mem);
	EXPECT_FALSE(edu_writes(self->bar, 0x10000, self->mem));
	/* It was read: the buffer has it, for memory that may be written. */
	EXPECT_TRUE(edu_writes(self->bar, 0x20000, to));
}

/* Of one huge page as of small ones. */
TEST_F(iotlb_iommu, cut_keeps_the_rest)
{
	char *huge = mem_thp(SZ_2M), *mem = huge ?: self->mem;
	uint64_t size = huge ? SZ_2M : 8 * SZ_4K, at = 0x200000;

	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, at, size, mem, RW));
	ASSERT_ERRNO(0, iotlb_unmap(self->dev.fd, 0, at + SZ_4K, SZ_4K));
	EXPECT_TRUE(edu_reaches(self->bar, at, mem));
	EXPECT_FALSE(edu_reaches(self->bar, at + SZ_4K, mem + SZ_4K));
	EXPECT_TRUE(edu_reaches(self->bar, at + 2 * SZ_4K, mem + 2 * SZ_4K));
	EXPECT_TRUE(edu_reaches(self->bar, at + size - 1, mem + size - 1));
	ASSERT_ERRNO(0, iotlb_unmap(self->dev.fd, 0, 0, UINT64_MAX));
	EXPECT_FALSE(edu_reaches(self->bar, at, mem));
	EXPECT_EQ(0, status_kib("VmPin"));
	if (huge)
		mem_free(huge, SZ_2M);
}

/* It is taken away a gigabyte at a time. */
TEST_F(iotlb_iommu, all_of_a_large_mapping_is_taken_away)
{
	size_t half = SZ_1G, size = half + 2 * SZ_2M;
	char *mem = mem_repeated(size, SZ_2M);
	uint64_t at = 0x201000;

	ASSERT_NE(NULL, mem);
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, at, size, mem, RW));
	EXPECT_TRUE(edu_reaches(self->bar, at + half, mem + half));
	EXPECT_TRUE(edu_reaches(self->bar, at + size - 1, mem + size - 1));
	ASSERT_ERRNO(0, iotlb_unmap(self->dev.fd, 0, at, size));
	EXPECT_FALSE(edu_reaches(self->bar, at, mem));
	EXPECT_FALSE(edu_reaches(self->bar, at + half - 1, mem + half - 1));
	EXPECT_FALSE(edu_reaches(self->bar, at + half, mem + half));
	EXPECT_FALSE(edu_reaches(self->bar, at + size - 1, mem + size - 1));
	EXPECT_EQ(0, status_kib("VmPin"));
	mem_free(mem, size);
}

TEST_F(iotlb_iommu, overlap_within_a_page_is_refused)
{
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0x10100, 0x100,
				  self->mem + 0x100, RW));
	EXPECT_ERRNO(EEXIST, iotlb_map(self->dev.fd, 0, 0x10800, 0x100,
				       self->mem + 0x800, RW));
	EXPECT_ERRNO(EINVAL, iotlb_map(self->dev.fd, 0, 0x20000, 0x100,
				       self->mem + 0x800, RW));
	EXPECT_ERRNO(0, iotlb_unmap(self->dev.fd, 0, 0x10100, 0x100));
	EXPECT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0x10800, 0x100,
				  self->mem + 0x800, RW));
}

/* The mock's is all there is; what is told is what the IOMMU can do as well. */
TEST_F(iotlb_iommu, reported_range_can_be_mapped_to_its_end)
{
	struct vhost_vdpa_iova_range range;

	ASSERT_ERRNO(0, ioctl(self->dev.fd, VHOST_VDPA_GET_IOVA_RANGE,
			      &range));
	EXPECT_ERRNO(0, iotlb_map(self->dev.fd, 0, range.last & ~0xfffUL,
				  SZ_4K, self->mem, RW));
	EXPECT_ERRNO(0, iotlb_unmap(self->dev.fd, 0, range.last & ~0xfffUL,
				    SZ_4K));
	EXPECT_EQ(0, status_kib("VmPin"));
}

TEST_F(iotlb_iommu, close_takes_everything_away)
{
	ASSERT_ERRNO(0, iotlb_map(self->dev.fd, 0, 0x10000, SZ_4K, self->mem,
				  RW));
	close(self->dev.fd);
	self->dev.fd = -1;
	EXPECT_FALSE(edu_reaches(self->bar, 0x10000, self->mem));
	EXPECT_EQ(0, status_kib("VmPin"));
}

TEST_HARNESS_MAIN
