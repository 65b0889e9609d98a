// SPDX-License-Identifier: GPL-2.0-only
/*
 * Birth and death of one mock device.
 *
 * mock_create() builds everything a device needs before it is registered;
 * its table of operations is a copy of the full one without the members that
 * the knobs leave out. mock_free() is the operation "free": the core calls it
 * once, when the device is unregistered or when its last reference goes
 * without it ever having been registered.
 */
#include "mock.h"

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vdpa_change.h>
#include <linux/vdpa_vq_reset.h>
#include <uapi/linux/vdpa.h>

/* Where in the table each operation is. */
static const size_t mock_op_offset[MOCK_NR_OPS] = {
#define MOCK_OP(name) offsetof(struct vdpa_config_ops, name),
#include "ops.def"
#undef MOCK_OP
};

static void mock_ops_drop(struct vdpa_config_ops *ops, enum mock_op op)
{
	*(void **)((void *)ops + mock_op_offset[op]) = NULL;
}

static int mock_ops_drop_list(struct vdpa_config_ops *ops, char *list)
{
	char *name;
	int op;

	while ((name = strsep(&list, " ,\n"))) {
		if (!*name)
			continue;
		op = mock_op_find(name);
		/* Without "free" nothing would ever be given back. */
		if (op < 0 || op == MOCK_OP_free)
			return -EINVAL;
		mock_ops_drop(ops, op);
	}
	return 0;
}

static struct vdpa_config_ops *mock_ops_make(struct mock_props *props)
{
	bool set = props->mapping == MOCK_MAP_SET ||
		   props->mapping == MOCK_MAP_SET_VA;
	bool dma = props->mapping == MOCK_MAP_DMA ||
		   props->mapping == MOCK_MAP_VA;
	struct vdpa_config_ops *ops;
	int err;

	ops = kmemdup(&mock_ops, sizeof(mock_ops), GFP_KERNEL);
	if (!ops)
		return ERR_PTR(-ENOMEM);
	if (!set)
		mock_ops_drop(ops, MOCK_OP_set_map);
	if (!dma) {
		mock_ops_drop(ops, MOCK_OP_dma_map);
		mock_ops_drop(ops, MOCK_OP_dma_unmap);
	}
	if (!set && !dma)
		mock_ops_drop(ops, MOCK_OP_reset_map);
	if (props->doorbell == MOCK_DB_NONE)
		mock_ops_drop(ops, MOCK_OP_get_vq_notification);
	err = mock_ops_drop_list(ops, props->without);
	if (err) {
		kfree(ops);
		return ERR_PTR(err);
	}
	return ops;
}

static int mock_doorbells_alloc(struct mock *m)
{
	u32 i;

	if (m->props.doorbell == MOCK_DB_NONE)
		return 0;
	for (i = 0; i < m->props.nvqs; i++) {
		m->vqs[i].doorbell = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!m->vqs[i].doorbell)
			return -ENOMEM;
	}
	return 0;
}

/* What it allocates is given back by mock_free(), after a failure too. */
static int mock_alloc(struct mock *m)
{
	const struct mock_props *p = &m->props;
	u32 i;

	m->vqs = kvcalloc(p->nvqs, sizeof(*m->vqs), GFP_KERNEL);
	m->group_asid = kvcalloc(p->ngroups, sizeof(*m->group_asid),
				 GFP_KERNEL);
	m->config = kzalloc(max(p->config_size, 1U), GFP_KERNEL);
	m->calls = kvcalloc(MOCK_CALLS, sizeof(*m->calls), GFP_KERNEL);
	m->breach = kvcalloc(MOCK_BREACHES, sizeof(*m->breach), GFP_KERNEL);
	if (!m->vqs || !m->group_asid || !m->config || !m->calls || !m->breach)
		return -ENOMEM;
	for (i = 0; i < p->config_size; i++)
		m->config[i] = i;
	return mock_as_init(m) ?: mock_doorbells_alloc(m);
}

/*
 * The device that performs DMA: the PCI function that a knob names, or on which
 * the device is made, which mock_free() puts; else the device itself.
 */
static int mock_find_dma_dev(struct mock *m, struct device *parent)
{
	const char *name = m->props.dma_dev;
	struct device *dev = &m->vdpa.dev;

	if (name[0])
		dev = bus_find_device_by_name(&pci_bus_type, NULL, name);
	else if (dev_is_pci(parent))
		dev = get_device(parent);
	if (!dev)
		return -ENODEV;
	m->vdpa.dma_dev = dev;
	return 0;
}

struct mock *mock_create(struct vdpa_mgmt_dev *mdev, const char *name,
			 const struct vdpa_dev_set_config *config)
{
	struct mock_props *props __free(kfree) = NULL;
	struct vdpa_config_ops *ops;
	struct mock *m;
	bool use_va;
	int err;

	props = kmalloc(sizeof(*props), GFP_KERNEL);
	if (!props)
		return ERR_PTR(-ENOMEM);
	err = mock_knobs_take(props);
	if (err)
		return ERR_PTR(err);
	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_FEATURES))
		props->features = config->device_features;
	ops = mock_ops_make(props);
	if (IS_ERR(ops))
		return ERR_CAST(ops);

	use_va = props->mapping == MOCK_MAP_VA ||
		 props->mapping == MOCK_MAP_SET_VA;
	m = vdpa_alloc_device(struct mock, vdpa, mdev->device, ops,
			      props->ngroups, props->nas, name, use_va);
	if (IS_ERR(m)) {
		kfree(ops);
		return m;
	}
	m->props = *props;
	m->ops = ops;
	spin_lock_init(&m->lock);
	spin_lock_init(&m->cb_lock);
	mutex_init(&m->map_lock);
	m->vdpa.mdev = mdev;
	if (props->vq_reset)
		vdpa_declare_vq_reset(&m->vdpa);
	if (props->change)
		vdpa_set_change_ops(&m->vdpa, &mock_change_ops);
	err = mock_alloc(m) ?: mock_find_dma_dev(m, mdev->device);
	if (err) {
		mock_destroy(m);
		return ERR_PTR(err);
	}
	return m;
}

/* Drop a device that is not registered. */
void mock_destroy(struct mock *m)
{
	debugfs_remove(m->dir);
	put_device(&m->vdpa.dev);
}

void mock_free(struct vdpa_device *vdpa)
{
	struct mock *m = to_mock(vdpa);
	u32 i;

	if (vdpa->dma_dev && vdpa->dma_dev != &vdpa->dev)
		put_device(vdpa->dma_dev);
	for (i = 0; m->vqs && i < m->props.nvqs; i++)
		if (m->vqs[i].doorbell)
			__free_page(m->vqs[i].doorbell);
	mock_as_fini(m);
	kvfree(m->breach);
	kvfree(m->calls);
	kfree(m->config);
	kvfree(m->group_asid);
	kvfree(m->vqs);
	kfree(m->ops);
}
