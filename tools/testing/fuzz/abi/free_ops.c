// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a thread of free.c does, one table: calls, and all that may happen to a
 * caller meanwhile.
 */
#include "free.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev.h"
#include "files.h"
#include "rows.h"
#include "vhost.h"

const char *const free_device[NR_DEVICES] = { "free0", "free1" };

static const char driver[] = "vhost_vdpa";

/* What is injected; everything that fails through it says so. */
#define INJECTED	EIO

static const int ioctl_errnos[] = {
	/* ENOTTY: /dev/null */
	ENODEV, ENOTTY, EPERM, EBUSY, EINVAL, ENOBUFS, EOPNOTSUPP, EBADF, E2BIG,
	EFAULT, INJECTED, 0,
};

static const int msg_errnos[] = {
	ENODEV, EPERM, EINVAL, EEXIST, EFAULT, INJECTED, 0,
};

static const int open_errnos[] = {
	/* The node goes before or while it is opened. */
	EBUSY, ENODEV, ENXIO, ENOENT, INJECTED, 0,
};

static const int add_errnos[] = { EEXIST, 0 };

static const int del_errnos[] = { ENODEV, 0 };

/* EAGAIN: a device that is being added is not ready for a driver yet. */
static const int bind_errnos[] = { ENODEV, EBUSY, EAGAIN, 0 };

static const int show_errnos[] = { ENODEV, EOPNOTSUPP, 0 };

static const int mmap_errnos[] = { ENODEV, EINVAL, EOPNOTSUPP, 0 };

static const int knob_errnos[] = { ENOENT, EINVAL, EIO, 0 };

static __thread sigjmp_buf bus_env;

static void on_bus(int sig)
{
	siglongjmp(bus_env, sig);
}

static int file_of(struct actor *actor)
{
	return f.file[rng_below(&actor->rng, NR_FILES)];
}

static const char *device_of(struct actor *actor)
{
	return free_device[rng_below(&actor->rng, NR_DEVICES)];
}

static long ret_of(long ret)
{
	return ret < 0 ? -errno : ret;
}

static long do_open(struct actor *actor)
{
	int fd, err;
	char path[64];

	if (!vhost_path(device_of(actor), path, sizeof(path)))
		return -1;
	/* Another device may have the number by now. */
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		err = errno;
		free_answer(actor, -err, open_errnos);
		return -err;
	}
	ioctl(fd, VHOST_SET_OWNER);
	dup3(fd, file_of(actor), O_CLOEXEC);
	close(fd);
	return 0;
}

static long do_close(struct actor *actor)
{
	return ret_of(dup3(f.null, file_of(actor), O_CLOEXEC));
}

static void arg_fill(struct actor *actor, const struct row *row,
		     union arg *arg)
{
	struct rng *rng = &actor->rng;
	uint32_t i;

	for (i = 0; i < sizeof(struct vhost_vring_addr); i++)
		arg->bytes[i] = rng_next(rng) << rng_below(rng, 9);
	arg->state.index = rng_below(rng, 4);
	switch (row->cmd) {
	case VHOST_VDPA_SET_STATUS:
		arg->u8 = rng_pick(rng, 1, 3, 11, 15, 15, 15, 0, 75);
		break;
	case VHOST_SET_FEATURES:
	case VHOST_SET_BACKEND_FEATURES:
		arg->u64 = rng_pick(rng, 0UL, BIT_ULL(32) | BIT_ULL(33),
				    0x4fUL, rng_next(rng));
		break;
	case VHOST_SET_MEM_TABLE:
		arg->mem.padding = 0;
		break;
	case VHOST_VDPA_GET_CONFIG:
	case VHOST_VDPA_SET_CONFIG:
		arg->config.len = rng_below(rng, 32);
		break;
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		arg->file.fd = f.event[rng_below(rng, NR_FREE_EVENTS)];
		break;
	case VHOST_VDPA_SET_CONFIG_CALL:
		arg->fd = f.event[rng_below(rng, NR_FREE_EVENTS)];
		break;
	case VHOST_SET_VRING_NUM:
		arg->state.num = 1U << rng_below(rng, 9);
		break;
	case VHOST_SET_VRING_ADDR:
		arg->addr.flags = 0;
		arg->addr.avail_user_addr &= -2UL;
		arg->addr.used_user_addr &= -4UL;
		arg->addr.log_guest_addr = 0;
		break;
	}
}

