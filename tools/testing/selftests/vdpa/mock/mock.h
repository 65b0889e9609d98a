/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vdpa_mock: a vDPA parent that does nothing but remember.
 *
 * Its shape is set through debugfs before it is made, each of its operations
 * is recorded and can be made to fail or to wait, and it checks what a caller
 * of vdpa_config_ops owes to every parent: what it finds wrong it counts as a
 * breach, so a test needs only to look at the breaches at its end.
 *
 * Lock order: map_lock -> lock; cb_lock -> (locks of eventfds) -> lock.
 */
#ifndef _VDPA_MOCK_H
#define _VDPA_MOCK_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/vdpa.h>
#include <linux/vhost_iotlb.h>

struct dentry;
struct page;
struct pci_driver;
struct seq_file;

/* In ops.def, as the names in it. */
enum mock_op {
#define MOCK_OP(name) MOCK_OP_##name,
#include "ops.def"
#undef MOCK_OP
	MOCK_NR_OPS
};

#define MOCK_NAME_LEN	64	/* bytes of a text knob, with its NUL */
#define MOCK_LIST_LEN	512	/* bytes of the knob "without" */
#define MOCK_CALLS	4096	/* calls that are remembered */
#define MOCK_ARGS	6
#define MOCK_BREACHES	64	/* breaches that are remembered */
#define MOCK_MAX_VQS	65537	/* more than a device can have */
#define MOCK_MAX_AS	1024
#define MOCK_MAX_CONFIG	4096
#define MOCK_MAX_PAGES	256	/* vqs of a device with doorbells */
#define MOCK_MAX_DELAY	60000	/* ms */

enum mock_mapping {
	MOCK_MAP_DMA,		/* dma_map and dma_unmap, of pages */
	MOCK_MAP_SET,		/* set_map, of pages */
	MOCK_MAP_VA,		/* dma_map and dma_unmap, of user addresses */
	MOCK_MAP_SET_VA,	/* set_map, of user addresses */
	MOCK_MAP_NONE,		/* platform IOMMU */
};

enum mock_doorbell {
	MOCK_DB_NONE,
	MOCK_DB_PAGE,		/* a page for each vq */
	MOCK_DB_SHORT,		/* less than a page */
	MOCK_DB_UNALIGNED,	/* a page, off its boundary */
};

/* What the next device is made of; see knobs.c for the files. */
struct mock_props {
	u32 nvqs;
	u32 ngroups;
	u32 nas;
	u32 device_id;
	u32 config_size;
	u32 vq_num_max;
	u32 max_maps;		/* ranges an address space can hold */
	u32 track;		/* 0: keep totals only */
	u32 vq_reset;		/* declared: resets single queues */
	u32 change;		/* change.c; an errno above 1: in vain */
	u64 features;
	u64 backend_features;
	u64 iova_first;
	u64 iova_last;
	enum mock_mapping mapping;
	enum mock_doorbell doorbell;
	char mapping_name[MOCK_NAME_LEN];
	char doorbell_name[MOCK_NAME_LEN];
	char dma_dev[MOCK_NAME_LEN];	/* a PCI function, or empty */
	char without[MOCK_LIST_LEN];
};

struct mock_vq {
	u64 desc;		/* lock */
	u64 driver;		/* lock */
	u64 device;		/* lock */
	u32 num;		/* lock */
	bool ready;		/* lock */
	struct vdpa_vq_state state;	/* lock */
	u64 kicks;		/* lock */
	struct vdpa_callback cb;	/* cb_lock */
	struct page *doorbell;	/* immutable */
};

struct mock_as {
	struct vhost_iotlb *map;	/* map_lock */
	bool identity;		/* map_lock; IOVA is the physical address */
};

/* How an operation is to misbehave. */
struct mock_inject {
	int err;		/* 0 or an errno, negative */
	u32 nth;		/* this call only, counted from 1; 0: all */
	u32 delay;		/* ms */
	u32 value;		/* instead of the true result */
	bool has_value;
};

struct mock_call {
	u64 arg[MOCK_ARGS];
	int err;
	u8 op;
	u8 nargs;
};

/* vdpa is first: the core allocates both at once. */
struct mock {
	struct vdpa_device vdpa;
	struct mock_props props;	/* immutable */
	struct vdpa_config_ops *ops;	/* immutable */
	struct dentry *dir;
	struct mock_vq *vqs;
	struct mock_as *as;
	u32 *group_asid;	/* lock */
	u8 *config;		/* lock */

	spinlock_t lock;	/* state, record, injection; irqs off */
	u64 driver_features;
	u32 generation;
	u8 status;
	bool suspended;
	bool mm_bound;
	bool armed;		/* some injection is set; read unlocked */
	struct mock_inject inject[MOCK_NR_OPS];
	struct mock_call *calls;	/* ring of MOCK_CALLS */
	u64 ncalls;		/* ever; the ring holds the last ones */
	char (*breach)[MOCK_NAME_LEN];	/* the first MOCK_BREACHES */
	u32 nbreaches;

	spinlock_t cb_lock;	/* callbacks run under it; irqs off */
	struct vdpa_callback config_cb;

