/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The NIC of the machine that tools/testing/vp/run boots, for vp_vdpa.
 */
#ifndef VDPA_SELFTESTS_VPDEV_H
#define VDPA_SELFTESTS_VPDEV_H

#define PCI		"/sys/bus/pci"
#define VP_FUNCTION	"0000:00:10.0"
#define VP_DRIVER	"vp-vdpa"

/* Binds it: NULL, or why there is no function to test with. */
const char *vp_take(void);
/* To the driver that had it before. */
void vp_give_back(void);

#endif /* VDPA_SELFTESTS_VPDEV_H */
