// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB messages of /dev/vhost-vdpa-N, on vdpa_mock: what the device gets to
 * know of memory is what was asked for, to the byte, or nothing. Each test
 * runs with a parent that maps piece by piece, with one that takes whole
 * tables, and with each message in a batch of its own. vdpa_mock watches that
 * pages are pinned for as long as the device may reach them.
 */
#include "iotlb.h"

#include <linux/capability.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "files.h"

TEST_F(iotlb, open_empties_the_map_and_close_restores_it)
{
	ASSERT_STREQ("", mock_map(&self->dev));
	ASSERT_EQ(0, MAP(0, SZ_4K, self->mem, RW));
	close(self->fd);
	self->dev.fd = -1;
	EXPECT_STREQ("0 identity\n", mock_map(&self->dev));
	self->fd = vhost_open(self->dev.name);
	self->dev.fd = self->fd;
	EXPECT_STREQ("", mock_map(&self->dev));
}

TEST_F(iotlb, update_maps_the_pages_of_the_process)
{
	ASSERT_EQ(0, MAP(0x10000, MEM_SIZE, self->mem, RW));
	EXPECT_STREQ("0 0x10000 0x1ffff 3\n", mock_map(&self->dev));
	EXPECT_TRUE(mock_map_is_at(&self->dev, 0, 0x10000, self->mem,
				   MEM_SIZE));
}

TEST_F(iotlb, update_pins_each_page_once)
{
	long before = pinned_pages();

	ASSERT_EQ(0, MAP(0x10000, MEM_SIZE, self->mem, RW));
	EXPECT_EQ(before + 16, pinned_pages());
	EXPECT_EQ(64, status_kib("VmPin"));
	ASSERT_EQ(0, UNMAP(0x10000, MEM_SIZE));
	EXPECT_EQ(before, pinned_pages());
	EXPECT_EQ(0, status_kib("VmPin"));
}

TEST_F(iotlb, permissions_reach_the_device)
{
	ASSERT_EQ(0, MAP(0x1000, SZ_4K, self->mem, VHOST_ACCESS_RO));
	ASSERT_EQ(0, MAP(0x3000, SZ_4K, self->mem, VHOST_ACCESS_WO));
	ASSERT_EQ(0, MAP(0x5000, SZ_4K, self->mem, VHOST_ACCESS_RW));
	EXPECT_STREQ("0 0x1000 0x1fff 1\n0 0x3000 0x3fff 2\n"
		     "0 0x5000 0x5fff 3\n", mock_map(&self->dev));
}

/* A guest's memory need not end at a page; rust-vmm maps 0xffff bytes. */
TEST_F(iotlb, range_is_exact_to_the_byte)
{
	ASSERT_EQ(0, MAP(0x10000, 0xffff, self->mem, RW));
	EXPECT_STREQ("0 0x10000 0x1fffe 3\n", mock_map(&self->dev));
	ASSERT_EQ(0, MAP(0x20123, 0x1001, self->mem + 0x123, RW));
	EXPECT_STREQ("0 0x10000 0x1fffe 3\n0 0x20123 0x21123 3\n",
		     mock_map(&self->dev));
	EXPECT_TRUE(mock_map_is_at(&self->dev, 0, 0x20123, self->mem + 0x123,
				   0x1001));
}

TEST_F(iotlb, offsets_of_iova_and_memory_may_differ)
{
	ASSERT_EQ(0, MAP(0x30100, 0x2000, self->mem + 0x765, RW));
	EXPECT_STREQ("0 0x30100 0x320ff 3\n", mock_map(&self->dev));
	EXPECT_TRUE(mock_map_is_at(&self->dev, 0, 0x30100, self->mem + 0x765,
				   0x2000));
}

