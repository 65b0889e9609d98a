// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which operation on /dev/vhost-vdpa-N is allowed in which state: the table of
 * Documentation/userspace-api/vhost-vdpa.rst, cell by cell, on vdpa_mock. What
 * is refused must not have reached the parent.
 */
#include "common.h"

#include <poll.h>

#include "dev.h"
#include "mem.h"
#include "mockdev.h"
#include "vhost.h"

#define RW	VHOST_ACCESS_RW

enum state { NO_OWNER, OWNER, FEATURES_OK, RUNNING, SUSPENDED, GONE, NR_STATES };

/* What all operations are given. */
struct node {
	int fd;
	char *mem;	/* mapped at 0, where there is an owner */
};

struct op {
	const char *name;
	void (*fn)(const struct node *node, int *ret);
	int err[NR_STATES];	/* or QUIET */
};

#define OP(_name, _call)						\
	static void _name(const struct node *node, int *ret)		\
	{								\
		int fd = node->fd;					\
									\
		*ret = _call;						\
	}

static int set_u64(int fd, unsigned long cmd, uint64_t value)
{
	return ioctl(fd, cmd, &value);
}

static int set_int(int fd, unsigned long cmd, int value)
{
	return ioctl(fd, cmd, &value);
}

static int set_u8(int fd, unsigned long cmd, uint8_t value)
{
	return ioctl(fd, cmd, &value);
}

/* Any of the ioctls that tell something of the device. */
static int get(int fd, unsigned long cmd)
{
	uint64_t arg[2] = { };

	return ioctl(fd, cmd, arg);
}

static int mem_table(int fd)
{
	struct vhost_memory mem = { };

	return ioctl(fd, VHOST_SET_MEM_TABLE, &mem);
}

static int config(int fd, unsigned long cmd)
{
	uint8_t byte = 0;

	return config_io(fd, cmd, 0, 1, &byte);
}

static int doorbell(int fd)
{
	void *page = doorbell_map(fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);

	return page == MAP_FAILED ? -1 : munmap(page, SZ_4K);
}

/* 0 while there is nothing to tell. */
static int hang_up(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN | POLLOUT };

	if (poll(&wait, 1, 0) <= 0)
		return 0;
	errno = wait.revents == (POLLHUP | POLLERR) ? ENODEV : EINVAL;
	return -1;
}

static uint8_t status_of(int fd)
{
	int status = get_status(fd);

	return status < 0 ? 0 : status;
}

