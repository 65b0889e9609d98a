// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pairs of calls that meet in one session on a device of vdpa_mock, and calls
 * that meet what the device raises. The device looks for what its driver must
 * not do, whatever the order: a queue that changes while it runs, a page that
 * is mapped and not pinned.
 */
#include "race.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include "dev.h"
#include "mem.h"
#include "vhost.h"

#define RW		VHOST_ACCESS_RW
#define PAGES		16
#define CONFIG_LEN	64	/* bytes of configuration space */
#define AFTER_OK	"backend_features=0x40"	/* ENABLE_AFTER_DRIVER_OK */
#define DOORBELLS	"doorbell=page"
#define SET_MAP		"mapping=set_map"

/* Which of the eventfds is for what; a bypass has two of them. */
enum { KICK, CALL, ERR, CONFIG };

static int event_of(struct race *r, int nr)
{
	return __atomic_load_n(&r->event[nr], __ATOMIC_RELAXED);
}

/* A new eventfd is set, then the one before it is closed. */
static int replace(struct race *r, unsigned long cmd, int nr)
{
	int old = race_event_new(r, nr), err;

	err = race_err(vq_file(r->fd, cmd, 0, event_of(r, nr)));
	close(old);
	return err;
}

static int replace_kick(struct race *r)
{
	return replace(r, VHOST_SET_VRING_KICK, KICK);
}

static int replace_call(struct race *r)
{
	return replace(r, VHOST_SET_VRING_CALL, CALL);
}

static int replace_err(struct race *r)
{
	return replace(r, VHOST_SET_VRING_ERR, ERR);
}

static int replace_config(struct race *r)
{
	int old = race_event_new(r, CONFIG), event = event_of(r, CONFIG), err;

	err = race_err(ioctl(r->fd, VHOST_VDPA_SET_CONFIG_CALL, &event));
	close(old);
	return err;
}

static int unset_and_set_kick(struct race *r)
{
	return race_err(vq_file(r->fd, VHOST_SET_VRING_KICK, 0,
				VHOST_FILE_UNBIND)) ?:
	       race_err(vq_file(r->fd, VHOST_SET_VRING_KICK, 0,
				event_of(r, KICK)));
}

/* EBADF: the eventfd has been replaced and closed meanwhile. */
static int kick(struct race *r)
{
	return race_event_signal(r, KICK);
}

static int raise_line(struct race *r, const char *line)
{
	return mock_write(&r->dev, "raise", line);
}

static int raise_vq(struct race *r)
{
	return raise_line(r, "vq 0 4");
}

static int raise_trigger(struct race *r)
{
	return raise_line(r, "trigger 0 4");
}

static int raise_config(struct race *r)
{
	return raise_line(r, "config 4");
}

static int restart(struct race *r)
{
	return race_err(set_status(r->fd, 0)) ?:
	       race_err(vq_state(r->fd, VHOST_VDPA_SET_VRING_ENABLE, 0, 1)) ?:
	       race_err(start(r->fd));
}

static int break_and_restart(struct race *r)
{
	return raise_line(r, "needs_reset") ?: restart(r);
}

/* That the eventfd which was set last works, and nobody was told twice. */
static const char *end_kicks(struct race *r)
{
	uint64_t before = mock_vq(&r->dev, 0, "kicks");

	if (kick(r) || mock_vq(&r->dev, 0, "kicks") != before + 1) {
		race_disown(r);
		return "a kick is not one kick in the end";
	}
	return race_disown(r);
}

static const char *begin_running(struct race *r)
{
	const char *reason = race_own(r);

	if (reason)
		return reason;
	return replace_kick(r) || replace_call(r) || restart(r) ?
		"it does not run" : NULL;
}

FIXTURE_VARIANT_ADD(race, kick_eventfd_is_replaced_while_kicked) { {
	.a = { replace_kick }, .b = { kick, { EBADF } },
	.begin = begin_running, .end = end_kicks, .again = true,
} };

FIXTURE_VARIANT_ADD(race, kick_eventfd_is_unset_while_kicked) { {
	.a = { unset_and_set_kick }, .b = { kick },
	.begin = begin_running, .end = end_kicks, .again = true,
} };

FIXTURE_VARIANT_ADD(race, call_eventfd_is_replaced_while_called) { {
	.a = { replace_call }, .b = { raise_vq },
	.begin = begin_running, .end = race_disown, .again = true,
} };

FIXTURE_VARIANT_ADD(race, trigger_is_replaced_while_triggered) { {
	.a = { replace_call }, .b = { raise_trigger },
	.begin = begin_running, .end = race_disown, .again = true,
} };

FIXTURE_VARIANT_ADD(race, config_eventfd_is_replaced_while_signalled) { {
	.a = { replace_config }, .b = { raise_config },
	.begin = begin_running, .end = race_disown, .again = true,
} };

