// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds for every ioctl of /dev/vhost-vdpa-N, one after the other, on a
 * device of vdpa_mock: what each answers when all is well, to a bad pointer,
 * to one who is not the owner, and when the device is gone; and those that
 * only vhost knows. The device's own are in abi_device.c, queues and their
 * rules in vring.c, eventfds in events.c.
 */
#include "abi.h"

#include <sys/mman.h>

#include "calls.h"

/* Does @check answer @want when a child of ours asks? */
static int in_child(int (*check)(int fd), int fd)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(check(fd));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The first that does not work, each with an argument at @arg; NULL if none. */
static const char *try_all(int fd, union call_arg *arg,
			   int (*call)(int fd, unsigned long cmd, void *arg))
{
	size_t i;

	if (call(fd, VHOST_SET_OWNER, NULL))
		return "VHOST_SET_OWNER";
	for (i = 0; i < nr_calls; i++) {
		/* These are for a file without an owner. */
		if (calls[i].cmd == VHOST_SET_FORK_FROM_OWNER ||
		    calls[i].cmd == VHOST_SET_OWNER)
			continue;
		*arg = call_harmless(calls[i].cmd);
		if (call(fd, calls[i].cmd, arg))
			return calls[i].name;
		if (calls[i].cmd == VHOST_RESET_OWNER &&
		    call(fd, VHOST_SET_OWNER, NULL))
			return "VHOST_SET_OWNER after VHOST_RESET_OWNER";
	}
	return NULL;
}

static int call_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg);
}

TEST_F(abi, every_ioctl_works)
{
	union call_arg arg;
	const char *failed = try_all(self->fd, &arg, call_ioctl);

	EXPECT_EQ(NULL, failed)
		TH_LOG("%s: %m", failed);
}

TEST_F(abi, bad_pointer_is_efault)
{
	size_t i;

	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	for (i = 0; i < nr_calls; i++) {
		if (calls[i].flags & CALL_NO_ARG)
			continue;
		EXPECT_ERRNO(EFAULT, ioctl(self->fd, calls[i].cmd, 16))
			TH_LOG("%s", calls[i].name);
		EXPECT_ERRNO(EFAULT, ioctl(self->fd, calls[i].cmd,
					   0xffff800000000000))
			TH_LOG("%s", calls[i].name);
	}
}

/* 0, or the number of the row that is not refused. */
static int owner_ioctls_refused(int fd)
{
	union call_arg arg;
	size_t i;

	for (i = 0; i < nr_calls; i++) {
		if (!(calls[i].flags & CALL_OWNER))
			continue;
		arg = call_harmless(calls[i].cmd);
		if (errno_of(ioctl(fd, calls[i].cmd, &arg)) != EPERM)
			return 1 + i;
	}
	return 0;
}

TEST_F(abi, not_owner_is_eperm)
{
	EXPECT_EQ(0, owner_ioctls_refused(self->fd));
}

TEST_F(abi, another_process_is_not_owner)
{
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_EQ(0, in_child(owner_ioctls_refused, self->fd));
}

TEST_F(abi, owner_is_set_once)
{
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(EBUSY, ioctl(self->fd, VHOST_SET_OWNER));
}

TEST_F(abi, index_beyond_the_last_queue_is_enobufs)
{
	static const uint32_t bad[] = { 3, 4, 0x10000, 0x80000000, UINT32_MAX };
	union call_arg arg;
	size_t i, j;

	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	mock_forget(&self->dev);
	for (i = 0; i < nr_calls; i++) {
		if (!(calls[i].flags & CALL_VQ))
			continue;
		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			arg = call_harmless(calls[i].cmd);
			arg.file.index = bad[j];
			EXPECT_ERRNO(ENOBUFS,
				     ioctl(self->fd, calls[i].cmd, &arg))
				TH_LOG("%s %u", calls[i].name, bad[j]);
		}
	}
	EXPECT_STREQ("", mock_read(&self->dev, "calls"));
}

