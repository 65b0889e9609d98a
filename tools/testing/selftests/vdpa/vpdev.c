// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio-pci function that is taken by vp_vdpa; see vpdev.h.
 */
#include "vpdev.h"

#include <string.h>

#include "dev.h"
#include "files.h"

#define NIC_ID	"0x1041"

const char *vp_take(void)
{
	char id[16];

	if (file_read(id, sizeof(id), PCI "/devices/" VP_FUNCTION "/device") ||
	    strncmp(id, NIC_ID, strlen(NIC_ID)))
		return "no virtio NIC at " VP_FUNCTION;
	if (!module_load("vp_vdpa") || !module_load("vhost_vdpa"))
		return "vp_vdpa is not built";
	file_write(VP_DRIVER, PCI "/devices/" VP_FUNCTION "/driver_override");
	file_write(VP_FUNCTION, PCI "/devices/" VP_FUNCTION "/driver/unbind");
	file_write(VP_FUNCTION, PCI "/drivers_probe");
	if (!file_exists(PCI "/drivers/" VP_DRIVER "/" VP_FUNCTION))
		return "vp_vdpa does not take " VP_FUNCTION;
	return NULL;
}

void vp_give_back(void)
{
	file_write("\n", PCI "/devices/" VP_FUNCTION "/driver_override");
	file_write(VP_FUNCTION, PCI "/drivers/" VP_DRIVER "/unbind");
	file_write(VP_FUNCTION, PCI "/drivers_probe");
}
