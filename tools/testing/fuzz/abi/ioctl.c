// SPDX-License-Identifier: GPL-2.0-only
/*
 * One ioctl: drawn from the table, with a pointer that may be bad, from a
 * caller who may be wrong; checked in the order that the documentation gives.
 */
#include "rows.h"

#include <string.h>

#include "random.h"

static const struct rows *const tables[] = { &rows_device, &rows_vring };

static const struct row *any_row(void)
{
	uint32_t i = rng_below(&w.rng, rows_device.nr + rows_vring.nr);

	return i < rows_device.nr ? &rows_device.row[i] :
				    &rows_vring.row[i - rows_device.nr];
}

/* Those that only read, less often. */
static const struct row *row_draw(void)
{
	const struct row *row = any_row();

	if (_IOC_DIR(row->cmd) == _IOC_READ && rng_percent(&w.rng, 70))
		row = any_row();
	return row;
}

static const struct row *row_of(unsigned long cmd)
{
	uint32_t t, i;

	for (t = 0; t < ARRAY_SIZE(tables); t++)
		for (i = 0; i < tables[t]->nr; i++)
			if (tables[t]->row[i].cmd == cmd)
				return &tables[t]->row[i];
	return NULL;
}

static size_t arg_len(const struct row *row, const union arg *arg)
{
	long tail = row->tail ? row->tail(arg) : 0;

	return _IOC_SIZE(row->cmd) + (tail > 0 ? tail : 0);
}

/* What copying the argument in comes to. */
static int copy_in_check(const struct row *row, const union arg *arg,
			 const struct buffer *buf)
{
	long tail;

	if (!row->tail && !(_IOC_DIR(row->cmd) & _IOC_WRITE))
		return 0;
	if (buf->can_read < _IOC_SIZE(row->cmd))
		return -EFAULT;
	if (!row->tail)
		return 0;
	tail = row->tail(arg);
	if (tail < 0)
		return tail;
	if (!(row->flags & ROW_TAIL_OUT) &&
	    buf->can_read < _IOC_SIZE(row->cmd) + tail)
		return -EFAULT;
	return 0;
}

static bool copies_out(const struct row *row)
{
	if (row->tail)
		return row->flags & ROW_TAIL_OUT;
	return (row->flags & ROW_OUT) || (_IOC_DIR(row->cmd) & _IOC_READ);
}

static int state_check(const struct row *row, const union arg *arg,
		       bool stranger)
{
	if ((row->flags & ROW_OWNER) && caller_check(stranger))
		return -EPERM;
	if ((row->flags & ROW_VQ) && arg->state.index >= m.shape.nvqs)
		return -ENOBUFS;
	/* Of another parent it is not known here whether it runs. */
	if (!m.shape.mock || !model_runs())
		return 0;
	if (row->flags & ROW_BUSY)
		return -EBUSY;
	return row->flags & ROW_INVAL ? -EINVAL : 0;
}

/* Of a parent that is no mock only this is known. */
static int any_answer(int got)
{
	switch (got) {
	case 0:
	case -EINVAL:
	case -EBUSY:
	case -EOPNOTSUPP:
		return got;
	}
	return 0;
}

/* What the call must answer; @arg becomes what it must read. */
static int ioctl_model(const struct row *row, union arg *arg,
		       const struct buffer *buf, bool stranger, int got)
{
	bool loose = !m.shape.mock &&
		     row->flags & (ROW_PARENT | ROW_BUSY | ROW_INVAL);
	int err;

	if (m.gone)
		return -ENODEV;
	err = copy_in_check(row, arg, buf) ?:
	      state_check(row, arg, stranger);
	if (err)
		return err;
	if (loose && got != -EFAULT)
		return any_answer(got);
	err = loose ? 0 : row->model(arg);
	if (!err && row->cmd == VHOST_SET_OWNER)
		m.owner = stranger ? STRANGER : SELF;
	if (!err && copies_out(row) && buf->can_write < arg_len(row, arg))
		err = -EFAULT;
	return err;
}

/* A reset ends batches as well, and the end of an owner unmaps. */
static const char *op_draw(const struct row *row, const union arg *arg)
{
	bool ends_owner = row->cmd == VHOST_RESET_OWNER;

	if (!ends_owner && (row->cmd != VHOST_VDPA_SET_STATUS || arg->u8))
		return row->op;
	if (rng_percent(&w.rng, 40))
		return "reset";
	if (has_table())
		return "set_map";
	return ends_owner && m.shape.mapping != MAP_IOMMU ? "dma_unmap" :
							    "reset";
}

