// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device of vdpa_mock that goes, deleted or unbound, while its owner is in
 * the middle of a call: each ioctl in turn, messages, doorbells, poll(),
 * close(); or while it is about to be opened, kicked, or calls back. Each call
 * returns, the file says ENODEV afterwards, nothing is left, and the next
 * device works.
 */
#include "race.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "calls.h"
#include "dev.h"
#include "mem.h"
#include "vhost.h"

#define RW	VHOST_ACCESS_RW
#define PAGES	16
#define TRIES	8	/* that a step makes to be in a call at the moment */
#define KNOBS	"doorbell=page"
#define DRIVER	"vhost_vdpa"
#define VIRTIO	"virtio_vdpa"

static int add(struct race *r)
{
	return nl_add(race_nl(), MOCKDEV, r->name);
}

static int delete(struct race *r)
{
	return nl_del(race_nl(), r->name);
}

static int unbind(struct race *r)
{
	return driver_unbind(DRIVER, r->name);
}

static int bind(struct race *r)
{
	return driver_bind(DRIVER, r->name);
}

/* The device is there and bound. */
static const char *there(struct race *r)
{
	if (!vdpa_exists(r->name) && add(r))
		return "no next device";
	if (!file_exists(BUS "/devices/%s/driver", r->name) && bind(r))
		return "the device cannot be bound again";
	return vhost_path(r->name, r->path, sizeof(r->path)) ? NULL :
		"the device has no node";
}

/* It runs, with memory, a doorbell, and every eventfd. */
static const char *in_use(struct race *r)
{
	const char *wrong = there(r);
	int fd;

	if (wrong)
		return wrong;
	fd = vhost_open(r->name);
	r->fd = fd;
	if (fd < 0 || ioctl(fd, VHOST_SET_OWNER) ||
	    iotlb_map(fd, 0, 0, PAGES * SZ_4K, r->mem, RW) ||
	    vq_file(fd, VHOST_SET_VRING_KICK, 0, r->event[0]) ||
	    vq_file(fd, VHOST_SET_VRING_CALL, 0, r->event[1]) ||
	    ioctl(fd, VHOST_VDPA_SET_CONFIG_CALL, &r->event[2]) || start(fd))
		return "the device cannot be used";
	r->bell = doorbell_map(fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);
	return r->bell == MAP_FAILED ? "there is no doorbell" : NULL;
}

static bool is_gone(struct race *r)
{
	return get_status(r->fd) < 0 && errno == ENODEV &&
	       iotlb_unmap(r->fd, 0, 0, UINT64_MAX) && errno == ENODEV;
}

static const char *after_use(struct race *r)
{
	bool gone = is_gone(r) && mem_store(r->bell, 1) == SIGBUS;

	munmap(r->bell, SZ_4K);
	close(r->fd);
	r->fd = -1;
	return gone ? NULL : "a file answers as if there were a device";
}

static const char *begin_device(struct race *r)
{
	const char *reason = race_own(r);

	if (reason)
		return reason;
	close(r->fd);
	r->fd = -1;
	return NULL;
}

static const char *end_device(struct race *r)
{
	const char *wrong = there(r);

	return wrong ?: race_disown(r);
}

/* A step that is repeated until the device is gone, but not for ever. */
static int until_gone(struct race *r, int (*step)(struct race *r))
{
	int err = 0;

	for (int i = 0; i < TRIES && (!err || err == -EPERM || err == -EBUSY);
	     i++) {
		err = step(r);
		r->count++;
	}
	return err;
}

static int one_ioctl(struct race *r)
{
	const struct call *call = &calls[r->round % nr_calls];
	union call_arg arg = call_harmless(call->cmd);

	return race_err(ioctl(r->fd, call->cmd, &arg));
}

static int one_message(struct race *r)
{
	unsigned int page = race_draw(PAGES);
	int err = race_err(iotlb_unmap(r->fd, 0, page * SZ_4K, SZ_4K));

	return err ?: race_err(iotlb_map(r->fd, 0, page * SZ_4K, SZ_4K,
					 r->mem + page * SZ_4K, RW));
}

static int one_batch(struct race *r)
{
	return race_err(iotlb_batch(r->fd, 0, VHOST_IOTLB_BATCH_BEGIN)) ?:
	       one_message(r) ?:
	       race_err(iotlb_batch(r->fd, 0, VHOST_IOTLB_BATCH_END));
}

static int one_doorbell(struct race *r)
{
	uint32_t *bell = doorbell_map(r->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);
	int err;

	if (bell == MAP_FAILED)
		return -errno;
	err = mem_store(bell, 1) ? -EFAULT : 0;
	munmap(bell, SZ_4K);
	return err;
}

static int one_kick(struct race *r)
{
	return race_event_signal(r, 0);
}

static int call_ioctls(struct race *r)
{
	return until_gone(r, one_ioctl);
}

static int send_messages(struct race *r)
{
	return until_gone(r, one_message);
}

static int send_batches(struct race *r)
{
	return until_gone(r, one_batch);
}

static int ring_doorbells(struct race *r)
{
	return until_gone(r, one_doorbell);
}