OP(op_get_features, get(fd, VHOST_GET_FEATURES))
OP(op_set_features, set_features(fd, 0))
OP(op_set_owner, ioctl(fd, VHOST_SET_OWNER))
OP(op_reset_owner, ioctl(fd, VHOST_RESET_OWNER))
OP(op_set_mem_table, mem_table(fd))
OP(op_set_num, vq_state(fd, VHOST_SET_VRING_NUM, 0, 64))
OP(op_set_addr, vq_addr(fd, 0, 0, 0x100, 0x200))
OP(op_set_base, vq_state(fd, VHOST_SET_VRING_BASE, 0, 1))
OP(op_get_base, vq_get(fd, VHOST_GET_VRING_BASE, 0))
OP(op_set_kick, vq_file(fd, VHOST_SET_VRING_KICK, 0, VHOST_FILE_UNBIND))
OP(op_set_call, vq_file(fd, VHOST_SET_VRING_CALL, 0, VHOST_FILE_UNBIND))
OP(op_set_err, vq_file(fd, VHOST_SET_VRING_ERR, 0, VHOST_FILE_UNBIND))
OP(op_set_busyloop, vq_state(fd, VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 0, 1))
OP(op_get_busyloop, vq_get(fd, VHOST_GET_VRING_BUSYLOOP_TIMEOUT, 0))
OP(op_get_backend, get(fd, VHOST_GET_BACKEND_FEATURES))
OP(op_set_backend, set_u64(fd, VHOST_SET_BACKEND_FEATURES, 0))
OP(op_get_device_id, get(fd, VHOST_VDPA_GET_DEVICE_ID))
OP(op_get_status, get(fd, VHOST_VDPA_GET_STATUS))
OP(op_same_status, set_status(fd, status_of(fd) ?: STATUS_ACK))
OP(op_add_status, set_status(fd, status_of(fd) | STATUS_ACK | 0x80))
OP(op_clear_status, set_status(fd, STATUS_DRIVER_OK))
OP(op_reset, set_status(fd, 0))
OP(op_get_config, config(fd, VHOST_VDPA_GET_CONFIG))
OP(op_set_config, config(fd, VHOST_VDPA_SET_CONFIG))
OP(op_get_generation, get(fd, VHOST_VDPA_GET_CONFIG_GENERATION))
OP(op_config_call, set_int(fd, VHOST_VDPA_SET_CONFIG_CALL, VHOST_FILE_UNBIND))
OP(op_enable, vq_state(fd, VHOST_VDPA_SET_VRING_ENABLE, 0, 1))
OP(op_stay_off, vq_state(fd, VHOST_VDPA_SET_VRING_ENABLE, 0, 0))
OP(op_get_num, get(fd, VHOST_VDPA_GET_VRING_NUM))
OP(op_get_range, get(fd, VHOST_VDPA_GET_IOVA_RANGE))
OP(op_get_config_size, get(fd, VHOST_VDPA_GET_CONFIG_SIZE))
OP(op_get_as_num, get(fd, VHOST_VDPA_GET_AS_NUM))
OP(op_get_group_num, get(fd, VHOST_VDPA_GET_GROUP_NUM))
OP(op_get_vqs_count, get(fd, VHOST_VDPA_GET_VQS_COUNT))
OP(op_get_group, vq_get(fd, VHOST_VDPA_GET_VRING_GROUP, 0))
OP(op_get_desc_group, vq_get(fd, VHOST_VDPA_GET_VRING_DESC_GROUP, 0))
OP(op_get_size, vq_get(fd, VHOST_VDPA_GET_VRING_SIZE, 0))
OP(op_set_asid, vq_state(fd, VHOST_VDPA_SET_GROUP_ASID, 0, 0))
OP(op_suspend, ioctl(fd, VHOST_VDPA_SUSPEND))
OP(op_resume, ioctl(fd, VHOST_VDPA_RESUME))
OP(op_set_fork, set_u8(fd, VHOST_SET_FORK_FROM_OWNER, VHOST_FORK_OWNER_TASK))
OP(op_get_fork, get(fd, VHOST_GET_FORK_FROM_OWNER))
OP(op_update, iotlb_map(fd, 0, SZ_64K, SZ_4K, node->mem, RW))
OP(op_invalidate, iotlb_unmap(fd, 0, 0, SZ_4K))
OP(op_batch_begin, iotlb_batch(fd, 0, VHOST_IOTLB_BATCH_BEGIN))
OP(op_batch_end, iotlb_batch(fd, 0, VHOST_IOTLB_BATCH_END))
OP(op_doorbell, doorbell(fd))
OP(op_poll, hang_up(fd))
OP(op_unknown_feature, set_features(fd, 1ULL << 63))
OP(op_beyond_last, vq_state(fd, VHOST_SET_VRING_NUM, 3, 64))
OP(op_unknown, get(fd, VHOST_SET_LOG_FD))

#define ROW(_op, ...) { #_op, op_##_op, { __VA_ARGS__ } }
/* Instead of an errno: it succeeds, and the parent has been asked at most. */
#define QUIET		(-1)
/* In every state while there is a device; the same for the owner only. */
#define ANY(_op)	ROW(_op, 0, 0, 0, 0, 0, ENODEV)
#define OWNED(_op)	ROW(_op, EPERM, 0, 0, 0, 0, ENODEV)
#define ASKS(_op)	ROW(_op, QUIET, QUIET, QUIET, QUIET, QUIET, ENODEV)
#define OWNER_ASKS(_op)	ROW(_op, EPERM, QUIET, QUIET, QUIET, QUIET, ENODEV)

