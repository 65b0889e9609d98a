// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events that a real device would raise on its own.
 *
 * A test writes a line to the file "raise". The callback runs with interrupts
 * off and under cb_lock, as an interrupt handler would: set_vq_cb() that has
 * returned has seen the last of it.
 */
#include "mock.h"

#include <linux/eventfd.h>
#include <linux/sched.h>
#include <uapi/linux/virtio_config.h>

#define MOCK_MAX_RAISE	1000000

static void mock_run_cb(struct mock *m, const struct vdpa_callback *cb)
{
	scoped_guard(spinlock_irqsave, &m->cb_lock) {
		if (cb->callback)
			cb->callback(cb->private);
	}
}

static void mock_run_trigger(struct mock *m, const struct vdpa_callback *cb)
{
	scoped_guard(spinlock_irqsave, &m->cb_lock) {
		if (cb->trigger)
			eventfd_signal(cb->trigger);
	}
}

static void mock_config_changed(struct mock *m, u8 status)
{
	scoped_guard(spinlock_irqsave, &m->lock) {
		m->generation++;
		if (m->props.config_size)
			m->config[0]++;
		WRITE_ONCE(m->status, m->status | status);
	}
	mock_run_cb(m, &m->config_cb);
}

/* Every byte of the configuration space becomes @value, at once. */
static void mock_config_fill(struct mock *m, u8 value)
{
	scoped_guard(spinlock_irqsave, &m->lock) {
		m->generation++;
		memset(m->config, value, m->props.config_size);
	}
	mock_run_cb(m, &m->config_cb);
}

/*
 * "vq IDX [TIMES]": the vq's callback; "trigger IDX [TIMES]": its eventfd
 * directly, as a parent may; "config [TIMES]"; "fill BYTE"; "needs_reset".
 */
int mock_raise(struct mock *m, char *line)
{
	u32 idx = 0, times = 1;
	char what[12];
	int n;

	n = sscanf(line, "%11s %u %u", what, &idx, &times);
	if (n < 1)
		return -EINVAL;
	if (!strcmp(what, "needs_reset")) {
		mock_config_changed(m, VIRTIO_CONFIG_S_NEEDS_RESET);
		return 0;
	}
	if (!strcmp(what, "fill")) {
		mock_config_fill(m, idx);
		return 0;
	}
	if (!strcmp(what, "config")) {
		times = n > 1 ? idx : 1;
		idx = 0;
	} else if (strcmp(what, "vq") && strcmp(what, "trigger")) {
		return -EINVAL;
	}
	if (idx >= m->props.nvqs || times > MOCK_MAX_RAISE)
		return -EINVAL;

	while (times--) {
		if (what[0] == 'c')
			mock_config_changed(m, 0);
		else if (what[0] == 'v')
			mock_run_cb(m, &m->vqs[idx].cb);
		else
			mock_run_trigger(m, &m->vqs[idx].cb);
		cond_resched();
	}
	return 0;
}
