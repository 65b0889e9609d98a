// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules that a device asks for: its default driver, named by a parameter,
 * and whatever user space has made of the alias in its uevent.
 *
 * Called when a device has been registered, with vdpa_dev_lock held, and by the
 * driver core for uevents. modprobe(8) is started from a work item and not waited
 * for: what it loads binds to the device when it comes, and may take any lock for
 * that.
 */
#include "core.h"

#include <linux/kmod.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/workqueue.h>

static char default_driver[MODULE_NAME_LEN] = "vhost_vdpa";	/* param lock */
module_param_string(default_driver, default_driver, sizeof(default_driver),
		    0644);
MODULE_PARM_DESC(default_driver,
		 "Module loaded for a device that no driver has taken, empty for none (default vhost_vdpa)");

/**
 * vdpa_uevent() - Tell user space what a device is.
 * @dev: registered device on the bus
 * @env: where to
 *
 * No module has an alias like this by itself. An administrator gives one to
 * the driver that shall have devices of a class.
 *
 * Context: Process context. May sleep.
 * Return: 0; -ENOMEM.
 */
int vdpa_uevent(const struct device *dev, struct kobj_uevent_env *env)
{
	/* The operations that are called take no const device. */
	struct vdpa_device *vdpa = dev_to_vdpa((struct device *)dev);

	return add_uevent_var(env, "MODALIAS=vdpa:d%08Xv%08X",
			      vdpa->config->get_device_id(vdpa),
			      vdpa->config->get_vendor_id(vdpa));
}

/*
 * Starting modprobe(8) means to wait until its file has been read, and perhaps
 * for others that load modules: nothing to do with a lock held.
 */
static void autoload_work_fn(struct work_struct *work)
{
	char name[MODULE_NAME_LEN];

	kernel_param_lock(THIS_MODULE);
	strscpy(name, default_driver, sizeof(name));
	kernel_param_unlock(THIS_MODULE);
	/* What echo(1) writes ends with a newline. */
	strim(name);
	if (!*name || driver_find(name, &vdpa_bus))
		return;
	/*
	 * Whether there is such a module is nothing that a device depends on.
	 * What modprobe(8) does may need this module to have gone, so it is not
	 * waited for.
	 */
	(void)request_module_nowait("%s", name);
}

static DECLARE_WORK(autoload_work, autoload_work_fn);

/**
 * vdpa_request_driver() - Load the default driver if nobody drives a device.
 * @vdpa: the device, registered
 *
 * A driver that is there has seen the device and did not take it.
 *
 * Context: Process context, any locks held.
 */
void vdpa_request_driver(struct vdpa_device *vdpa)
{
	if (!device_is_bound(&vdpa->dev))
		queue_work(system_unbound_wq, &autoload_work);
}

/**
 * vdpa_autoload_exit() - Load nothing any more.
 *
 * Context: Process context, no device left. May sleep.
 */
void vdpa_autoload_exit(void)
{
	cancel_work_sync(&autoload_work);
}