static long do_ioctl(struct actor *actor)
{
	const struct rows *rows = rng_pick(&actor->rng, &rows_device,
					   &rows_vring);
	const struct row *row = &rows->row[rng_below(&actor->rng, rows->nr)];
	union arg arg = { };
	long ret;

	actor->what = row->name;
	arg_fill(actor, row, &arg);
	ret = ret_of(ioctl(file_of(actor), row->cmd, &arg));
	free_answer(actor, ret, ioctl_errnos);
	return ret;
}

static long do_msg(struct actor *actor)
{
	struct rng *rng = &actor->rng;
	uint64_t pages = rng_percent(rng, 95) ? 16 : FREE_PAGES;
	struct iotlb_req req = {
		.version = rng_pick(rng, 1, 2, 2, 2),
		.asid = rng_below(rng, 3),
		.msg = {
			.type = rng_pick(rng, VHOST_IOTLB_UPDATE,
					 VHOST_IOTLB_UPDATE,
					 VHOST_IOTLB_UPDATE,
					 VHOST_IOTLB_INVALIDATE,
					 VHOST_IOTLB_INVALIDATE,
					 VHOST_IOTLB_BATCH_BEGIN,
					 VHOST_IOTLB_BATCH_END),
			.iova = rng_below(rng, 64) * PAGE,
			.size = (1 + rng_below(rng, pages)) * PAGE,
			.uaddr = FREE_MEM + rng_below(rng, FREE_PAGES) * PAGE,
			.perm = 1 + rng_below(rng, 3),
		},
	};
	long ret;

	if (rng_percent(rng, 5)) {
		req.msg.iova = 0;
		req.msg.size = UINT64_MAX;
	}
	ret = ret_of(iotlb_send(file_of(actor), &req));
	free_answer(actor, ret, msg_errnos);
	return ret;
}