TEST_F(iotlb, overlapping_update_is_eexist_and_changes_nothing)
{
	static const struct {
		uint64_t iova, size;
	} bad[] = {
		{ 0x4000, 0x4000 }, { 0x4000, 0x1000 }, { 0x5000, 0x1000 },
		{ 0x7000, 0x1000 }, { 0x3000, 0x2000 }, { 0x7000, 0x2000 },
		{ 0x3000, 0x8000 }, { 0x7fff, 1 },
	};
	long pinned;
	size_t i;

	ASSERT_EQ(0, MAP(0x4000, 0x4000, self->mem, RW));
	pinned = pinned_pages();
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(EEXIST, MAP(bad[i].iova, bad[i].size, self->mem, RW))
			TH_LOG("%#lx + %#lx", bad[i].iova, bad[i].size);
	EXPECT_STREQ("0 0x4000 0x7fff 3\n", mock_map(&self->dev));
	EXPECT_EQ(pinned, pinned_pages());
	/* Its neighbours are free. */
	EXPECT_EQ(0, MAP(0x3fff, 1, self->mem, RW));
	EXPECT_EQ(0, MAP(0x8000, 1, self->mem, RW));
}

struct refused {
	const char *what;
	uint64_t iova, size;
	unsigned int perm;
	int err;
};

TEST_F(iotlb, rejected_update_leaves_the_map_unchanged)
{
	static const struct refused refused[] = {
		{ "no size", 0x10000, 0, RW, EINVAL },
		{ "no size at 0", 0, 0, RW, EINVAL },
		{ "wraps", UINT64_MAX - 0xfff, 0x2000, RW, EINVAL },
		{ "wraps to 0", 0x1000, UINT64_MAX, RW, EINVAL },
		{ "no permission", 0x10000, 0x1000, 0, EINVAL },
		{ "permission 4", 0x10000, 0x1000, 4, EINVAL },
		{ "permission 7", 0x10000, 0x1000, 7, EINVAL },
		{ "permission 255", 0x10000, 0x1000, 255, EINVAL },
		{ "memory wraps", 0x10000, UINT64_MAX - 0x10000, RW, EFAULT },
		{ "more memory than there is", 0x10000, 1UL << 46, RW, EFAULT },
	};
	size_t i;

	ASSERT_EQ(0, MAP(0x4000, SZ_4K, self->mem, RW));
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		EXPECT_EQ(refused[i].err,
			  MAP(refused[i].iova, refused[i].size, self->mem,
			      refused[i].perm))
			TH_LOG("%s", refused[i].what);
	EXPECT_STREQ("0 0x4000 0x4fff 3\n", mock_map(&self->dev));
}

TEST_F(iotlb, last_byte_of_the_address_space_can_be_mapped)
{
	ASSERT_EQ(0, MAP(UINT64_MAX - 0xfff, 0x1000, self->mem, RW));
	EXPECT_STREQ("0 0xfffffffffffff000 0xffffffffffffffff 3\n",
		     mock_map(&self->dev));
	ASSERT_EQ(0, UNMAP(UINT64_MAX - 0xfff, 0x1000));
	EXPECT_STREQ("", mock_map(&self->dev));
	ASSERT_EQ(0, MAP(UINT64_MAX - 0xfff, 0x1000, self->mem, RW));
	ASSERT_EQ(0, UNMAP(0, UINT64_MAX));
	EXPECT_STREQ("", mock_map(&self->dev));
}

TEST_F(iotlb, update_outside_the_range_of_the_device_is_einval)
{
	self->fd = again(_metadata, &self->dev, variant->mapping,
			 "iova_first=0x2000 iova_last=0x8fff");
	EXPECT_EQ(EINVAL, MAP(0x1000, 0x1000, self->mem, RW));
	EXPECT_EQ(EINVAL, MAP(0x1fff, 0x1000, self->mem, RW));
	EXPECT_EQ(EINVAL, MAP(0x9000, 0x1000, self->mem, RW));
	EXPECT_EQ(EINVAL, MAP(0x8000, 0x1001, self->mem, RW));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(0, MAP(0x2000, 0x7000, self->mem, RW));
	EXPECT_STREQ("0 0x2000 0x8fff 3\n", mock_map(&self->dev));
}