static int send_kicks(struct race *r)
{
	return until_gone(r, one_kick);
}

/* Nothing else ends it. */
static int poll_it(struct race *r)
{
	struct pollfd wait = { .fd = r->fd };

	if (poll(&wait, 1, 10000) != 1)
		return -ETIME;
	return wait.revents == (POLLHUP | POLLERR) ? 0 : -EPROTO;
}

static int call_back(struct race *r)
{
	static const char *const lines[] = {
		"vq 0 4", "trigger 0 4", "config 4", "needs_reset",
	};

	return file_write(lines[r->round % ARRAY_SIZE(lines)],
				      MOCK "/%s/raise", r->name);
}

/* Of VHOST_RESET_OWNER when repeated, of what a device that runs refuses. */
#define IOCTLS		{ call_ioctls, { ENODEV, EPERM, EBUSY, EINVAL, \
					 EOPNOTSUPP } }
#define MESSAGES	{ send_messages, { ENODEV } }
#define BATCHES		{ send_batches, { ENODEV } }
#define DOORBELLS	{ ring_doorbells, { ENODEV, EFAULT } }
#define POLL		{ poll_it }
#define KICKS		{ send_kicks }
/* Its files go before the device does. */
#define CALLBACKS	{ call_back, { ENOENT, ENODEV, EIO } }

#define IN_USE(_how, _what, _knobs) { {					\
	.a = { _how }, .b = _what, .begin = begin_device,		\
	.before = in_use, .after = after_use, .end = end_device,	\
	.knobs = KNOBS _knobs, .part = 2,				\
} }

FIXTURE_VARIANT_ADD(race, delete_meets_every_ioctl)
	IN_USE(delete, IOCTLS, "");
FIXTURE_VARIANT_ADD(race, unbind_meets_every_ioctl)
	IN_USE(unbind, IOCTLS, "");
FIXTURE_VARIANT_ADD(race, delete_meets_messages) IN_USE(delete, MESSAGES, "");
FIXTURE_VARIANT_ADD(race, unbind_meets_messages) IN_USE(unbind, MESSAGES, "");
FIXTURE_VARIANT_ADD(race, delete_meets_batches)
	IN_USE(delete, BATCHES, " mapping=set_map");
FIXTURE_VARIANT_ADD(race, unbind_meets_batches)
	IN_USE(unbind, BATCHES, " mapping=set_map");
FIXTURE_VARIANT_ADD(race, delete_meets_mmap_and_doorbell)
	IN_USE(delete, DOORBELLS, "");
FIXTURE_VARIANT_ADD(race, unbind_meets_mmap_and_doorbell)
	IN_USE(unbind, DOORBELLS, "");
FIXTURE_VARIANT_ADD(race, delete_meets_poll) IN_USE(delete, POLL, "");
FIXTURE_VARIANT_ADD(race, unbind_meets_poll) IN_USE(unbind, POLL, "");
FIXTURE_VARIANT_ADD(race, delete_meets_kick) IN_USE(delete, KICKS, "");
FIXTURE_VARIANT_ADD(race, unbind_meets_kick) IN_USE(unbind, KICKS, "");
FIXTURE_VARIANT_ADD(race, delete_meets_callbacks)
	IN_USE(delete, CALLBACKS, "");
FIXTURE_VARIANT_ADD(race, unbind_meets_callbacks)
	IN_USE(unbind, CALLBACKS, "");

static int close_it(struct race *r)
{
	return race_err(close(r->fd));
}

static const char *after_close(struct race *r)
{
	munmap(r->bell, SZ_4K);
	r->fd = -1;
	return NULL;
}

#define CLOSED(_how) { {						\
	.a = { _how }, .b = { close_it }, .begin = begin_device,	\
	.before = in_use, .after = after_close, .end = end_device,	\
	.knobs = KNOBS, .part = 2,					\
} }

FIXTURE_VARIANT_ADD(race, delete_meets_close) CLOSED(delete);
FIXTURE_VARIANT_ADD(race, unbind_meets_close) CLOSED(unbind);

/*
 * The node may be there before or after the device can be opened, as it comes
 * and as it goes; opening it then has one of a few ends.
 */
static int open_by_path(struct race *r)
{
	int fd = -1;

	for (int i = 0; i < TRIES && fd < 0; i++)
		fd = open(r->path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r->count++;
	close(fd);
	return 0;
}

static const char *free_now(struct race *r)
{
	const char *wrong = there(r);

	if (!wrong && unbind(r))
		wrong = "it cannot be unbound";
	return wrong;
}

static int add_again(struct race *r)
{
	return delete(r) ?: add(r);
}

static int rebind(struct race *r)
{
	return unbind(r) ?: bind(r);
}

#define UNBIND		{ unbind, { ENODEV } }
#define OPENS		{ open_by_path, { ENODEV, ENXIO, ENOENT } }

#define COMES(_before, _a, ...) { {					\
	.a = _a, .b = __VA_ARGS__, .begin = begin_device,		\
	.before = _before, .end = end_device, .part = 2,		\
} }