FIXTURE_VARIANT_ADD(race, error_eventfd_is_replaced_while_device_breaks) { {
	.a = { replace_err }, .b = { break_and_restart },
	.begin = begin_running, .end = race_disown, .again = true,
} };

FIXTURE_VARIANT_ADD(race, kick_meets_reset) { {
	.a = { restart }, .b = { kick },
	.begin = begin_running, .end = end_kicks, .again = true,
} };

static int suspend_and_resume(struct race *r)
{
	return race_err(ioctl(r->fd, VHOST_VDPA_SUSPEND)) ?:
	       race_err(ioctl(r->fd, VHOST_VDPA_RESUME));
}

static int suspend(struct race *r)
{
	return race_err(ioctl(r->fd, VHOST_VDPA_SUSPEND));
}

static int resume(struct race *r)
{
	return race_err(ioctl(r->fd, VHOST_VDPA_RESUME));
}

FIXTURE_VARIANT_ADD(race, kick_meets_suspend) { {
	.a = { suspend_and_resume }, .b = { kick },
	.begin = begin_running, .end = end_kicks, .again = true,
} };

FIXTURE_VARIANT_ADD(race, suspend_meets_resume) { {
	.a = { suspend }, .b = { resume },
	.begin = begin_running, .end = race_disown, .again = true,
} };

FIXTURE_VARIANT_ADD(race, suspend_meets_reset) { {
	.a = { suspend_and_resume }, .b = { restart },
	.begin = begin_running, .end = race_disown, .knobs = AFTER_OK,
	.again = true,
} };

static int give_up_and_take(struct race *r)
{
	return race_err(ioctl(r->fd, VHOST_RESET_OWNER)) ?:
	       race_err(ioctl(r->fd, VHOST_SET_OWNER));
}

static int give_up_and_listen(struct race *r)
{
	return give_up_and_take(r) ?: unset_and_set_kick(r);
}

FIXTURE_VARIANT_ADD(race, kick_meets_reset_of_ownership) { {
	.a = { give_up_and_listen }, .b = { kick },
	.begin = begin_running, .end = end_kicks, .again = true,
} };

/* CVE-2024-47748: consumers in the place of KVM's have two eventfds. */
static const char *begin_bypass(struct race *r)
{
	const char *reason = begin_running(r);
	char line[32];

	if (reason)
		return reason;
	for (int i = CALL; i <= ERR; i++) {
		snprintf(line, sizeof(line), "add %d", r->event[i]);
		if (file_write(line, MOCK "/consumers"))
			return "no consumer";
	}
	return mock_write(&r->dev, "inject", "get_vq_irq value 40") ?
		"no interrupt" : NULL;
}

static int alternate_call(struct race *r)
{
	return race_err(vq_file(r->fd, VHOST_SET_VRING_CALL, 0,
				r->event[CALL + (r->round & 1)]));
}

static int restart_and_raise(struct race *r)
{
	return restart(r) ?: raise_vq(r);
}

#define CONSUMER	"%*u irq %d added %u deleted %u "

/* One consumer at a time has the interrupt; in the end, none. */
static const char *after_bypass(struct race *r)
{
	unsigned int nr, added[2], deleted[2];
	char text[256];
	int irq[2];

	if (file_read(text, sizeof(text), MOCK "/consumers") ||
	    sscanf(text, CONSUMER CONSUMER, &irq[0], &added[0], &deleted[0],
		   &irq[1], &added[1], &deleted[1]) != 6)
		return "no consumers";
	for (nr = 0; nr < 2; nr++)
		if (added[nr] != deleted[nr] + (irq[nr] == 40 ? 1 : 0))
			return "a consumer has lost a producer";
	r->count = added[0] + added[1];
	return irq[r->round & 1] == 40 && irq[!(r->round & 1)] == -1 ? NULL :
		"the interrupt is not where the call eventfd is";
}

static const char *end_bypass(struct race *r)
{
	file_write("clear", MOCK "/consumers");
	return race_disown(r);
}

FIXTURE_VARIANT_ADD(race, bypass_follows_call_eventfd_through_resets) { {
	.a = { alternate_call }, .b = { restart_and_raise },
	.begin = begin_bypass, .after = after_bypass, .end = end_bypass,
	.again = true,
} };

/* Any of four places, of any length. */
static int map(struct race *r)
{
	unsigned int page = race_draw(4);

	return race_err(iotlb_map(r->fd, 0, page * SZ_4K,
				  (1 + race_draw(8)) * SZ_4K,
				  r->mem + page * SZ_4K, RW));
}

