// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading of vdpa.ko, and the lock over the set of devices.
 *
 * The module goes away only after every parent and bus driver, because they
 * use its symbols; nothing is left to delete by then.
 */
#include "core.h"
#include "nl.h"

#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>

DECLARE_RWSEM(vdpa_dev_lock);

static int __init vdpa_init(void)
{
	int err;

	err = bus_register(&vdpa_bus);
	if (err)
		return err;
	err = genl_register_family(&vdpa_nl_family);
	if (err)
		goto err_undo_bus;
	err = bus_register_notifier(&vdpa_bus, &vdpa_nl_bus_nb);
	if (err)
		goto err_undo_family;
	return 0;

err_undo_family:
	genl_unregister_family(&vdpa_nl_family);
err_undo_bus:
	bus_unregister(&vdpa_bus);
	return err;
}

static void __exit vdpa_exit(void)
{
	vdpa_autoload_exit();
	bus_unregister_notifier(&vdpa_bus, &vdpa_nl_bus_nb);
	genl_unregister_family(&vdpa_nl_family);
	bus_unregister(&vdpa_bus);
	vdpa_device_exit();
}

module_init(vdpa_init);
module_exit(vdpa_exit);

MODULE_DESCRIPTION("vDPA bus");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY(VDPA_GENL_NAME);