TEST_F(iotlb, unmapped_memory_is_efault)
{
	long pinned = pinned_pages();
	char *mem = mem_anon(MEM_SIZE);

	EXPECT_EQ(EFAULT, MAP(0x1000, SZ_4K, NULL, RW));
	munmap(mem + MEM_SIZE / 2, SZ_4K);
	/* Half of it is there: nothing is mapped and nothing stays pinned. */
	EXPECT_EQ(EFAULT, MAP(0x10000, MEM_SIZE, mem, RW));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(pinned, pinned_pages());
	EXPECT_EQ(0, status_kib("VmPin"));
	munmap(mem, MEM_SIZE);
}

TEST_F(iotlb, kernel_memory_is_efault)
{
	EXPECT_EQ(EFAULT, MAP(0x1000, SZ_4K, (void *)0xffff888000000000, RW));
	EXPECT_EQ(EFAULT, MAP(0x1000, SZ_4K, (void *)0x7ffffffff000, RW));
	EXPECT_STREQ("", mock_map(&self->dev));
}

TEST_F(iotlb, read_only_memory_maps_for_reading_only)
{
	char *mem = mem_anon(MEM_SIZE);

	ASSERT_EQ(0, mprotect(mem, MEM_SIZE, PROT_READ));
	EXPECT_EQ(EFAULT, MAP(0x10000, MEM_SIZE, mem, VHOST_ACCESS_RW));
	EXPECT_EQ(EFAULT, MAP(0x10000, MEM_SIZE, mem, VHOST_ACCESS_WO));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(0, MAP(0x10000, MEM_SIZE, mem, VHOST_ACCESS_RO));
	EXPECT_STREQ("0 0x10000 0x1ffff 1\n", mock_map(&self->dev));
	munmap(mem, MEM_SIZE);
}

static int drop_ipc_lock(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -1;
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	return syscall(SYS_capset, &head, data);
}

TEST_F(iotlb, memlock_limit_is_kept)
{
	struct rlimit limit = { 8 * SZ_4K, 8 * SZ_4K };
	long pinned = pinned_pages();

	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_EQ(0, drop_ipc_lock());
	ASSERT_EQ(0, MAP(0x10000, 4 * SZ_4K, self->mem, RW));
	EXPECT_EQ(ENOMEM, MAP(0x20000, 5 * SZ_4K, self->mem, RW));
	EXPECT_STREQ("0 0x10000 0x13fff 3\n", mock_map(&self->dev));
	EXPECT_EQ(pinned + 4, pinned_pages());
	EXPECT_EQ(0, MAP(0x20000, 4 * SZ_4K, self->mem, RW));
	EXPECT_EQ(ENOMEM, MAP(0x30000, 1, self->mem, RW));
	/* What is unmapped is there to be used again. */
	EXPECT_EQ(0, UNMAP(0x20000, 4 * SZ_4K));
	EXPECT_EQ(0, MAP(0x30000, 1, self->mem, RW));
}

TEST_F(iotlb, memlock_limit_does_not_hold_for_cap_ipc_lock)
{
	struct rlimit limit = { SZ_4K, SZ_4K };

	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	EXPECT_EQ(0, MAP(0x10000, MEM_SIZE, self->mem, RW));
}

TEST_F(iotlb, invalidate_of_zero_bytes_is_refused)
{
	ASSERT_EQ(0, MAP(0x0000, SZ_4K, self->mem, RW));
	ASSERT_EQ(0, MAP(0x4000, SZ_4K, self->mem, RW));
	EXPECT_EQ(EINVAL, UNMAP(0, 0));
	EXPECT_EQ(EINVAL, UNMAP(0x4800, 0));
	EXPECT_EQ(EINVAL, UNMAP(UINT64_MAX, 0));
	EXPECT_STREQ("0 0x0 0xfff 3\n0 0x4000 0x4fff 3\n",
		     mock_map(&self->dev));
}