static long do_memory(struct actor *actor)
{
	struct rng *rng = &actor->rng;
	uint64_t first = rng_below(rng, FREE_PAGES);
	uint64_t nr = 1 + rng_below(rng, rng_percent(rng, 90) ? 16 : FREE_PAGES);
	void *mem = (void *)(FREE_MEM + first * PAGE);

	if (nr > FREE_PAGES - first)
		nr = FREE_PAGES - first;
	switch (rng_below(rng, 5)) {
	case 0:
		return ret_of(munmap(mem, nr * PAGE));
	case 1:
		return ret_of(mprotect(mem, nr * PAGE, PROT_READ));
	case 2:
		return ret_of(madvise(mem, nr * PAGE, MADV_DONTNEED));
	case 3:
		mmap(mem, nr * PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		return 0;
	default:
		mmap(mem, nr * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		return 0;
	}
}

static long do_doorbell(struct actor *actor)
{
	void *at = doorbell_map(file_of(actor), rng_below(&actor->rng, 4),
				PAGE, PROT_WRITE, MAP_SHARED);
	int n;

	if (at == MAP_FAILED) {
		free_answer(actor, -errno, mmap_errnos);
		return -1;
	}
	if (!sigsetjmp(bus_env, 1))
		for (n = 0; n < 100; n++)
			__atomic_store_n((uint32_t *)at, n, __ATOMIC_RELAXED);
	munmap(at, PAGE);
	return 0;
}

static long do_kick(struct actor *actor)
{
	int fd = f.event[rng_below(&actor->rng, NR_FREE_EVENTS)];
	uint64_t value = 1;

	if (rng_percent(&actor->rng, 30))
		return ret_of(read(fd, &value, sizeof(value)));
	return ret_of(write(fd, &value, sizeof(value)));
}

static long do_poll(struct actor *actor)
{
	struct pollfd wait = { .fd = file_of(actor), .events = POLLIN };

	return ret_of(poll(&wait, 1, rng_below(&actor->rng, 3)));
}

/* A stranger with the same files, who dies of itself or is killed. */
static long do_fork(struct actor *actor)
{
	bool killed = rng_percent(&actor->rng, 50);
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		actor->rng.state++;
		/* Whoever opens a device now is its owner. */
		ioctl(file_of(actor), VHOST_SET_OWNER);
		do {
			do_ioctl(actor);
			do_msg(actor);
		} while (killed);
		_exit(0);
	}
	if (killed) {
		usleep(rng_below(&actor->rng, 20000));
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		_exit(1);
	return 0;
}

void free_check_breaches(const struct actor *actor, const char *name)
{
	static __thread char text[8192];

	if (!f.opts->mock ||
	    file_read(text, sizeof(text), MOCK "/%s/breaches", name))
		return;
	if (*text)
		free_wrong(actor, text);
}

static long do_del(struct actor *actor)
{
	const char *name = device_of(actor);
	long ret;

	free_check_breaches(actor, name);
	ret = nl_del(&actor->nl, name);
	free_answer(actor, ret, del_errnos);
	return ret;
}

static long do_add(struct actor *actor)
{
	long ret = nl_add(&actor->nl, f.mgmtdev, device_of(actor));

	free_answer(actor, ret, add_errnos);
	return ret;
}

static long do_unbind(struct actor *actor)
{
	long ret = driver_unbind(driver, device_of(actor));

	free_answer(actor, ret, bind_errnos);
	return ret;
}

static long do_bind(struct actor *actor)
{
	long ret = driver_bind(driver, device_of(actor));

	free_answer(actor, ret, bind_errnos);
	return ret;
}

static long do_show(struct actor *actor)
{
	long ret = nl_get(&actor->nl, rng_pick(&actor->rng, VDPA_CMD_DEV_GET,
					       VDPA_CMD_DEV_CONFIG_GET),
			  device_of(actor));

	free_answer(actor, ret, show_errnos);
	return ret;
}

/*
 * Operations whose failure the parent's state survives: one that keeps a map
 * that it was to give up would complain of pages that are given back.
 */
static long do_inject(struct actor *actor)
{
	static const char *const fails[] = {
		"dma_map", "suspend", "resume", "set_vq_address",
		"set_vq_state", "get_vq_state", "set_group_asid",
		"set_driver_features", "reset", "bind_mm",
	};
	static const char *const waits[] = {
		"dma_map", "dma_unmap", "set_map", "reset", "get_status",
		"set_status", "get_config", "set_vq_cb", "reset_map",
	};
	struct rng *rng = &actor->rng;
	char line[64] = "clear";
	long ret;

	if (rng_percent(rng, 30))
		snprintf(line, sizeof(line), "%s errno %d %lu",
			 fails[rng_below(rng, ARRAY_SIZE(fails))], INJECTED,
			 1 + rng_below(rng, 8));
	else if (rng_percent(rng, 30))
		snprintf(line, sizeof(line), "%s delay %lu",
			 waits[rng_below(rng, ARRAY_SIZE(waits))],
			 1 + rng_below(rng, 3));
	ret = file_write(line, MOCK "/%s/inject", device_of(actor));
	free_answer(actor, ret, knob_errnos);
	return ret;
}

static long do_raise(struct actor *actor)
{
	const char *line = rng_pick(&actor->rng, "vq 0 50", "vq 1 3",
				    "trigger 0 50", "config 20",
				    "needs_reset");
	long ret = file_write(line, MOCK "/%s/raise", device_of(actor));

	free_answer(actor, ret, knob_errnos);
	return ret;
}

static struct op {
	const char *name;
	long (*fn)(struct actor *actor);
	unsigned int weight;
	bool mock;		/* only with vdpa_mock */
	unsigned long worked, failed;	/* atomic */
} ops[] = {
	{ "ioctl", do_ioctl, 400 },
	{ "message", do_msg, 400 },
	{ "memory", do_memory, 40 },
	{ "doorbell", do_doorbell, 20 },
	{ "kick", do_kick, 60 },
	{ "poll", do_poll, 10 },
	{ "open", do_open, 100 },
	{ "close", do_close, 8 },
	{ "fork", do_fork, 3 },
	{ "del", do_del, 2 },
	{ "add", do_add, 8 },
	{ "unbind", do_unbind, 2 },
	{ "bind", do_bind, 8 },
	{ "show", do_show, 8 },
	{ "inject", do_inject, 10, true },
	{ "raise", do_raise, 30, true },
};

void free_ops_init(void)
{
	struct sigaction action = { .sa_handler = on_bus };

	sigaction(SIGBUS, &action, NULL);
}

void free_step(struct actor *actor)
{
	uint32_t dice, total = 0, i;
	struct op *op;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	dice = rng_below(&actor->rng, total);
	for (i = 0; dice >= ops[i].weight; i++)
		dice -= ops[i].weight;
	op = &ops[i];
	if (op->mock && !f.opts->mock)
		return;
	actor->what = op->name;
	if (op->fn(actor) < 0)
		__atomic_add_fetch(&op->failed, 1, __ATOMIC_RELAXED);
	else
		__atomic_add_fetch(&op->worked, 1, __ATOMIC_RELAXED);
}

void free_tell(void)
{
	uint32_t i;

	printf("# worked/failed:");
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		printf(" %s %lu/%lu", ops[i].name, ops[i].worked,
		       ops[i].failed);
	printf("\n");
}
