// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why the request that is being served is refused, in words.
 *
 * Set by parents, and by this core where a parent called it, from within the
 * operations of a management device; read by nl_dev.c when such an operation
 * has failed. Those run under vdpa_dev_lock held for writing, so there is one
 * request at a time. The words are copied: the parent may go before they are
 * sent.
 */
#include "core.h"

#include <linux/netlink.h>
#include <linux/stdarg.h>
#include <linux/vdpa_refuse.h>

static char vdpa_reason[NETLINK_MAX_FMTMSG_LEN];	/* vdpa_dev_lock */

/**
 * vdpa_refuse() - Say why a request is refused.
 * @err: negative errno
 * @fmt: format of a sentence without its end, 79 characters at most
 *
 * It is the extended ack of the answer. What was said last counts, and only
 * if the operation fails.
 *
 * Context: A management device's operations, and set() of struct
 *	vdpa_change_ops: vdpa_dev_lock held for writing.
 * Return: @err
 */
int vdpa_refuse(int err, const char *fmt, ...)
{
	va_list args;

	lockdep_assert_held_write(&vdpa_dev_lock);

	va_start(args, fmt);
	vscnprintf(vdpa_reason, sizeof(vdpa_reason), fmt, args);
	va_end(args);
	return err;
}
EXPORT_SYMBOL_GPL(vdpa_refuse);

/**
 * vdpa_refuse_begin() - Forget what was said before a request.
 *
 * Context: vdpa_dev_lock held for writing.
 */
void vdpa_refuse_begin(void)
{
	lockdep_assert_held_write(&vdpa_dev_lock);

	vdpa_reason[0] = '\0';
}

/**
 * vdpa_refuse_reason() - Tell what was said about a request that has failed.
 *
 * Context: vdpa_dev_lock held for writing.
 * Return: text; "" if nothing was said.
 */
const char *vdpa_refuse_reason(void)
{
	lockdep_assert_held_write(&vdpa_dev_lock);

	return vdpa_reason;
}