TEST_F(iotlb, invalidate_that_wraps_is_refused)
{
	ASSERT_EQ(0, MAP(0x0000, SZ_4K, self->mem, RW));
	EXPECT_EQ(EINVAL, UNMAP(UINT64_MAX - 0xfff, 0x2000));
	EXPECT_STREQ("0 0x0 0xfff 3\n", mock_map(&self->dev));
}

TEST_F(iotlb, invalidate_of_what_is_not_mapped_is_no_error)
{
	ASSERT_EQ(0, MAP(0x4000, SZ_4K, self->mem, RW));
	EXPECT_EQ(0, UNMAP(0x8000, SZ_4K));
	EXPECT_EQ(0, UNMAP(0x3000, SZ_4K));
	EXPECT_EQ(0, UNMAP(0x5000, SZ_4K));
	EXPECT_STREQ("0 0x4000 0x4fff 3\n", mock_map(&self->dev));
}

TEST_F(iotlb, invalidate_of_a_page_keeps_the_rest)
{
	long before = pinned_pages();

	ASSERT_EQ(0, MAP(0x10000, MEM_SIZE, self->mem, RW));
	ASSERT_EQ(0, UNMAP(0x14000, SZ_4K));
	EXPECT_STREQ("0 0x10000 0x13fff 3\n0 0x15000 0x1ffff 3\n",
		     mock_map(&self->dev));
	EXPECT_TRUE(mock_map_is_at(&self->dev, 0, 0x10000, self->mem, 0x4000));
	EXPECT_TRUE(mock_map_is_at(&self->dev, 0, 0x15000, self->mem + 0x5000,
				   0xb000));
	EXPECT_EQ(before + 15, pinned_pages());
	/* The hole can be filled, and everything go at last. */
	ASSERT_EQ(0, MAP(0x14000, SZ_4K, self->mem + SZ_4K, RW));
	EXPECT_STREQ("0 0x10000 0x1ffff 3\n", mock_map(&self->dev));
	ASSERT_EQ(0, UNMAP(0x10000, MEM_SIZE));
	EXPECT_EQ(before, pinned_pages());
}

/* A page is pinned once: half of it cannot be given back. */
TEST_F(iotlb, invalidate_that_cuts_a_page_is_refused_and_drops_nothing)
{
	ASSERT_EQ(0, MAP(0x10000, MEM_SIZE, self->mem, RW));
	EXPECT_EQ(EINVAL, UNMAP(0x10000, 1));
	EXPECT_EQ(EINVAL, UNMAP(0x1ffff, 1));
	EXPECT_EQ(EINVAL, UNMAP(0x18010, 0x10));
	EXPECT_EQ(EINVAL, UNMAP(0x18000, 0x1001));
	EXPECT_EQ(EINVAL, UNMAP(0, 0x10001));
	EXPECT_STREQ("0 0x10000 0x1ffff 3\n", mock_map(&self->dev));
}

/* The pages are those of the memory, wherever the IOVAs are. */
TEST_F(iotlb, unaligned_mapping_is_cut_between_its_pages)
{
	ASSERT_EQ(0, MAP(0x10100, 0x3000, self->mem + 0x300, RW));
	EXPECT_EQ(EINVAL, UNMAP(0x11000, 0x1000));
	ASSERT_EQ(0, UNMAP(0x10e00, 0x1000));
	EXPECT_STREQ("0 0x10100 0x10dff 3\n0 0x11e00 0x130ff 3\n",
		     mock_map(&self->dev));
	EXPECT_TRUE(mock_map_is_at(&self->dev, 0, 0x11e00,
				   self->mem + 0x2000, 0x1300));
}

TEST_F(iotlb, invalidate_over_several_mappings_cuts_the_outer_ones)
{
	ASSERT_EQ(0, MAP(0x10000, 0x4000, self->mem, RW));
	ASSERT_EQ(0, MAP(0x18000, 0x1000, self->mem, RW));
	ASSERT_EQ(0, MAP(0x20000, 0x4000, self->mem, RW));
	ASSERT_EQ(0, UNMAP(0x12000, 0x10000));
	EXPECT_STREQ("0 0x10000 0x11fff 3\n0 0x22000 0x23fff 3\n",
		     mock_map(&self->dev));
}