/* No owner, owner, FEATURES_OK, running, suspended, gone. */
static const struct op ops[] = {
	ASKS(get_features), ASKS(get_backend), ASKS(get_device_id),
	ASKS(get_status), ASKS(get_generation),
	/* Who reads before there are features, takes none. */
	ROW(get_config, 0, 0, QUIET, QUIET, QUIET, ENODEV),
	ASKS(get_num), ASKS(get_range), ASKS(get_config_size),
	ASKS(get_as_num), ASKS(get_group_num), ASKS(get_vqs_count),
	ASKS(get_fork),
	OWNER_ASKS(get_base), OWNER_ASKS(get_busyloop), OWNER_ASKS(get_group),
	OWNER_ASKS(get_desc_group), OWNER_ASKS(get_size),

	ROW(set_owner, 0, EBUSY, EBUSY, EBUSY, EBUSY, ENODEV),
	OWNED(reset_owner),
	ROW(set_fork, QUIET, EBUSY, EBUSY, EBUSY, EBUSY, ENODEV),
	ASKS(set_backend),
	OWNER_ASKS(set_mem_table),
	ROW(set_features, 0, 0, EBUSY, EBUSY, EBUSY, ENODEV),
	ROW(unknown_feature, EINVAL, EINVAL, EBUSY, EBUSY, EBUSY, ENODEV),
	ANY(reset),
	ROW(same_status, 0, 0, 0, 0, QUIET, ENODEV),
	ROW(add_status, 0, 0, 0, 0, EBUSY, ENODEV),
	ROW(clear_status, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, ENODEV),
	ROW(suspend, QUIET, QUIET, QUIET, 0, QUIET, ENODEV),
	ROW(resume, QUIET, QUIET, QUIET, QUIET, 0, ENODEV),
	ANY(set_config), ANY(config_call),

	ROW(set_num, EPERM, 0, 0, EBUSY, 0, ENODEV),
	ROW(set_addr, EPERM, 0, 0, EINVAL, 0, ENODEV),
	ROW(set_base, EPERM, 0, 0, EINVAL, 0, ENODEV),
	ROW(set_asid, EPERM, 0, 0, EBUSY, 0, ENODEV),
	ROW(enable, EPERM, 0, 0, EBUSY, EBUSY, ENODEV),
	OWNED(stay_off),
	OWNED(set_kick), OWNED(set_call), OWNED(set_err),
	OWNER_ASKS(set_busyloop),
	ROW(beyond_last, EPERM, ENOBUFS, ENOBUFS, ENOBUFS, ENOBUFS, ENODEV),

	OWNED(update), OWNED(invalidate), OWNED(batch_begin), OWNED(batch_end),
	ASKS(doorbell), ASKS(poll),
	ROW(unknown, ENOTTY, ENOTTY, ENOTTY, ENOTTY, ENOTTY, ENOTTY),
};

FIXTURE(state) {
	struct mockdev dev;
	char *mem;
};

FIXTURE_VARIANT(state) {
	enum state is;
};

FIXTURE_VARIANT_ADD(state, no_owner) { NO_OWNER };
FIXTURE_VARIANT_ADD(state, owner) { OWNER };
FIXTURE_VARIANT_ADD(state, features_ok) { FEATURES_OK };
FIXTURE_VARIANT_ADD(state, running) { RUNNING };
FIXTURE_VARIANT_ADD(state, suspended) { SUSPENDED };
FIXTURE_VARIANT_ADD(state, gone) { GONE };

FIXTURE_SETUP(state)
{
	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	self->mem = mem_anon(SZ_4K);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, mock_make(&self->dev, "doorbell=page"));
}

FIXTURE_TEARDOWN(state)
{
	EXPECT_STREQ("", mock_del(&self->dev));
	mem_free(self->mem, SZ_4K);
}

/* Open the device and bring it there; some status bits are set anyway. */
static int reach(struct mockdev *dev, enum state state, char *mem)
{
	int fd = vhost_open(dev->name);

	dev->fd = fd;
	if (fd < 0 || set_status(fd, STATUS_ACK | STATUS_DRIVER))
		return errno;
	if (state == NO_OWNER)
		return 0;
	if (ioctl(fd, VHOST_SET_OWNER) || iotlb_map(fd, 0, 0, SZ_4K, mem, RW))
		return errno;
	if (state == FEATURES_OK && set_status(fd, STATUS_ACK | STATUS_DRIVER |
					       STATUS_FEATURES_OK))
		return errno;
	if ((state == RUNNING || state == SUSPENDED) &&
	    set_status(fd, STATUS_RUNNING))
		return errno;
	if (state == SUSPENDED && ioctl(fd, VHOST_VDPA_SUSPEND))
		return errno;
	return state == GONE ? vdpa_del(dev->name) : 0;
}

/* The first call since mock_forget() that does not just ask; "" if none. */
static const char *changing_call(struct mockdev *dev)
{
	static char call[64];
	const char *line = mock_read(dev, "calls");

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (!strncmp(line, "get_", 4))
			continue;
		snprintf(call, sizeof(call), "%.*s", (int)strcspn(line, "\n"),
			 line);
		return call;
	}
	return "";
}

