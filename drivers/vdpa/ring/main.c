// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * vdpa_ring.ko as a module: what modinfo(8) shows, and nothing else.
 *
 * The library is a set of exported verbs without state of its own, so there
 * is nothing to set up or to tear down. It can be unloaded when no module
 * that uses it is left.
 */
#include <linux/module.h>

MODULE_DESCRIPTION("Device side of virtqueues for vDPA software devices");
MODULE_LICENSE("Dual BSD/GPL");