/* DPDK and QEMU: {0, SIZE_MAX}, one byte short of everything. */
TEST_F(iotlb, invalidate_of_everything_flushes)
{
	ASSERT_EQ(0, MAP(0x0000, SZ_4K, self->mem, RW));
	ASSERT_EQ(0, MAP(1UL << 47, MEM_SIZE, self->mem, RW));
	ASSERT_EQ(0, UNMAP(0, UINT64_MAX));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(0, status_kib("VmPin"));
}

TEST_F(iotlb, mapped_memory_may_be_unmapped_by_the_process)
{
	long before = pinned_pages();
	char *mem = mem_anon(MEM_SIZE);

	ASSERT_EQ(0, MAP(0x10000, MEM_SIZE, mem, RW));
	munmap(mem, MEM_SIZE);
	EXPECT_EQ(before + 16, pinned_pages());
	ASSERT_EQ(0, UNMAP(0x10000, MEM_SIZE));
	EXPECT_EQ(before, pinned_pages());
}

TEST_F(iotlb, all_kinds_of_memory_map)
{
	static const struct {
		const char *name;
		void *(*get)(size_t size);
	} kinds[] = {
		{ "anonymous", mem_anon }, { "memfd", mem_memfd },
		{ "huge", mem_thp }, { "hugetlb", mem_hugetlb },
		{ "scattered", mem_scattered },
	};
	char *mem;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		mem = kinds[i].get(SZ_2M);
		ASSERT_NE(NULL, mem)
			TH_LOG("%s: %m", kinds[i].name);
		ASSERT_EQ(0, MAP(SZ_2M, SZ_2M, mem, RW))
			TH_LOG("%s", kinds[i].name);
		EXPECT_STREQ("0 0x200000 0x3fffff 3\n", mock_map(&self->dev))
			TH_LOG("%s", kinds[i].name);
		EXPECT_TRUE(mock_map_is_at(&self->dev, 0, SZ_2M, mem, SZ_2M))
			TH_LOG("%s", kinds[i].name);
		ASSERT_EQ(0, UNMAP(SZ_2M + SZ_64K, SZ_64K))
			TH_LOG("%s", kinds[i].name);
		EXPECT_STREQ("0 0x200000 0x20ffff 3\n0 0x220000 0x3fffff 3\n",
			     mock_map(&self->dev))
			TH_LOG("%s", kinds[i].name);
		ASSERT_EQ(0, UNMAP(SZ_2M, SZ_2M))
			TH_LOG("%s", kinds[i].name);
		EXPECT_STREQ("", mock_map(&self->dev))
			TH_LOG("%s", kinds[i].name);
		mem_free(mem, SZ_2M);
	}
	file_write("0", "/proc/sys/vm/nr_hugepages");
}

/* Upstream stops at 2048 pieces. */
TEST_F_TIMEOUT(iotlb, scattered_memory_of_many_pieces_maps, 120)
{
	size_t pages = 8192 / slowness(), size = pages * SZ_4K;
	long before = pinned_pages();
	char *mem = mem_scattered(size);
	char want[64];

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, MAP(0, size, mem, RW));
	EXPECT_EQ(before + (long)pages, pinned_pages());
	snprintf(want, sizeof(want), "0 0x0 %#zx 3\n", size - 1);
	EXPECT_STREQ(want, mock_map(&self->dev));
	ASSERT_EQ(0, UNMAP(0, size));
	EXPECT_EQ(before, pinned_pages());
}

