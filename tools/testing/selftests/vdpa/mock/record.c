// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has been called, and what is to go wrong.
 *
 * Every operation comes through __mock_call() first: it counts the call,
 * writes it into a ring of bounded size, and carries out what a test has
 * injected. Some operations run with interrupts off, so everything here is
 * under mock->lock, and the wait comes after it. Breaches are what a caller
 * of vdpa_config_ops must never do; they are counted whoever asks.
 */
#include "mock.h"

#include <linux/delay.h>
#include <linux/string.h>
#include <linux/stringify.h>

const char *const mock_op_name[MOCK_NR_OPS] = {
#define MOCK_OP(name) __stringify(name),
#include "ops.def"
#undef MOCK_OP
};

/* Those that may not sleep. */
static bool mock_op_is_atomic(enum mock_op op)
{
	return op == MOCK_OP_kick_vq || op == MOCK_OP_kick_vq_with_data;
}

int mock_op_find(const char *name)
{
	return match_string(mock_op_name, MOCK_NR_OPS, name);
}

static int mock_take_err(struct mock_inject *inject)
{
	if (!inject->nth)
		return inject->err;
	if (--inject->nth)
		return 0;
	return xchg(&inject->err, 0);
}

int __mock_call(struct mock *m, enum mock_op op, const u64 *arg, u32 nargs)
{
	struct mock_call *call;
	u32 delay = 0;
	int err = 0;

	atomic64_inc(&m->count[op]);
	if (!m->props.track && !READ_ONCE(m->armed))
		return 0;

	scoped_guard(spinlock_irqsave, &m->lock) {
		err = mock_take_err(&m->inject[op]);
		delay = m->inject[op].delay;
		if (m->props.track) {
			call = &m->calls[m->ncalls++ % MOCK_CALLS];
			call->op = op;
			call->nargs = min_t(u32, nargs, MOCK_ARGS);
			call->err = err;
			if (arg)
				memcpy(call->arg, arg,
				       call->nargs * sizeof(*arg));
		}
	}
	if (delay && !mock_op_is_atomic(op))
		msleep(delay);
	return err;
}

u32 mock_value(struct mock *m, enum mock_op op, u32 value)
{
	if (!READ_ONCE(m->armed))
		return value;

	scoped_guard(spinlock_irqsave, &m->lock) {
		if (m->inject[op].has_value)
			value = m->inject[op].value;
	}
	return value;
}

void mock_breach(struct mock *m, const char *fmt, ...)
{
	va_list args;

	scoped_guard(spinlock_irqsave, &m->lock) {
		if (m->nbreaches++ >= MOCK_BREACHES)
			return;
		va_start(args, fmt);
		vscnprintf(m->breach[m->nbreaches - 1], MOCK_NAME_LEN, fmt, args);
		va_end(args);
	}
}

void mock_inject_clear(struct mock *m)
{
	scoped_guard(spinlock_irqsave, &m->lock) {
		memset(m->inject, 0, sizeof(m->inject));
		WRITE_ONCE(m->armed, false);
	}
}

/* The largest number for "errno", "delay" or "value"; -1 if it cannot be. */
static s64 mock_inject_max(int op, const char *what)
{
	if (!strcmp(what, "errno"))
		return MAX_ERRNO;
	if (!strcmp(what, "delay") && !mock_op_is_atomic(op))
		return MOCK_MAX_DELAY;
	if (!strcmp(what, "value"))
		return U32_MAX;
	return -1;
}

/*
 * One line: "OP errno N [NTH]", "OP delay MS" or "OP value N"; "clear" ends
 * all of it. NTH counts the calls from now on, and hits one only.
 */
int mock_inject_set(struct mock *m, char *line)
{
	char name[24], what[8];
	struct mock_inject *inject;
	u32 value, nth = 0;
	int op, n;

	if (!strcmp(line, "clear")) {
		mock_inject_clear(m);
		return 0;
	}
	n = sscanf(line, "%23s %7s %u %u", name, what, &value, &nth);
	if (n < 3)
		return -EINVAL;
	op = mock_op_find(name);
	if (op < 0)
		return -ENOENT;

	if (value > mock_inject_max(op, what))
		return -EINVAL;

	scoped_guard(spinlock_irqsave, &m->lock) {
		inject = &m->inject[op];
		switch (what[0]) {
		case 'e':
			inject->err = -value;
			inject->nth = nth;
			break;
		case 'd':
			inject->delay = value;
			break;
		default:
			inject->value = value;
			inject->has_value = true;
			break;
		}
		WRITE_ONCE(m->armed, true);
	}
	return 0;
}