TEST_F_TIMEOUT(state, decides_what_is_allowed, 120)
{
	struct node node = { .fd = -1, .mem = self->mem };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		int err = ops[i].err[variant->is], ret;

		/* One that is gone stays so. */
		if (node.fd < 0 || variant->is != GONE) {
			close(node.fd);
			ASSERT_EQ(0, reach(&self->dev, variant->is, self->mem))
				TH_LOG("before %s", ops[i].name);
			node.fd = self->dev.fd;
		}
		if (variant->is != GONE)
			mock_forget(&self->dev);
		ops[i].fn(&node, &ret);
		EXPECT_ERRNO(err == QUIET ? 0 : err, ret)
			TH_LOG("%s", ops[i].name);
		if (err && variant->is != GONE)
			EXPECT_STREQ("", changing_call(&self->dev))
				TH_LOG("%s", ops[i].name);
	}
}

/* What depends on the status does so without an owner as well. */
TEST(device_without_owner_runs_and_is_suspended)
{
	struct mockdev dev;
	int fd;

	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_EQ(0, mock_make(&dev, ""));
	ASSERT_EQ(0, reach(&dev, NO_OWNER, NULL));
	fd = dev.fd;
	ASSERT_ERRNO(0, set_status(fd, STATUS_RUNNING));
	mock_forget(&dev);
	EXPECT_ERRNO(EBUSY, set_features(fd, 0));
	EXPECT_ERRNO(EPERM, vq_state(fd, VHOST_SET_VRING_NUM, 0, 64));
	EXPECT_ERRNO(EINVAL, set_status(fd, STATUS_ACK));
	EXPECT_STREQ("", changing_call(&dev));
	EXPECT_ERRNO(0, ioctl(fd, VHOST_VDPA_SUSPEND));
	EXPECT_EQ(1, mock_count(&dev, "suspend"));
	EXPECT_ERRNO(EBUSY, set_status(fd, STATUS_RUNNING | 0x80));
	EXPECT_ERRNO(0, ioctl(fd, VHOST_VDPA_RESUME));
	EXPECT_EQ(1, mock_count(&dev, "resume"));
	EXPECT_ERRNO(0, set_status(fd, STATUS_RUNNING | 0x80));
	EXPECT_STREQ("", mock_del(&dev));
}

/* ENABLE_AFTER_DRIVER_OK: it need not be set, only on offer. */
TEST(queue_is_enabled_in_any_state_where_that_is_on_offer)
{
	char *mem = mem_anon(SZ_4K);
	struct mockdev dev;
	enum state state;

	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, mock_make(&dev, "backend_features=0x40"));
	for (state = NO_OWNER; state <= SUSPENDED; state++) {
		close(dev.fd);
		ASSERT_EQ(0, reach(&dev, state, mem));
		EXPECT_ERRNO(state == NO_OWNER ? EPERM : 0,
			     vq_state(dev.fd, VHOST_VDPA_SET_VRING_ENABLE, 0,
				      1))
			TH_LOG("state %d", state);
		EXPECT_EQ(state != NO_OWNER, mock_vq(&dev, 0, "ready"))
			TH_LOG("state %d", state);
	}
	EXPECT_STREQ("", mock_del(&dev));
	mem_free(mem, SZ_4K);
}

/* What a suspended device was given, it goes on with. */
TEST(suspended_device_keeps_what_it_was_given)
{
	char *mem = mem_anon(SZ_4K);
	struct mockdev dev;
	int fd;

	if (!mock_available())
		SKIP(return, "vdpa_mock is not built");
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, mock_make(&dev, ""));
	ASSERT_EQ(0, reach(&dev, SUSPENDED, mem));
	fd = dev.fd;
	EXPECT_ERRNO(0, vq_state(fd, VHOST_SET_VRING_NUM, 0, 64));
	EXPECT_ERRNO(0, vq_state(fd, VHOST_SET_VRING_BASE, 0, 7));
	EXPECT_ERRNO(0, iotlb_map(fd, 0, SZ_64K, SZ_4K, mem, RW));
	EXPECT_ERRNO(0, ioctl(fd, VHOST_VDPA_RESUME));
	EXPECT_EQ(64, mock_vq(&dev, 0, "num"));
	EXPECT_EQ(7, mock_vq(&dev, 0, "state"));
	EXPECT_STREQ("0 0x0 0xfff 3\n0 0x10000 0x10fff 3\n", mock_map(&dev));
	EXPECT_STREQ("", mock_del(&dev));
	mem_free(mem, SZ_4K);
}

TEST_HARNESS_MAIN