TEST_F(iotlb, parent_that_fails_half_way_leaves_the_map_unchanged)
{
	char *mem = mem_scattered(MEM_SIZE);
	long before = pinned_pages();

	ASSERT_EQ(0, MAP(0x1000, SZ_4K, self->mem, RW));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "dma_map errno 28 7"));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "set_map errno 28 1"));
	EXPECT_EQ(ENOSPC, MAP(0x10000, MEM_SIZE, mem, RW));
	EXPECT_STREQ("0 0x1000 0x1fff 3\n", mock_map(&self->dev));
	ASSERT_EQ(0, mock_write(&self->dev, "inject", "clear"));
	/* In a batch the set_map failure may be made good by the next one. */
	if (!variant->batch) {
		EXPECT_EQ(before + 1, pinned_pages());
		EXPECT_EQ(0, MAP(0x10000, MEM_SIZE, mem, RW));
	}
	ASSERT_EQ(0, UNMAP(0, UINT64_MAX));
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(before, pinned_pages());
}

TEST_F(iotlb, write_of_another_size_is_einval)
{
	static const size_t sizes[] = { 0, 1, 4, 8, 39, 40, 71, 73, 144, 4096 };
	char buf[4096] = { };
	struct vhost_msg_v2 *msg = (void *)buf;
	size_t i;

	msg->type = VHOST_IOTLB_MSG_V2;
	msg->iotlb.type = VHOST_IOTLB_UPDATE;
	msg->iotlb.iova = 0x1000;
	msg->iotlb.size = SZ_4K;
	msg->iotlb.uaddr = (uintptr_t)self->mem;
	msg->iotlb.perm = RW;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_ERRNO(EINVAL, write(self->fd, buf, sizes[i]))
			TH_LOG("%zu", sizes[i]);
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(sizeof(*msg), write(self->fd, buf, sizeof(*msg)));
	EXPECT_STREQ("0 0x1000 0x1fff 3\n", mock_map(&self->dev));
}

TEST_F(iotlb, write_from_a_bad_pointer_is_efault)
{
	char *bad = (char *)16;

	EXPECT_ERRNO(EFAULT, write(self->fd, bad,
				   sizeof(struct vhost_msg_v2)));
}

TEST_F(iotlb, unknown_message_is_einval)
{
	static const uint8_t types[] = {
		0, VHOST_IOTLB_MISS, VHOST_IOTLB_ACCESS_FAIL, 7, 128, 255
	};
	struct vhost_msg_v2 msg = { .type = 3 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_EQ(EINVAL, SEND(.type = types[i], .size = SZ_4K,
				       .uaddr = (uintptr_t)self->mem,
				       .perm = RW))
			TH_LOG("%u", types[i]);
	msg.iotlb.type = VHOST_IOTLB_INVALIDATE;
	msg.iotlb.size = SZ_4K;
	EXPECT_ERRNO(EINVAL, write(self->fd, &msg, sizeof(msg)));
	msg.type = 0;
	EXPECT_ERRNO(EINVAL, write(self->fd, &msg, sizeof(msg)));
}

TEST_F(iotlb, only_the_owner_may_map)
{
	int status = -1;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(MAP(0x1000, SZ_4K, self->mem, RW));
	waitpid(pid, &status, 0);
	EXPECT_EQ(EPERM, WEXITSTATUS(status));
	EXPECT_STREQ("", mock_map(&self->dev));
}

TEST_F(iotlb, nobody_maps_before_there_is_an_owner)
{
	ASSERT_STREQ("", mock_del(&self->dev));
	ASSERT_EQ(0, mock_add(&self->dev, variant->mapping));
	self->fd = self->dev.fd;
	EXPECT_EQ(EPERM, MAP(0x1000, SZ_4K, self->mem, RW));
	EXPECT_EQ(EPERM, UNMAP(0, UINT64_MAX));
}

TEST_F(iotlb, address_spaces_are_apart)
{
	if (variant->version == 1)
		SKIP(return, "version 1 has no address spaces");
	self->fd = again(_metadata, &self->dev, variant->mapping,
			 "nas=3 ngroups=2");
	ASSERT_ERRNO(0, set_backend(self->fd,
				    BIT_ULL(VHOST_BACKEND_F_IOTLB_MSG_V2) |
				    BIT_ULL(VHOST_BACKEND_F_IOTLB_BATCH) |
				    BIT_ULL(VHOST_BACKEND_F_IOTLB_ASID)));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 1, 0x1000, SZ_4K, self->mem, RW));
	EXPECT_ERRNO(0, iotlb_map(self->fd, 2, 0x1000, SZ_4K, self->mem, RW));
	EXPECT_ERRNO(EINVAL, iotlb_map(self->fd, 3, 0x1000, SZ_4K, self->mem,
				       RW));
	EXPECT_ERRNO(EINVAL, iotlb_unmap(self->fd, UINT32_MAX, 0, SZ_4K));
	EXPECT_STREQ("1 0x1000 0x1fff 3\n2 0x1000 0x1fff 3\n",
		     mock_map(&self->dev));
	EXPECT_ERRNO(0, iotlb_unmap(self->fd, 2, 0, UINT64_MAX));
	EXPECT_STREQ("1 0x1000 0x1fff 3\n", mock_map(&self->dev));
}

