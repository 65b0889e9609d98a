/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways in which a device is taken away from the driver that has it, by an
 * administrator or by the hardware.
 */
#ifndef VDPA_SELFTESTS_ENDING_H
#define VDPA_SELFTESTS_ENDING_H

#include <stdbool.h>
#include <stddef.h>

enum ending {
	END_DELETED,		/* vdpa dev del */
	END_UNBOUND,		/* from vhost_vdpa */
	END_UNLOADED,		/* the module of its parent */
	END_UNPLUGGED,		/* its parent is a PCI function */
};

/*
 * A PCI function that nobody drives, for vdpa_mock to make devices on: the
 * name of that management device. NULL if there is none, or none behind an
 * IOMMU if @iommu asks for that. ending_pci_back() undoes it, unplugged or not.
 */
const char *ending_pci(bool iommu);
void ending_pci_back(void);

/*
 * Take the device @name of the module @parent away. Another process does it:
 * should that hang, this one can still be killed, and its files closed. How
 * long it took, in ms, or -1.
 */
long ending_ms(enum ending how, const char *name, const char *parent);

/*
 * Far above what it takes, and less than what somebody who waits for another
 * process would take.
 */
#define ENDING_MS	20000

#define EXPECT_ENDS_AT_ONCE(how, name, parent) do {			\
	long _ms = ending_ms(how, name, parent);			\
									\
	EXPECT_LE(0, _ms);						\
	EXPECT_GT(ENDING_MS, _ms);					\
} while (0)

#endif /* VDPA_SELFTESTS_ENDING_H */
