// SPDX-License-Identifier: GPL-2.0-only
/*
 * Consumers of IRQ bypass, in the place of KVM: the file "consumers" of the
 * module's directory. A test writes "add FD" to have one that waits for a
 * producer with the eventfd FD, and reads which of them have one. They belong
 * to no device, so they see a producer go with its device. "clear" ends all.
 *
 * consumers_lock is taken before that of the bypass manager, under which the
 * two callbacks run.
 */
#include "mock.h"

#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/irqbypass.h>
#include <linux/seq_file.h>

#define MOCK_CONSUMERS	8

struct mock_consumer {
	struct irq_bypass_consumer consumer;	/* token NULL: unused */
	int irq;	/* of the producer, or -1; written by callbacks */
	u32 added;	/* written by callbacks */
	u32 deleted;	/* written by callbacks */
};

static DEFINE_MUTEX(consumers_lock);
static struct mock_consumer consumers[MOCK_CONSUMERS];	/* consumers_lock */
static u32 nconsumers;					/* consumers_lock */

static struct mock_consumer *to_consumer(struct irq_bypass_consumer *consumer)
{
	return container_of(consumer, struct mock_consumer, consumer);
}

static int mock_add_producer(struct irq_bypass_consumer *consumer,
			     struct irq_bypass_producer *producer)
{
	struct mock_consumer *c = to_consumer(consumer);

	WRITE_ONCE(c->irq, producer->irq);
	WRITE_ONCE(c->added, c->added + 1);
	return 0;
}

static void mock_del_producer(struct irq_bypass_consumer *consumer,
			      struct irq_bypass_producer *producer)
{
	struct mock_consumer *c = to_consumer(consumer);

	WRITE_ONCE(c->irq, -1);
	WRITE_ONCE(c->deleted, c->deleted + 1);
}

static int mock_consumer_add(int fd)
{
	struct mock_consumer *c;
	struct eventfd_ctx *ctx;
	int err;

	lockdep_assert_held(&consumers_lock);

	if (nconsumers == MOCK_CONSUMERS)
		return -ENOSPC;
	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	c = &consumers[nconsumers];
	*c = (struct mock_consumer){
		.consumer.token = ctx,
		.consumer.add_producer = mock_add_producer,
		.consumer.del_producer = mock_del_producer,
		.irq = -1,
	};
	err = irq_bypass_register_consumer(&c->consumer);
	if (err) {
		eventfd_ctx_put(ctx);
		return err;
	}
	nconsumers++;
	return 0;
}

static void __mock_consumers_clear(void)
{
	lockdep_assert_held(&consumers_lock);

	while (nconsumers) {
		struct mock_consumer *c = &consumers[--nconsumers];
		struct eventfd_ctx *ctx = c->consumer.token;

		irq_bypass_unregister_consumer(&c->consumer);
		eventfd_ctx_put(ctx);
	}
}

void mock_consumers_clear(void)
{
	guard(mutex)(&consumers_lock);
	__mock_consumers_clear();
}

int mock_consumers_set(char *line)
{
	int fd;

	guard(mutex)(&consumers_lock);
	if (!strcmp(line, "clear")) {
		__mock_consumers_clear();
		return 0;
	}
	if (sscanf(line, "add %d", &fd) != 1)
		return -EINVAL;
	return mock_consumer_add(fd);
}

int mock_consumers_show(struct seq_file *s)
{
	u32 i;

	guard(mutex)(&consumers_lock);
	for (i = 0; i < nconsumers; i++)
		seq_printf(s, "%u irq %d added %u deleted %u\n", i,
			   READ_ONCE(consumers[i].irq),
			   READ_ONCE(consumers[i].added),
			   READ_ONCE(consumers[i].deleted));
	return 0;
}