static bool is_known(unsigned long cmd)
{
	size_t i;

	for (i = 0; i < nr_calls; i++)
		if (calls[i].cmd == cmd)
			return true;
	return false;
}

TEST_F(abi, unknown_ioctl_is_enotty_whatever_its_argument)
{
	static const unsigned int dirs[] = {
		_IOC_NONE, _IOC_READ, _IOC_WRITE, _IOC_READ | _IOC_WRITE
	};
	static const unsigned int sizes[] = { 0, 1, 2, 4, 8, 16, 40, 0x3fff };
	unsigned int nr, dir, size;
	uint32_t big = UINT32_MAX;

	for (nr = 0; nr < 256; nr++) {
		for (dir = 0; dir < ARRAY_SIZE(dirs); dir++) {
			for (size = 0; size < ARRAY_SIZE(sizes); size++) {
				unsigned long cmd = _IOC(dirs[dir],
							 VHOST_VIRTIO, nr,
							 sizes[size]);

				if (is_known(cmd))
					continue;
				ASSERT_ERRNO(ENOTTY, ioctl(self->fd, cmd, 16))
					TH_LOG("%#lx", cmd);
				ASSERT_ERRNO(ENOTTY,
					     ioctl(self->fd, cmd, &big))
					TH_LOG("%#lx", cmd);
			}
		}
	}
}

/* These need a vhost worker or a log, which a vDPA device has not. */
TEST_F(abi, vhost_ioctls_of_other_devices_are_enotty)
{
	static const unsigned long cmds[] = {
		VHOST_SET_LOG_BASE, VHOST_SET_LOG_FD,
		VHOST_NEW_WORKER, VHOST_FREE_WORKER, VHOST_ATTACH_VRING_WORKER,
		VHOST_GET_VRING_WORKER, VHOST_SET_VRING_ENDIAN,
		VHOST_GET_VRING_ENDIAN, VHOST_NET_SET_BACKEND,
	};
	union call_arg arg = { };
	size_t i;

	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		EXPECT_ERRNO(ENOTTY, ioctl(self->fd, cmds[i], &arg))
			TH_LOG("%#lx", cmds[i]);
}

TEST_F(abi, every_ioctl_is_enodev_when_the_device_is_gone)
{
	union call_arg arg;
	size_t i;

	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	ASSERT_EQ(0, vdpa_del(self->dev.name));
	for (i = 0; i < nr_calls; i++) {
		arg = call_harmless(calls[i].cmd);
		EXPECT_ERRNO(ENODEV, ioctl(self->fd, calls[i].cmd, &arg))
			TH_LOG("%s", calls[i].name);
	}
	EXPECT_ERRNO(ENODEV, iotlb_map(self->fd, 0, 0, SZ_4K, self, 3));
}

/* Who has the file could fill the log otherwise. */
TEST_F(abi, nothing_a_user_sends_is_logged)
{
	int log = log_open();
	union call_arg arg;
	size_t i, round;

	ASSERT_LE(0, log);
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	for (round = 0; round < 10; round++) {
		for (i = 0; i < nr_calls; i++) {
			memset(&arg, 0xff - round, sizeof(arg));
			ioctl(self->fd, calls[i].cmd, &arg);
			ioctl(self->fd, calls[i].cmd, 16);
		}
		iotlb_map(self->fd, round, UINT64_MAX, round, self, 255);
		iotlb_unmap(self->fd, round, UINT64_MAX, round);
		write(self->fd, &arg, sizeof(arg));
		mmap(NULL, SZ_4K, PROT_READ, MAP_SHARED, self->fd, round << 12);
	}
	EXPECT_FALSE(log_says(log, "vdpa"));
	close(log);
}

