/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must be back where it was when a test ends.
 */
#ifndef VDPA_SELFTESTS_LEAK_H
#define VDPA_SELFTESTS_LEAK_H

#define LEAK_EVENTFDS	16

struct leak_mark {
	long pinned;		/* pages, of the whole machine */
	int vhost_refs;		/* references on the modules */
	int parent_refs;
	int eventfd_id[LEAK_EVENTFDS];	/* that the next eventfds get */
};

void leak_mark(struct leak_mark *mark);
/* What is not back within a second; "" if nothing. */
void leak_check(const struct leak_mark *mark, char *report, int size);

/* Pages pinned now: acquired less released, of /proc/vmstat. */
long pinned_pages(void);
/* A number of /proc/self/status, in KiB: "VmPin", "VmLck". */
long status_kib(const char *name);

#endif /* VDPA_SELFTESTS_LEAK_H */