/* Upstream's probe showed the node before it was ready. */
FIXTURE_VARIANT_ADD(race, bind_meets_open) COMES(free_now, { bind }, OPENS);
FIXTURE_VARIANT_ADD(race, unbind_meets_open) COMES(there, { unbind }, OPENS);
FIXTURE_VARIANT_ADD(race, rebind_meets_open) COMES(there, { rebind }, OPENS);
FIXTURE_VARIANT_ADD(race, delete_meets_open) COMES(there, { delete }, OPENS);
FIXTURE_VARIANT_ADD(race, add_meets_open) COMES(there, { add_again }, OPENS);

/* Of two that do the same, one is too late. */
static const char *after_two(struct race *r)
{
	return !r->a.err == !r->b.err ? "not one of two has done it" : NULL;
}

#define TWO(_before, _step, ...) { {					\
	.a = { _step, { __VA_ARGS__ } }, .b = { _step, { __VA_ARGS__ } }, \
	.begin = begin_device, .before = _before, .after = after_two,	\
	.end = end_device, .part = 2,					\
} }

static const char *deleted(struct race *r)
{
	return vdpa_exists(r->name) && delete(r) ? "it stays" : NULL;
}

FIXTURE_VARIANT_ADD(race, delete_meets_delete) TWO(there, delete, ENODEV);
FIXTURE_VARIANT_ADD(race, bind_meets_bind) TWO(free_now, bind, EBUSY, ENODEV);
FIXTURE_VARIANT_ADD(race, add_meets_add) TWO(deleted, add, EEXIST);

/* The driver core says so to both if they come at the same time. */
FIXTURE_VARIANT_ADD(race, unbind_meets_unbind)
	COMES(there, UNBIND, UNBIND);
FIXTURE_VARIANT_ADD(race, delete_meets_unbind)
	COMES(there, { delete }, UNBIND);
FIXTURE_VARIANT_ADD(race, delete_meets_bind)
	COMES(free_now, { delete }, { bind, { ENODEV, EBUSY } });
FIXTURE_VARIANT_ADD(race, unbind_meets_add)
	COMES(there, { add_again }, UNBIND);

/*
 * virtio_vdpa, with a device that no virtio driver wants: upstream's unbind
 * used the virtio device after its last reference was gone.
 */
static const char *begin_virtio(struct race *r)
{
	const char *reason = module_load("virtio_vdpa") ? begin_device(r) :
		"virtio_vdpa is not built";

	if (reason)
		return reason;
	return unbind(r) || driver_bind(VIRTIO, r->name) ?
		"it cannot be bound" : NULL;
}

static int rebind_virtio(struct race *r)
{
	return driver_unbind(VIRTIO, r->name) ?: driver_bind(VIRTIO, r->name);
}

/* Of the virtio device, whatever its number is now. */
static int read_attributes(struct race *r)
{
	static const char *const names[] = {
		"features", "status", "device", "modalias", "uevent",
	};
	char text[256];

	for (int i = 0; i < 40; i++)
		file_read(text, sizeof(text), BUS "/devices/%s/virtio%d/%s",
			  r->name, i / 5, names[i % 5]);
	return 0;
}

static int show_config(struct race *r)
{
	return nl_get(race_nl(), VDPA_CMD_DEV_CONFIG_GET, r->name);
}

static int to_vhost_and_back(struct race *r)
{
	driver_unbind(VIRTIO, r->name);
	driver_bind(DRIVER, r->name);
	driver_unbind(DRIVER, r->name);
	return 0;
}

static const char *virtio_has_it(struct race *r)
{
	if (!vdpa_exists(r->name) && add(r))
		return "no next device";
	unbind(r);
	driver_bind(VIRTIO, r->name);
	return strcmp(link_name(BUS "/devices/%s/driver", r->name), VIRTIO) ?
		"virtio_vdpa does not have it" : NULL;
}

/* Whoever has it meanwhile. */
#define REBIND_VIRTIO	{ rebind_virtio, { ENODEV, EBUSY } }

static const char *end_virtio(struct race *r)
{
	driver_unbind(VIRTIO, r->name);
	return end_device(r);
}

#define VIRTIO_HAS_IT(_a, ...) { {					\
	.a = _a, .b = __VA_ARGS__, .begin = begin_virtio,		\
	.before = virtio_has_it, .end = end_virtio,			\
	.knobs = "device_id=60", .part = 2,				\
} }

FIXTURE_VARIANT_ADD(race, rebind_of_virtio_meets_reading_of_attributes)
	VIRTIO_HAS_IT({ rebind_virtio }, { read_attributes });
FIXTURE_VARIANT_ADD(race, rebind_of_virtio_meets_show)
	VIRTIO_HAS_IT({ rebind_virtio }, { show_config, { EOPNOTSUPP } });
FIXTURE_VARIANT_ADD(race, rebind_of_virtio_meets_vhost)
	VIRTIO_HAS_IT(REBIND_VIRTIO, { to_vhost_and_back });
FIXTURE_VARIANT_ADD(race, delete_meets_virtio)
	VIRTIO_HAS_IT({ delete }, { rebind_virtio, { ENODEV } });

TEST_HARNESS_MAIN