static int unmap(struct race *r)
{
	return race_err(iotlb_unmap(r->fd, 0, race_draw(4) * SZ_4K,
				    (1 + race_draw(8)) * SZ_4K));
}

static int unmap_and_map(struct race *r)
{
	return unmap(r) ?: map(r);
}

static int batch(struct race *r)
{
	int err = race_err(iotlb_batch(r->fd, 0, VHOST_IOTLB_BATCH_BEGIN));

	if (err)
		return err;
	err = unmap_and_map(r);
	return race_err(iotlb_batch(r->fd, 0, VHOST_IOTLB_BATCH_END)) ?: err;
}

/* The memory goes while it is pinned, and other memory is there. */
static int replace_memory(struct race *r)
{
	void *mem = mmap(r->mem, PAGES * SZ_4K, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return mem == r->mem ? 0 : -errno;
}

FIXTURE_VARIANT_ADD(race, map_meets_unmap) { {
	.a = { unmap_and_map, { EEXIST } }, .b = { unmap_and_map, { EEXIST } },
	.begin = race_own, .end = race_disown, .again = true,
} };

FIXTURE_VARIANT_ADD(race, map_meets_unmap_of_a_table) { {
	.a = { unmap_and_map, { EEXIST } }, .b = { unmap_and_map, { EEXIST } },
	.begin = race_own, .end = race_disown, .knobs = SET_MAP, .again = true,
} };

FIXTURE_VARIANT_ADD(race, batch_meets_batch) { {
	.a = { batch, { EEXIST } }, .b = { batch, { EEXIST } },
	.begin = race_own, .end = race_disown, .knobs = SET_MAP, .again = true,
} };

FIXTURE_VARIANT_ADD(race, batch_meets_reset) { {
	.a = { batch, { EEXIST } }, .b = { restart },
	.begin = race_own, .end = race_disown, .knobs = SET_MAP, .again = true,
} };

FIXTURE_VARIANT_ADD(race, map_meets_munmap) { {
	.a = { unmap_and_map, { EEXIST, EFAULT } }, .b = { replace_memory },
	.begin = race_own, .end = race_disown, .again = true,
} };

FIXTURE_VARIANT_ADD(race, map_meets_reset_of_ownership) { {
	.a = { unmap_and_map, { EEXIST, EPERM } }, .b = { give_up_and_take },
	.begin = race_own, .end = race_disown, .again = true,
} };

/* Another file of the device, which nobody else closes. */
static const char *reopen(struct race *r)
{
	r->fd = vhost_open(r->name);
	r->dev.fd = r->fd;
	if (r->fd < 0 || ioctl(r->fd, VHOST_SET_OWNER))
		return "the device cannot be opened again";
	return NULL;
}

static int close_it(struct race *r)
{
	return race_err(close(r->fd));
}

static const char *end_closed(struct race *r)
{
	const char *wrong = reopen(r);

	return wrong ?: race_disown(r);
}

/* What is under way when the file is closed ends before that does. */
static const char *before_close(struct race *r)
{
	return r->round ? reopen(r) : NULL;
}

FIXTURE_VARIANT_ADD(race, map_meets_close) { {
	.a = { close_it }, .b = { map, { EBADF } },
	.begin = race_own, .before = before_close, .end = end_closed,
} };

static int start_it(struct race *r)
{
	return race_err(vq_file(r->fd, VHOST_SET_VRING_KICK, 0,
				r->event[KICK])) ?:
	       race_err(start(r->fd)) ?: kick(r);
}

FIXTURE_VARIANT_ADD(race, start_meets_close) { {
	.a = { close_it }, .b = { start_it, { EBADF } },
	.begin = race_own, .before = before_close, .end = end_closed,
} };

/* Two open one device, or want to own it. */
static int opened[2];

static int open_as(struct race *r, int who)
{
	opened[who] = open(r->path, O_RDWR | O_CLOEXEC);
	return race_err(opened[who]);
}

static int open_a(struct race *r)
{
	return open_as(r, 0);
}

static int open_b(struct race *r)
{
	return open_as(r, 1);
}

static const char *after_open(struct race *r)
{
	for (int i = 0; i < 2; i++)
		if (opened[i] >= 0)
			close(opened[i]);
	return (opened[0] < 0) == (opened[1] < 0) ?
		"not one of two has the device" : NULL;
}

static const char *begin_closed(struct race *r)
{
	const char *reason = race_own(r);

	if (!reason)
		close(r->fd);
	return reason;
}

FIXTURE_VARIANT_ADD(race, open_meets_open) { {
	.a = { open_a, { EBUSY } }, .b = { open_b, { EBUSY } },
	.begin = begin_closed, .after = after_open, .end = end_closed,
} };

static const char *before_owner(struct race *r)
{
	return ioctl(r->fd, VHOST_RESET_OWNER) ? "the owner stays" : NULL;
}

static int own(struct race *r)
{
	return race_err(ioctl(r->fd, VHOST_SET_OWNER));
}

static const char *after_owner(struct race *r)
{
	return !r->a.err == !r->b.err ? "not one of two owns it" : NULL;
}

FIXTURE_VARIANT_ADD(race, set_owner_meets_set_owner) { {
	.a = { own, { EBUSY } }, .b = { own, { EBUSY } },
	.begin = race_own, .before = before_owner, .after = after_owner,
	.end = race_disown,
} };

/* Doorbells of the owner before the next one are of no use. */
static const char *before_doorbell(struct race *r)
{
	r->bell = doorbell_map(r->fd, 0, SZ_4K, PROT_WRITE, MAP_SHARED);
	return r->bell == MAP_FAILED ? "there is no doorbell" : NULL;
}

static int ring_the_bell(struct race *r)
{
	return mem_store(r->bell, 1) ? -EFAULT : 0;
}

static const char *after_doorbell(struct race *r)
{
	bool gone = ring_the_bell(r) == -EFAULT;

	munmap(r->bell, SZ_4K);
	return gone ? NULL : "the doorbell can still be rung";
}

FIXTURE_VARIANT_ADD(race, doorbell_meets_reset_of_ownership) { {
	.a = { ring_the_bell, { EFAULT } }, .b = { give_up_and_take },
	.begin = race_own, .before = before_doorbell, .after = after_doorbell,
	.end = race_disown, .knobs = DOORBELLS, .again = true,
} };

/* EBUSY and EINVAL: it runs. vdpa_mock complains of what it is told then. */
static int set_up_queue(struct race *r)
{
	return race_err(vq_state(r->fd, VHOST_SET_VRING_NUM, 0, 64)) ?:
	       race_err(vq_state(r->fd, VHOST_SET_VRING_BASE, 0, 0)) ?:
	       race_err(vq_addr(r->fd, 0, 0x1000, 0x2000, 0x3000)) ?:
	       race_err(vq_state(r->fd, VHOST_VDPA_SET_GROUP_ASID, 0, 0));
}

FIXTURE_VARIANT_ADD(race, set_up_of_a_queue_meets_driver_ok) { {
	.a = { set_up_queue, { EBUSY, EINVAL } }, .b = { restart },
	.begin = race_own, .end = race_disown, .again = true,
} };

static int set_up_features(struct race *r)
{
	return race_err(set_features(r->fd, BIT_ULL(32) | BIT_ULL(33)));
}

FIXTURE_VARIANT_ADD(race, set_features_meets_features_ok) { {
	.a = { set_up_features, { EBUSY } }, .b = { restart },
	.begin = race_own, .end = race_disown, .again = true,
} };

static int get_base(struct race *r)
{
	return race_err(vq_get(r->fd, VHOST_GET_VRING_BASE, 0));
}

FIXTURE_VARIANT_ADD(race, get_base_meets_reset) { {
	.a = { get_base }, .b = { restart },
	.begin = begin_running, .end = race_disown, .again = true,
} };

/* The device makes all bytes the same; what is read is of one moment. */
static int fill_config(struct race *r)
{
	char line[16];

	snprintf(line, sizeof(line), "fill %lu", r->round & 0xff);
	return raise_line(r, line);
}

static int read_config(struct race *r)
{
	const unsigned long ask = VHOST_VDPA_GET_CONFIG_GENERATION;
	const unsigned long get = VHOST_VDPA_GET_CONFIG;
	uint8_t buf[CONFIG_LEN];
	uint32_t before, after;

	do {
		if (ioctl(r->fd, ask, &before) ||
		    config_io(r->fd, get, 0, sizeof(buf), buf) ||
		    ioctl(r->fd, ask, &after))
			return -errno;
	} while (before != after);
	for (int i = 1; r->round && i < CONFIG_LEN; i++)
		if (buf[i] != buf[0])
			return -EILSEQ;
	return 0;
}

static int write_config(struct race *r)
{
	uint8_t buf[CONFIG_LEN];

	memset(buf, r->round, sizeof(buf));
	return race_err(config_io(r->fd, VHOST_VDPA_SET_CONFIG, 0, CONFIG_LEN,
				  buf));
}

FIXTURE_VARIANT_ADD(race, config_is_read_while_it_changes) { {
	.a = { read_config }, .b = { fill_config },
	.begin = race_own, .end = race_disown, .again = true,
} };

FIXTURE_VARIANT_ADD(race, config_is_read_while_it_is_written) { {
	.a = { read_config }, .b = { write_config },
	.begin = race_own, .end = race_disown, .again = true,
} };

TEST_HARNESS_MAIN
