// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a virtio-pci function (VIRTIO 1.2, 4.1.4.5, 4.1.5.1.2).
 *
 * They are requested when features have been negotiated and freed when the
 * device has been reset; ops.c calls, with vdpa->cf_lock held for writing. A
 * virtqueue has a vector of its own if there are enough; else all share one,
 * and at worst with the config interrupt too, which may be a pin then.
 */
#include "vp.h"

#include <linux/interrupt.h>
#include <linux/pci.h>

void vp_line_init(struct vp_line *line)
{
	spin_lock_init(&line->lock);
}

/* When it returns, what was there before is not called any more. */
void vp_line_set(struct vp_line *line, const struct vdpa_callback *cb)
{
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	line->cb = *cb;
	spin_unlock_irqrestore(&line->lock, flags);
}

void vp_line_raise(struct vp_line *line)
{
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	if (line->cb.callback)
		line->cb.callback(line->cb.private);
	spin_unlock_irqrestore(&line->lock, flags);
}

static irqreturn_t line_irq(int irq, void *data)
{
	vp_line_raise(data);
	return IRQ_HANDLED;
}

static irqreturn_t queues_irq(int irq, void *data)
{
	struct vp_dev *vp = data;

	for (u16 i = 0; i < vp->nvqs; i++)
		vp_line_raise(&vp->vqs[i].line);
	return IRQ_HANDLED;
}

static irqreturn_t any_irq(int irq, void *data)
{
	struct vp_dev *vp = data;
	struct virtio_pci_modern_device *modern = vp_modern(vp);

	/* A pin may be somebody else's; reading takes its level back. */
	if (!modern->pci_dev->msix_enabled && !vp_ioread8(modern->isr))
		return IRQ_NONE;
	vp_line_raise(&vp->config);
	return queues_irq(irq, data);
}

/* Which handler a vector has, and what it is given. */
struct vector {
	irq_handler_t handler;
	const char *name;
	void *data;
};

static struct vector vector_of(struct vp_dev *vp, unsigned int nr)
{
	if (vp->vectors == VP_VECTORS_ONE)
		return (struct vector){ any_irq, vp->config_name, vp };
	if (!nr)
		return (struct vector){ line_irq, vp->config_name,
					&vp->config };
	if (vp->vectors == VP_VECTORS_TWO)
		return (struct vector){ queues_irq, vp->vqs[0].name, vp };
	return (struct vector){ line_irq, vp->vqs[nr - 1].name,
				&vp->vqs[nr - 1].line };
}

static unsigned int nr_vectors(const struct vp_dev *vp)
{
	switch (vp->vectors) {
	case VP_VECTORS_EACH:
		return vp->nvqs + 1;
	case VP_VECTORS_TWO:
		return 2;
	case VP_VECTORS_ONE:
		return 1;
	default:
		return 0;
	}
}

static void free_irqs(struct vp_dev *vp, unsigned int nr)
{
	struct pci_dev *pdev = vp_modern(vp)->pci_dev;

	while (nr--)
		free_irq(pci_irq_vector(pdev, nr), vector_of(vp, nr).data);
	pci_free_irq_vectors(pdev);
	vp->vectors = VP_VECTORS_NONE;
}

/* -ENOSPC and the like: there are not that many. */
static int try_vectors(struct vp_dev *vp, enum vp_vectors vectors)
{
	struct pci_dev *pdev = vp_modern(vp)->pci_dev;
	unsigned int nr, i;
	int err;

	vp->vectors = vectors;
	nr = nr_vectors(vp);
	err = pci_alloc_irq_vectors(pdev, nr, nr, vectors == VP_VECTORS_ONE ?
				    PCI_IRQ_MSIX | PCI_IRQ_INTX : PCI_IRQ_MSIX);
	if (err < 0) {
		vp->vectors = VP_VECTORS_NONE;
		return err;
	}
	for (i = 0; i < nr; i++) {
		struct vector v = vector_of(vp, i);

		err = request_irq(pci_irq_vector(pdev, i), v.handler,
				  pdev->msix_enabled ? 0 : IRQF_SHARED,
				  v.name, v.data);
		if (err) {
			free_irqs(vp, i);
			return err;
		}
	}
	return 0;
}

/* The function answers with the vector that it has taken. */
static int set_config_vector(struct vp_dev *vp)
{
	struct virtio_pci_modern_device *modern = vp_modern(vp);

	if (modern->pci_dev->msix_enabled &&
	    vp_modern_config_vector(modern, 0) != 0)
		return -EBUSY;
	return 0;
}

/**
 * vp_irqs_request() - Have interrupts, as many as can be had.
 * @vp: device, before its virtqueues are enabled
 *
 * Return: 0; -errno if there is not one.
 */
int vp_irqs_request(struct vp_dev *vp)
{
	static const enum vp_vectors ways[] = {
		VP_VECTORS_EACH, VP_VECTORS_TWO, VP_VECTORS_ONE,
	};
	int err = -ENOSPC;

	for (int i = 0; i < ARRAY_SIZE(ways) && err; i++)
		err = try_vectors(vp, ways[i]);
	if (err)
		return err;
	err = set_config_vector(vp);
	if (err)
		vp_irqs_free(vp);
	return err;
}

/* The device is reset, or gone: it raises none. */
void vp_irqs_free(struct vp_dev *vp)
{
	if (vp->vectors != VP_VECTORS_NONE)
		free_irqs(vp, nr_vectors(vp));
}

/* Which vector the function shall raise for a virtqueue. */
u16 vp_irq_vq_vector(const struct vp_dev *vp, u16 idx)
{
	const struct pci_dev *pdev = vp->fn->modern.pci_dev;

	if (vp->vectors == VP_VECTORS_NONE || !pdev->msix_enabled)
		return VIRTIO_MSI_NO_VECTOR;
	switch (vp->vectors) {
	case VP_VECTORS_EACH:
		return idx + 1;
	case VP_VECTORS_TWO:
		return 1;
	default:
		return 0;
	}
}

/* One that is the virtqueue's alone. */
int vp_irq_get_vq(struct vdpa_device *vdpa, u16 idx)
{
	struct vp_dev *vp = vdpa_to_vp(vdpa);

	if (vp->vectors != VP_VECTORS_EACH)
		return -ENOENT;
	return pci_irq_vector(vp_modern(vp)->pci_dev, idx + 1);
}