static void ioctl_inject(const struct row *row, const union arg *arg)
{
	/* Where most that a device has is lost, failures are worth more. */
	int percent = row->cmd == VHOST_RESET_OWNER ? 30 : 6;
	const char *op;

	if (!m.shape.mock || m.gone || !rng_percent(&w.rng, percent))
		return;
	op = op_draw(row, arg);
	if (op)
		inject_arm(op, rng_percent(&w.rng, 70));
}

static void compare_read(const struct row *row, const union arg *want,
			 const struct buffer *buf)
{
	size_t len = arg_len(row, want), i;

	if (!m.shape.mock && row->flags & (ROW_PARENT | ROW_BUSY | ROW_INVAL))
		return;
	for (i = 0; i < len; i++)
		if (want->bytes[i] != buf->data[i])
			fail("%s reads %#x and not %#x at byte %zu of %zu",
			     row->name, buf->data[i], want->bytes[i], i, len);
}

static void known_step(void)
{
	const struct row *row = row_draw();
	struct call call = {
		.fd = w.dev.fd,
		.stranger = rng_percent(&w.rng, m.owner == STRANGER ? 50 : 4),
	};
	static union arg arg;
	struct buffer buf;
	int want, got;
	size_t len;

	/* One that owns nothing yet, or does not run, is of little use. */
	if (m.owner == NOBODY && rng_percent(&w.rng, 60)) {
		row = row_of(VHOST_SET_OWNER);
		call.stranger = rng_percent(&w.rng, 10);
	} else if (!(m.status & STATUS_DRIVER_OK) && rng_percent(&w.rng, 10)) {
		row = row_of(VHOST_VDPA_SET_STATUS);
	}
	call.cmd = row->cmd;
	memset(&arg, 0, sizeof(arg));
	row->fill(&arg);
	len = arg_len(row, &arg);
	buf = buffer_draw(&w.rng, len);
	memcpy(buf.data, &arg, buf.can_read);
	call.ptr = buf.ptr;
	ioctl_inject(row, &arg);
	got = call_run(&call);
	want = ioctl_model(row, &arg, &buf, call.stranger, got);
	expect(want, got, "%s%s %#x %#x (%zu bytes, %zu readable)",
	       call.stranger ? "stranger: " : "", row->name, arg.state.index,
	       arg.state.num, len, buf.can_read);
	if (!got && copies_out(row))
		compare_read(row, &arg, &buf);
	inject_disarm();
}

/* A number that is in no row, or one that is with another size. */
static void unknown_step(void)
{
	unsigned long cmd = row_draw()->cmd;
	struct call call = { .fd = w.dev.fd };
	struct buffer buf = buffer_draw(&w.rng, 64);
	int got;

	call.ptr = buf.ptr;
	switch (rng_below(&w.rng, 4)) {
	case 0:
		call.cmd = rng_pick(&w.rng, VHOST_SET_LOG_BASE,
				    VHOST_SET_LOG_FD,
				    VHOST_SET_VRING_ENDIAN,
				    VHOST_GET_VRING_ENDIAN,
				    VHOST_NET_SET_BACKEND,
				    VHOST_SCSI_SET_ENDPOINT,
				    VHOST_VSOCK_SET_RUNNING,
				    VHOST_NEW_WORKER, VHOST_FREE_WORKER,
				    VHOST_ATTACH_VRING_WORKER,
				    VHOST_GET_VRING_WORKER);
		break;
	case 1:
		call.cmd = cmd ^ (1U << (16 + rng_below(&w.rng, 14)));
		break;
	case 2:
		call.cmd = cmd ^ (1U << (30 + rng_below(&w.rng, 2)));
		break;
	default:
		/* Between upstream's, which grow, and ours at the end. */
		call.cmd = _IOC(rng_below(&w.rng, 4),
				rng_percent(&w.rng, 50) ? VHOST_VIRTIO :
				rng_next(&w.rng) & 0xff,
				0x90 + rng_below(&w.rng, 0x50),
				rng_below(&w.rng, 1 << 14));
		break;
	}
	if (row_of(call.cmd))
		return;
	got = call_run(&call);
	expect(-ENOTTY, got, "ioctl %#lx", call.cmd);
}

void ioctl_step(void)
{
	if (rng_percent(&w.rng, 5))
		unknown_step();
	else
		known_step();
}