/* The field is padding of old clients. */
TEST_F(iotlb, asid_without_the_backend_feature_is_not_looked_at)
{
	self->fd = again(_metadata, &self->dev, variant->mapping,
			 "nas=2");
	EXPECT_ERRNO(0, iotlb_map(self->fd, 0xdead, 0x1000, SZ_4K, self->mem,
				  RW));
	EXPECT_STREQ("0 0x1000 0x1fff 3\n", mock_map(&self->dev));
}

TEST_F(iotlb, map_outlives_a_reset_that_keeps_it)
{
	ASSERT_ERRNO(0, set_backend(self->fd,
				    BIT_ULL(VHOST_BACKEND_F_IOTLB_PERSIST)));
	ASSERT_EQ(0, MAP(0x10000, MEM_SIZE, self->mem, RW));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	EXPECT_STREQ("0 0x10000 0x1ffff 3\n", mock_map(&self->dev));
}

/* A parent may return to its identity map then: all of the machine. */
TEST_F(iotlb, reset_that_cleans_the_map_opens_nothing)
{
	/* Without suspend there is compat_reset. */
	self->fd = again(_metadata, &self->dev, variant->mapping,
			 "without=suspend");
	ASSERT_EQ(0, MAP(0x10000, MEM_SIZE, self->mem, RW));
	ASSERT_ERRNO(0, start(self->fd));
	ASSERT_ERRNO(0, set_status(self->fd, 0));
	EXPECT_EQ(NULL, strstr(mock_map(&self->dev), "identity"));
}

struct hammer {
	int fd;
	uint64_t iova;
	char *mem;
	int errors;
};

static void *hammer(void *arg)
{
	struct hammer *h = arg;
	int i;

	for (i = 0; i < 200; i++) {
		h->errors += !!iotlb_map(h->fd, 0, h->iova, 4 * SZ_4K, h->mem,
					 RW);
		h->errors += !!iotlb_unmap(h->fd, 0, h->iova + SZ_4K, SZ_4K);
		h->errors += !!iotlb_unmap(h->fd, 0, h->iova, 4 * SZ_4K);
	}
	return NULL;
}

TEST_F_TIMEOUT(iotlb, threads_may_map_at_the_same_time, 60)
{
	struct hammer h[4];
	pthread_t thread[4];
	int i;

	for (i = 0; i < 4; i++) {
		h[i] = (struct hammer){ self->fd, SZ_64K * i, self->mem };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, hammer, &h[i]));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, h[i].errors);
	}
	EXPECT_STREQ("", mock_map(&self->dev));
	EXPECT_EQ(0, status_kib("VmPin"));
}

/* Address spaces and queues of a parent behind the platform's IOMMU. */
TEST(platform_iommu_that_is_not_there_is_eopnotsupp)
{
	struct mockdev dev;

	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_make(&dev, "mapping=none"));
	dev.fd = vhost_open(dev.name);
	EXPECT_ERRNO(EOPNOTSUPP, dev.fd);
	EXPECT_STREQ("", mock_del(&dev));
}

TEST_HARNESS_MAIN
