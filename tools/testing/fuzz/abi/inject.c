// SPDX-License-Identifier: GPL-2.0-only
/*
 * One operation of the mock that is to fail in the step that comes.
 */
#include "random.h"

#include <stdio.h>
#include <string.h>

void inject_arm(const char *op, unsigned int nth)
{
	int err = rng_pick(&w.rng, EIO, ENOMEM, ENOSPC, EXDEV);
	char line[64];

	snprintf(line, sizeof(line), "%s errno %d %u", op, err, nth);
	if (mock_write(&w.dev, "inject", line))
		fail("cannot inject \"%s\"", line);
	note("inject %s", line);
	m.inject = -err;
	m.inject_op = op;
	m.inject_armed = true;
	m.inject_nth = nth;
}

void inject_disarm(void)
{
	static const char clear[] = "clear";

	if (!m.inject_armed)
		return;
	if (mock_write(&w.dev, "inject", clear))
		fail("cannot clear what was injected");
	m.inject = 0;
	m.inject_armed = false;
	irqs_give();
}

bool injected(const char *op)
{
	return m.inject && !strcmp(m.inject_op, op);
}

void irqs_give(void)
{
	char line[32];

	snprintf(line, sizeof(line), "get_vq_irq value %d", MOCK_IRQ);
	if (mock_write(&w.dev, "inject", line))
		fail("cannot give a queue an interrupt");
}
