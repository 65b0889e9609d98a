// SPDX-License-Identifier: GPL-2.0-only
/*
 * The session and the device: opened, closed, deleted, unbound, and made again.
 * Files of devices that are gone are kept for a while, to call them.
 */
#include "random.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dev.h"
#include "leak.h"
#include "vhost.h"

static const char driver[] = "vhost_vdpa";

/* The file gets the same number each time, for a stranger to know it. */
static void session_begin(void)
{
	int fd = vhost_open(w.dev.name);

	expect(0, fd < 0 ? -errno : 0, "open");
	w.dev.fd = fd;
	model_session();
	m.gone = false;
	stranger_start();
}

static void session_end(void)
{
	int fd;

	stranger_stop();
	close(w.dev.fd);
	note("close");
	if (doorbells_mapped()) {
		fd = vhost_open(w.dev.name);
		expect(-EBUSY, fd < 0 ? -errno : 0, "open while mapped");
	}
	doorbells_drop();
	w.dev.fd = -1;
	model_session();
}

static void device_add(void)
{
	int err = nl_add(&w.nl, m.shape.mock ? MOCKDEV : "vdpasim_net",
			 w.dev.name);

	expect(0, err, "vdpa dev add");
	m.exists = true;
	model_device();
	if (m.shape.mock)
		irqs_give();
}

/* The file is gone with the device, at once, and is told so. */
static void check_gone(void)
{
	struct pollfd wait = { .fd = w.dev.fd, .events = POLLIN | POLLOUT };

	model_session();
	m.gone = true;
	poll(&wait, 1, 0);
	if ((wait.revents & (POLLHUP | POLLERR)) != (POLLHUP | POLLERR))
		fail("poll() of a device that is gone tells %#x", wait.revents);
	doorbells_check_gone();
	if (status_kib("VmPin"))
		fail("%ld KiB stay pinned without a device",
		     status_kib("VmPin"));
}

static void device_go(void)
{
	bool del = rng_percent(&w.rng, 50);
	int err;

	if (m.config_event >= 0)
		m.configs[m.config_event]++;
	alarm(CALL_LIMIT_S);
	if (del) {
		err = nl_del(&w.nl, w.dev.name);
		expect(0, err, "vdpa dev del");
		m.exists = false;
	} else {
		err = driver_unbind(driver, w.dev.name);
		expect(0, err, "unbind");
	}
	check_gone();
}

static void device_come(void)
{
	int i = w.nr_dead++ % NR_DEAD;

	stranger_stop();
	/* Its doorbells hold the file as well. */
	if (w.dead[i] >= 0)
		close(w.dead[i]);
	w.dead[i] = w.dev.fd;
	w.dev.fd = -1;
	if (!m.exists)
		device_add();
	else
		expect(0, driver_bind(driver, w.dev.name), "bind");
	session_begin();
}

void life_step(void)
{
	uint32_t dice = rng_below(&w.rng, 100);

	if (m.gone) {
		if (dice < 80)
			device_come();
	} else if (dice < 30) {
		device_go();
	} else {
		session_end();
		compare();
		session_begin();
	}
}

/* Whatever is asked of what is gone. */
void dead_step(void)
{
	int fd = w.dead[rng_below(&w.rng, NR_DEAD)];
	char config[64];
	int got;

	if (fd < 0)
		return;
	switch (rng_below(&w.rng, 6)) {
	case 0:
		got = set_status(fd, rng_next(&w.rng)) ? -errno : 0;
		break;
	case 1:
		got = ioctl(fd, VHOST_SET_OWNER) ? -errno : 0;
		break;
	case 2:
		got = ioctl(fd, VHOST_RESET_OWNER) ? -errno : 0;
		break;
	case 3:
		got = iotlb_unmap(fd, 0, 0, UINT64_MAX) ? -errno : 0;
		break;
	case 4:
		memset(config, 0xff, sizeof(config));
		got = config_io(fd, VHOST_VDPA_GET_CONFIG, 0, 1, config) ?
		      -errno : 0;
		break;
	default:
		got = vq_file(fd, VHOST_SET_VRING_CALL, 0, w.call[0]) ?
		      -errno : 0;
		break;
	}
	expect(-ENODEV, got, "a call to a device that is gone");
}

/* Whoever looks on changes nothing. */
void show_step(void)
{
	uint8_t cmd = rng_pick(&w.rng, VDPA_CMD_DEV_GET,
			       VDPA_CMD_DEV_CONFIG_GET);

	note("netlink command %u", cmd);
	nl_get(&w.nl, cmd, w.dev.name);
}

static void events_make(int *fds)
{
	int i;

	for (i = 0; i < NR_EVENTS; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static void events_drop(int *fds)
{
	int i;

	for (i = 0; i < NR_EVENTS; i++)
		close(fds[i]);
}

void life_begin(void)
{
	int err, i;

	if (nl_open(&w.nl))
		fail("there is no netlink family vdpa");
	if (m.shape.mock) {
		err = mock_make(&w.dev, m.shape.knobs);
		expect(0, err, "a device with %s", m.shape.knobs);
		m.exists = true;
		model_device();
		irqs_give();
	} else {
		memset(&w.dev, 0, sizeof(w.dev));
		leak_mark(&w.dev.mark);
		snprintf(w.dev.name, sizeof(w.dev.name), "random");
		device_add();
	}
	events_make(w.call);
	events_make(w.kick);
	events_make(w.config);
	events_make(w.err);
	if (m.shape.mock) {
		/* Those of a run that has failed. */
		if (file_write("clear", MOCK "/consumers"))
			fail("the consumers stay");
		bypass_consume();
	}
	w.no_event = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (i = 0; i < NR_DEAD; i++)
		w.dead[i] = -1;
	session_begin();
	if (!m.shape.mock)
		shape_ask(&m.shape, w.dev.fd);
	else if (m.shape.mapping == MAP_IOMMU)
		shape_ask_range(&m.shape, w.dev.fd);
}

/* Nothing is left, and nothing was done to the parent that may not be. */
void life_end(void)
{
	char report[4096] = "";
	const char *text = report;
	int i;

	stranger_stop();
	doorbells_drop();
	if (m.shape.mock && file_write("clear", MOCK "/consumers"))
		fail("the consumers stay");
	for (i = 0; i < NR_DEAD; i++)
		if (w.dead[i] >= 0)
			close(w.dead[i]);
	events_drop(w.call);
	events_drop(w.kick);
	events_drop(w.config);
	events_drop(w.err);
	close(w.no_event);
	if (m.shape.mock) {
		nl_close(&w.nl);
		text = mock_del(&w.dev);
	} else {
		close(w.dev.fd);
		if (m.exists && nl_del(&w.nl, w.dev.name))
			fail("the device cannot be deleted");
		nl_close(&w.nl);
		leak_check(&w.dev.mark, report, sizeof(report));
	}
	if (*text)
		fail("at the end: %s", text);
}