	struct mutex map_lock;	/* maps of all address spaces; may sleep */
	atomic64_t count[MOCK_NR_OPS];
	atomic64_t mapped;	/* bytes, ever */
	atomic64_t unmapped;	/* bytes, ever */
};

static inline struct mock *to_mock(const struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct mock, vdpa);
}

static inline bool mock_maps_pages(const struct mock *m)
{
	return m->props.mapping == MOCK_MAP_DMA ||
	       m->props.mapping == MOCK_MAP_SET;
}

/* main.c */
extern const struct vdpa_mgmt_dev mock_mgmtdev;
extern struct vdpa_mgmt_dev mock_root_mgmtdev;
extern u32 *const mock_first_class;

/* alone.c */
void mock_alone_init(struct dentry *root);
void mock_alone_exit(void);

/* pci.c */
extern struct pci_driver mock_pci_driver;

/* knobs.c */
void mock_knobs_create(struct dentry *root);
int mock_knobs_take(struct mock_props *props);

/* device.c */
struct mock *mock_create(struct vdpa_mgmt_dev *mdev, const char *name,
			 const struct vdpa_dev_set_config *config);
void mock_destroy(struct mock *m);

/* ops.c */
extern const struct vdpa_config_ops mock_ops;
void mock_free(struct vdpa_device *vdpa);

/* change.c */
extern const struct vdpa_change_ops mock_change_ops;

/* vq.c: the operations on one virtqueue */
int mock_set_vq_address(struct vdpa_device *vdpa, u16 idx, u64 desc,
			u64 driver, u64 device);
void mock_set_vq_num(struct vdpa_device *vdpa, u16 idx, u32 num);
void mock_kick_vq(struct vdpa_device *vdpa, u16 idx);
void mock_kick_vq_with_data(struct vdpa_device *vdpa, u32 data);
void mock_set_vq_cb(struct vdpa_device *vdpa, u16 idx,
		    struct vdpa_callback *cb);
void mock_set_vq_ready(struct vdpa_device *vdpa, u16 idx, bool ready);
bool mock_get_vq_ready(struct vdpa_device *vdpa, u16 idx);
int mock_set_vq_state(struct vdpa_device *vdpa, u16 idx,
		      const struct vdpa_vq_state *state);
int mock_get_vq_state(struct vdpa_device *vdpa, u16 idx,
		      struct vdpa_vq_state *state);
struct vdpa_notification_area
mock_get_vq_notification(struct vdpa_device *vdpa, u16 idx);
int mock_get_vq_irq(struct vdpa_device *vdpa, u16 idx);
int mock_get_vendor_vq_stats(struct vdpa_device *vdpa, u16 idx,
			     struct sk_buff *msg,
			     struct netlink_ext_ack *extack);
u16 mock_get_vq_size(struct vdpa_device *vdpa, u16 idx);
u32 mock_get_vq_group(struct vdpa_device *vdpa, u16 idx);
int mock_set_vq_affinity(struct vdpa_device *vdpa, u16 idx,
			 const struct cpumask *mask);
u32 mock_get_vq_desc_group(struct vdpa_device *vdpa, u16 idx);
void mock_vqs_reset(struct mock *m);

/* map.c */
int mock_as_init(struct mock *m);
void mock_as_fini(struct mock *m);
int mock_set_map(struct vdpa_device *vdpa, unsigned int asid,
		 struct vhost_iotlb *iotlb);
int mock_dma_map(struct vdpa_device *vdpa, unsigned int asid, u64 iova,
		 u64 size, u64 pa, u32 perm, void *opaque);
int mock_dma_unmap(struct vdpa_device *vdpa, unsigned int asid, u64 iova,
		   u64 size);
int mock_reset_map(struct vdpa_device *vdpa, unsigned int asid);
void mock_clean_maps(struct mock *m);

/* record.c */
extern const char *const mock_op_name[MOCK_NR_OPS];
int mock_op_find(const char *name);
int __mock_call(struct mock *m, enum mock_op op, const u64 *arg, u32 nargs);
u32 mock_value(struct mock *m, enum mock_op op, u32 value);
int mock_inject_set(struct mock *m, char *line);
void mock_inject_clear(struct mock *m);
__printf(2, 3) void mock_breach(struct mock *m, const char *fmt, ...);

/* Record a call with its arguments; an injected errno, or 0. */
#define mock_call(m, op, ...)						\
	__mock_call(m, MOCK_OP_##op, (const u64[]){ __VA_ARGS__ },	\
		    ARRAY_SIZE(((const u64[]){ __VA_ARGS__ })))
/* The same of an operation without arguments. */
#define mock_call0(m, op)	__mock_call(m, MOCK_OP_##op, NULL, 0)

/* debugfs.c */
void mock_debugfs_create(struct mock *m);
int mock_debugfs_init(void);
void mock_debugfs_exit(void);

/* raise.c */
int mock_raise(struct mock *m, char *line);

/* consumer.c */
int mock_consumers_set(char *line);
int mock_consumers_show(struct seq_file *s);
void mock_consumers_clear(void);

#endif /* _VDPA_MOCK_H */
