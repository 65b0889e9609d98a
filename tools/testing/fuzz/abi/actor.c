// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who makes a call: this process, or a child that has inherited the file, the
 * stranger; and with which pointer: to all of the argument, to nothing, to a
 * part of it with a hole behind, or to memory that may only be read. Arguments
 * end where a page ends, so the kernel cannot read more in secret.
 */
#include "random.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Shared with the stranger. */
static struct {
	unsigned char *rw, *ro;
	struct call *call;
	long *result;
} shared;

static pid_t stranger;
static int to_stranger[2], from_stranger[2];

static void *map_shared(void *at, int prot, int fd)
{
	void *mem = mmap(at, PAGE, prot, MAP_SHARED | (at ? MAP_FIXED : 0) |
			 (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (mem == MAP_FAILED)
		fail("mmap: %s", err_name(errno));
	return mem;
}

void actors_init(void)
{
	void *hole = mmap(NULL, 4 * PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("arguments", MFD_CLOEXEC);

	if (hole == MAP_FAILED || fd < 0 || ftruncate(fd, PAGE))
		fail("memfd: %s", err_name(errno));
	shared.rw = map_shared(hole, PROT_READ | PROT_WRITE, fd);
	shared.ro = map_shared(hole + 2 * PAGE, PROT_READ, fd);
	close(fd);
	shared.call = map_shared(NULL, PROT_READ | PROT_WRITE, -1);
	shared.result = (void *)(shared.call + 1);
}

static long call_here(const struct call *call)
{
	long ret;

	if (call->is_write)
		ret = write(call->fd, (void *)call->ptr, call->len);
	else
		ret = ioctl(call->fd, call->cmd, call->ptr);
	return ret < 0 ? -errno : ret;
}

static void stranger_main(void)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(to_stranger[0], &byte, 1) == 1) {
		*shared.result = call_here(shared.call);
		if (write(from_stranger[1], &byte, 1) != 1)
			break;
	}
	_exit(0);
}

void stranger_start(void)
{
	if (pipe(to_stranger) || pipe(from_stranger))
		fail("pipe: %s", err_name(errno));
	stranger = fork();
	if (stranger < 0)
		fail("fork: %s", err_name(errno));
	if (!stranger)
		stranger_main();
	close(to_stranger[0]);
	close(from_stranger[1]);
}

void stranger_stop(void)
{
	if (!stranger)
		return;
	kill(stranger, SIGKILL);
	waitpid(stranger, NULL, 0);
	close(to_stranger[1]);
	close(from_stranger[0]);
	stranger = 0;
}

long call_run(const struct call *call)
{
	char byte = 0;

	alarm(CALL_LIMIT_S);
	if (!call->stranger)
		return call_here(call);
	*shared.call = *call;
	if (write(to_stranger[1], &byte, 1) != 1 ||
	    read(from_stranger[0], &byte, 1) != 1)
		fail("the stranger died");
	return *shared.result;
}

/* @len bytes, of which the kernel may reach all, some or none. */
struct buffer buffer_draw(struct rng *rng, size_t len)
{
	struct buffer buf = {
		.data = shared.rw + PAGE - len,
		.can_read = len, .can_write = len,
	};

	buf.ptr = (uintptr_t)buf.data;
	if (rng_percent(rng, 92) || !len)
		return buf;
	buf.kind = rng_pick(rng, PTR_NONE, PTR_SHORT, PTR_RO);
	switch (buf.kind) {
	case PTR_NONE:
		buf.ptr = rng_pick(rng, 0UL, 1UL, (unsigned long)shared.rw + PAGE,
				   0x800000000000UL, 0xffff888000001000UL,
				   0xfffffffffffffff8UL);
		buf.not_user = buf.ptr > arena_user_max();
		buf.can_read = 0;
		buf.can_write = 0;
		break;
	case PTR_SHORT:
		buf.can_read = rng_below(rng, len);
		buf.can_write = buf.can_read;
		buf.data = shared.rw + PAGE - buf.can_read;
		buf.ptr = (uintptr_t)buf.data;
		break;
	default:
		buf.ptr = (uintptr_t)shared.ro + PAGE - len;
		buf.can_write = 0;
		break;
	}
	return buf;
}