TEST_F(abi, get_config_of_a_gone_device_zeroes_the_buffer)
{
	uint8_t buf[64], zero[64] = { };

	memset(buf, 0xa5, sizeof(buf));
	ASSERT_EQ(0, vdpa_del(self->dev.name));
	EXPECT_ERRNO(ENODEV, config_io(self->fd, VHOST_VDPA_GET_CONFIG, 0,
				       sizeof(buf), buf));
	EXPECT_EQ(0, memcmp(buf, zero, sizeof(buf)));
}

TEST_F(abi, mem_table_is_checked_and_has_no_effect)
{
	struct vhost_memory *mem = calloc(1, sizeof(*mem) + 65 * 32);

	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	mem->nregions = 64;
	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_SET_MEM_TABLE, mem));
	mem->nregions = 65;
	EXPECT_ERRNO(E2BIG, ioctl(self->fd, VHOST_SET_MEM_TABLE, mem));
	mem->nregions = 1;
	mem->padding = 1;
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->fd, VHOST_SET_MEM_TABLE, mem));
	EXPECT_STREQ("", mock_map(&self->dev));
	free(mem);
}

TEST_F(abi, fork_from_owner_is_kept_until_there_is_an_owner)
{
	uint8_t value = VHOST_FORK_OWNER_KTHREAD;

	EXPECT_ERRNO(0, ioctl(self->fd, VHOST_SET_FORK_FROM_OWNER, &value));
	value = 0xff;
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_GET_FORK_FROM_OWNER, &value));
	EXPECT_EQ(VHOST_FORK_OWNER_KTHREAD, value);
	value = 2;
	EXPECT_ERRNO(EINVAL,
		     ioctl(self->fd, VHOST_SET_FORK_FROM_OWNER, &value));
	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	value = VHOST_FORK_OWNER_TASK;
	EXPECT_ERRNO(EBUSY,
		     ioctl(self->fd, VHOST_SET_FORK_FROM_OWNER, &value));
}

TEST_F(abi, busyloop_timeout_is_kept)
{
	unsigned long set = VHOST_SET_VRING_BUSYLOOP_TIMEOUT;
	unsigned long get = VHOST_GET_VRING_BUSYLOOP_TIMEOUT;

	ASSERT_ERRNO(0, ioctl(self->fd, VHOST_SET_OWNER));
	EXPECT_ERRNO(0, vq_state(self->fd, set, 1, 50));
	EXPECT_ERRNO(EINVAL, vq_state(self->fd, set, 1, 1U << 31));
	EXPECT_EQ(50, vq_get(self->fd, get, 1));
	EXPECT_EQ(0, vq_get(self->fd, get, 0));
}

TEST_F(abi, read_is_einval)
{
	char buf[128];

	EXPECT_ERRNO(EINVAL, read(self->fd, buf, sizeof(buf)));
}

#ifdef __x86_64__
/* The ioctl of 32-bit programs, from a 64-bit one. */
static int ioctl_32(int fd, unsigned long cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "a" (54), "b" (fd), "c" (cmd), "d" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

TEST_F(abi, ioctls_of_a_32_bit_program_work)
{
	struct vhost_vdpa_iova_range *range;
	const char *failed;
	void *low;

	if (access("/proc/sys/abi/vsyscall32", F_OK))
		SKIP(return, "the kernel runs no 32-bit programs");
	low = mmap(NULL, SZ_4K, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, low);
	/* The one that try_all() comes too late for. */
	EXPECT_ERRNO(0, ioctl_32(self->fd, VHOST_SET_FORK_FROM_OWNER, low));
	failed = try_all(self->fd, low, ioctl_32);
	EXPECT_EQ(NULL, failed)
		TH_LOG("%s: %m", failed);
	range = low;
	ASSERT_ERRNO(0, ioctl_32(self->fd, VHOST_VDPA_GET_IOVA_RANGE, range));
	EXPECT_EQ(UINT64_MAX, range->last);
	EXPECT_ERRNO(ENOTTY, ioctl_32(self->fd, VHOST_SET_LOG_FD, low));
	munmap(low, SZ_4K);
}
#endif

TEST_HARNESS_MAIN
