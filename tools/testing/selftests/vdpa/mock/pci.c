// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI function as the parent of mock devices, for tests of its removal: the
 * driver "vdpa_mock" knows no function by itself and takes the one whose
 * driver_override names it. Its management device is that function, which
 * also is the one that performs DMA for the devices made there.
 *
 * Called by the PCI bus. The function is not touched, it only has to be there.
 */
#include "mock.h"

#include <linux/pci.h>
#include <linux/slab.h>

static int mock_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vdpa_mgmt_dev *mdev;
	int err;

	mdev = kmemdup(&mock_mgmtdev, sizeof(mock_mgmtdev), GFP_KERNEL);
	if (!mdev)
		return -ENOMEM;
	mdev->device = &pdev->dev;
	err = vdpa_mgmtdev_register(mdev);
	if (err) {
		kfree(mdev);
		return err;
	}
	pci_set_drvdata(pdev, mdev);
	return 0;
}

static void mock_pci_remove(struct pci_dev *pdev)
{
	struct vdpa_mgmt_dev *mdev = pci_get_drvdata(pdev);

	vdpa_mgmtdev_unregister(mdev);
	kfree(mdev);
}

struct pci_driver mock_pci_driver = {
	.name = "vdpa_mock",
	.probe = mock_pci_probe,
	.remove = mock_pci_remove,
};
