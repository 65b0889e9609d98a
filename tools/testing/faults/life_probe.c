// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a function of a bus as a management device: its driver takes it
 * and gives it back.
 */
#include "faults.h"

#include "files.h"
#include "vpdev.h"

#define DRIVER	PCI "/drivers/" VP_DRIVER

static int bind_function(struct life *life)
{
	return file_write(VP_FUNCTION, DRIVER "/bind");
}

static int unbind_function(struct life *life)
{
	return file_write(VP_FUNCTION, DRIVER "/unbind");
}

static const struct call calls[] = {
	{ "bind", bind_function },
	{ "unbind", unbind_function },
};

/* Its driver has it before the first life and after the last one. */
static int begin(struct life *life)
{
	return unbind_function(life);
}

static void end(struct life *life)
{
	if (!file_exists(DRIVER "/" VP_FUNCTION))
		bind_function(life);
}

const struct scenario life_probe = {
	"probe", calls, ARRAY_SIZE(calls), begin, end, fault_range_modules,
	/* ACPI uses what it has freed if there is no memory. */
	.helpless = "acpi_pci_irq_lookup",
};
