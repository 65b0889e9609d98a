// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a kernel that finds bugs must find, made on purpose: who writes the name
 * of one to the module parameter "mistake" gets it. The self-test of the VM
 * does, so that a run without complaints means something.
 */
#include <linux/compiler.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#define MISTAKE_BYTES	64

/* Several: an address may still be in a register or on a stack. */
#define MISTAKE_LEAKS	8

static DEFINE_MUTEX(mistake_lock_a);
static DEFINE_MUTEX(mistake_lock_b);

static int mistake_leak(void)
{
	for (int i = 0; i < MISTAKE_LEAKS; i++) {
		u8 *lost = kmalloc(MISTAKE_BYTES, GFP_KERNEL);

		if (!lost)
			return -ENOMEM;
		/* Not of zeroes alone: such is found sooner. */
		memset(lost, 0x5a, MISTAKE_BYTES);
		OPTIMIZER_HIDE_VAR(lost);
	}
	return 0;
}

static int mistake_use_after_free(void)
{
	u8 *freed = kmalloc(MISTAKE_BYTES, GFP_KERNEL), *hidden = freed;

	OPTIMIZER_HIDE_VAR(hidden);
	kfree(freed);
	return hidden ? READ_ONCE(hidden[1]) & 0 : -ENOMEM;
}

static int mistake_lock_order(void)
{
	mutex_lock(&mistake_lock_a);
	mutex_lock(&mistake_lock_b);
	mutex_unlock(&mistake_lock_b);
	mutex_unlock(&mistake_lock_a);

	mutex_lock(&mistake_lock_b);
	mutex_lock(&mistake_lock_a);
	mutex_unlock(&mistake_lock_a);
	mutex_unlock(&mistake_lock_b);
	return 0;
}

static const struct {
	const char *name;
	int (*make)(void);
} mistakes[] = {
	{ "leak", mistake_leak },
	{ "use-after-free", mistake_use_after_free },
	{ "lock-order", mistake_lock_order },
};

static int mistake_set(const char *name, const struct kernel_param *kp)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
		if (sysfs_streq(name, mistakes[i].name))
			return mistakes[i].make();
	return -EINVAL;
}

static const struct kernel_param_ops mistake_ops = {
	.set = mistake_set,
};

module_param_cb(mistake, &mistake_ops, NULL, 0200);
MODULE_PARM_DESC(mistake, "leak, use-after-free or lock-order: make one");
