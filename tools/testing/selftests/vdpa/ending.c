// SPDX-License-Identifier: GPL-2.0-only
/*
 * How devices are taken away: through vdpa(8), sysfs and modprobe(8). The PCI
 * function for unplugging is QEMU's "edu", which no driver wants.
 */
#include "ending.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "dev.h"
#include "files.h"
#include "mockdev.h"

#define PCI	"/sys/bus/pci"
#define EDU_ID	"0x11e8"

static char function[64];	/* "" while none is taken */

static bool pci_find(bool iommu)
{
	struct dirent *entry;
	bool found = false;
	char id[16];
	DIR *dir = opendir(PCI "/devices");

	while (dir && !found && (entry = readdir(dir))) {
		if (file_read(id, sizeof(id), PCI "/devices/%s/device",
			      entry->d_name))
			continue;
		found = !strncmp(id, EDU_ID, strlen(EDU_ID)) &&
			(!iommu || file_exists(PCI "/devices/%s/iommu_group",
					       entry->d_name));
		if (found)
			snprintf(function, sizeof(function), "%.60s",
				 entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

const char *ending_pci(bool iommu)
{
	static char name[80];

	if (!pci_find(iommu))
		return NULL;
	if (file_write(MOCKDEV, PCI "/devices/%s/driver_override", function) ||
	    file_write(function, PCI "/drivers_probe") ||
	    !file_exists(PCI "/drivers/" MOCKDEV "/%s", function)) {
		ending_pci_back();
		return NULL;
	}
	snprintf(name, sizeof(name), "pci/%s", function);
	return name;
}

void ending_pci_back(void)
{
	if (!*function)
		return;
	file_write(function, PCI "/drivers/" MOCKDEV "/unbind");
	file_write("\n", PCI "/devices/%s/driver_override", function);
	file_write("1", PCI "/rescan");
	*function = '\0';
}

long ending_ms(enum ending how, const char *name, const char *parent)
{
	long start = now_ms();
	int err = -1;

	switch (how) {
	case END_DELETED:
		err = vdpa_del(name);
		break;
	case END_UNBOUND:
		err = run_command("echo %s > " BUS "/drivers/vhost_vdpa/unbind",
				  name);
		break;
	case END_UNLOADED:
		err = run_command("modprobe -r %s", parent);
		break;
	case END_UNPLUGGED:
		err = run_command("echo 1 > " PCI "/devices/%s/remove",
				  function);
		break;
	}
	return err ? -1 : now_ms() - start;
}
