// SPDX-License-Identifier: GPL-2.0-only
/*
 * File operations of /dev/vhost-vdpa-N, and the session that lives from open
 * to close or to the end of the device, whichever comes first. One file at a
 * time; it starts with a device that was reset and reaches no memory.
 */
#include "vhost_vdpa.h"

#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <uapi/linux/virtio_config.h>

#include "mapper.h"

/* Whether the device may use its queues, and raise interrupts for them. */
bool vhost_vdpa_running(const struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	lockdep_assert_held(&v->lock);

	return !v->suspended && (vdpa->config->get_status(vdpa) &
				 VIRTIO_CONFIG_S_DRIVER_OK);
}

/*
 * Parents lose what they were told of callbacks in a reset or keep it, as they
 * like, so it is told again.
 */
static int device_reset(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	int err;

	lockdep_assert_held(&v->lock);

	vhost_vdpa_irqs_unbypass(v);
	err = vdpa_reset(vdpa, 0);
	if (err) {
		/* It runs on, perhaps. */
		vhost_vdpa_irqs_bypass(v, vdpa);
		return err;
	}

	v->suspended = false;
	v->vq_num_max = vdpa->config->get_vq_num_max(vdpa);
	vhost_vdpa_cbs_install(v, vdpa);
	return 0;
}

/*
 * Puts the device back to its initial state. The mappings stay, whatever the
 * program knows of VHOST_BACKEND_F_IOTLB_PERSIST: a parent that is asked to
 * clean its map (VDPA_RESET_F_CLEAN_MAP) may go back to one that reaches all
 * memory, and our records would no longer say what the device can reach.
 *
 * An error may be that of a batch that the reset has ended: then the device is
 * reset, and has the mappings from before the batch.
 */
int vhost_vdpa_reset(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	return device_reset(v, vdpa) ?: vhost_vdpa_as_reset(v, vdpa);
}

/* What both the device and the platform's IOMMU can address. */
static void vhost_vdpa_set_range(struct vhost_vdpa *v,
				 struct vdpa_device *vdpa)
{
	const struct vdpa_config_ops *ops = vdpa->config;
	struct vdpa_iova_range *range = &v->range;

	*range = (struct vdpa_iova_range){ .last = U64_MAX };
	if (ops->get_iova_range)
		*range = ops->get_iova_range(vdpa);
	if (v->domain && v->domain->geometry.force_aperture) {
		const struct iommu_domain_geometry *can = &v->domain->geometry;

		range->first = max_t(u64, range->first, can->aperture_start);
		range->last = min_t(u64, range->last, can->aperture_end);
	}
}

static int vhost_vdpa_session_begin(struct vhost_vdpa *v,
				    struct vdpa_device *vdpa)
{
	int err;

	lockdep_assert_held(&v->lock);

	err = vdpa_reset(vdpa, 0);
	if (err)
		return err;
	err = vhost_vdpa_as_open(v, vdpa);
	if (err)
		return err;

	v->fork_from_owner = VHOST_FORK_OWNER_TASK;
	v->vq_num_max = vdpa->config->get_vq_num_max(vdpa);
	v->config_size = vdpa->config->get_config_size(vdpa);
	vhost_vdpa_set_range(v, vdpa);
	v->session = true;
	/* Last: only the end of a session makes the device forget us. */
	vhost_vdpa_cbs_install(v, vdpa);
	return 0;
}

/* Lets go of @mm, which was the owner's if there was one. */
static void owner_put(struct vhost_vdpa *v, struct vdpa_device *vdpa,
		      struct mm_struct *mm)
{
	if (!mm)
		return;
	if (v->use_va && vdpa->config->unbind_mm)
		vdpa->config->unbind_mm(vdpa);
	WRITE_ONCE(v->mm, NULL);
	mmdrop(mm);
}

static void kicks_stop(struct vhost_vdpa *v)
{
	for (u32 i = 0; i < v->nvqs; i++)
		vhost_vdpa_kick_stop(&v->vqs[i]);
}

/**
 * vhost_vdpa_session_end() - Take everything back that the session was given.
 * @v: the device's node; a session that has ended already is left alone
 * @vdpa: the device
 *
 * Order: the device stops, forgets whom to notify, loses its mappings; only
 * then memory is unpinned and eventfds are put.
 */
void vhost_vdpa_session_end(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	lockdep_assert_held(&v->lock);

	if (!v->session)
		return;

	kicks_stop(v);
	vhost_vdpa_irqs_unbypass(v);
	/* One that refuses loses its memory all the same. */
	(void)vdpa_reset(vdpa, 0);
	vhost_vdpa_events_drop(v, vdpa);
	vhost_vdpa_as_close(v, vdpa);
	owner_put(v, vdpa, v->mm);
	WRITE_ONCE(v->backend_features, 0);
	v->suspended = false;
	v->session = false;
}

/* From now on a message of the owner's, on its way or new, changes nothing. */
static void owner_leaves(struct vhost_vdpa *v)
{
	WRITE_ONCE(v->mm, NULL);
	/* Pairs with the acquire in msg_run(); compared under as->lock. */
	smp_store_release(&v->owner_nr, v->owner_nr + 1);
}

/**
 * vhost_vdpa_session_renew() - Make the session what it was after open().
 * @v: the device's node, with an owner
 * @vdpa: the device
 *
 * What can fail comes first: after an error the owner is still that, of a
 * device that was reset if it can be, and that may have lost the mappings of
 * some address spaces; messages that were on their way have failed.
 *
 * Return: 0, or what the device said.
 */
int vhost_vdpa_session_renew(struct vhost_vdpa *v, struct vdpa_device *vdpa)
{
	struct mm_struct *mm = v->mm;
	int err;

	lockdep_assert_held(&v->lock);

	owner_leaves(v);
	err = device_reset(v, vdpa) ?: vhost_vdpa_as_empty(v, vdpa);
	if (err) {
		WRITE_ONCE(v->mm, mm);
		return err;
	}

	kicks_stop(v);
	vhost_vdpa_doorbells_revoke(v);
	vhost_vdpa_events_drop(v, vdpa);
	vhost_vdpa_cbs_install(v, vdpa);
	owner_put(v, vdpa, mm);
	WRITE_ONCE(v->backend_features, 0);
	v->fork_from_owner = VHOST_FORK_OWNER_TASK;
	return 0;
}

static int vhost_vdpa_open(struct inode *inode, struct file *file)
{
	struct vhost_vdpa *v = container_of(inode->i_cdev, struct vhost_vdpa,
					    cdev);
	int err;

	if (test_and_set_bit_lock(0, &v->opened))
		return -EBUSY;
	get_device(&v->dev);
	file->private_data = v;

	mutex_lock(&v->lock);
	{
		CLASS(vdpa_live, live)(&v->gate);

		err = live.ops ? vhost_vdpa_session_begin(v, live.vdpa)
			       : -ENODEV;
		if (!err)
			v->mapping = file->f_mapping;
	}
	mutex_unlock(&v->lock);
	if (err) {
		clear_bit_unlock(0, &v->opened);
		put_device(&v->dev);
		return err;
	}
	/*
	 * A write is done where it is asked for. Otherwise io_uring would wait
	 * for poll() to call the file writable, which it does not speak of.
	 */
	file->f_mode |= FMODE_NOWAIT;
	return nonseekable_open(inode, file);
}

static int vhost_vdpa_release(struct inode *inode, struct file *file)
{
	struct vhost_vdpa *v = file->private_data;

	mutex_lock(&v->lock);
	{
		CLASS(vdpa_live, live)(&v->gate);

		/* Else remove() ends the session, or has done so. */
		if (live.ops)
			vhost_vdpa_session_end(v, live.vdpa);
		v->mapping = NULL;
	}
	mutex_unlock(&v->lock);
	cancel_work_sync(&v->broken_work);
	clear_bit_unlock(0, &v->opened);
	put_device(&v->dev);
	return 0;
}

static __poll_t vhost_vdpa_poll(struct file *file, poll_table *wait)
{
	struct vhost_vdpa *v = file->private_data;

	poll_wait(file, &v->wait, wait);
	/* Pairs with the barrier in wake_up_poll()'s lock after the close. */
	return vdpa_gate_is_closed(&v->gate) ? EPOLLHUP | EPOLLERR : 0;
}

const struct file_operations vhost_vdpa_fops = {
	.owner		= THIS_MODULE,
	.open		= vhost_vdpa_open,
	.release	= vhost_vdpa_release,
	.write_iter	= vhost_vdpa_write_iter,
	.poll		= vhost_vdpa_poll,
	.mmap		= vhost_vdpa_mmap,
	.unlocked_ioctl	= vhost_vdpa_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};
