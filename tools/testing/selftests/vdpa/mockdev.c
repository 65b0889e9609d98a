// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of vdpa_mock, through vdpa(8) and debugfs; see mock/mock.h for what
 * the files hold. Tests run one after the other, so the knobs of the next
 * device are ours.
 */
#include "mockdev.h"

#include <errno.h>
#include <linux/vhost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dev.h"
#include "files.h"
#include "mem.h"
#include "nl.h"

bool mock_available(void)
{
	return module_load("vhost_vdpa") && module_load(MOCKDEV) &&
	       file_exists(MOCK);
}

const char *mock_nl_open(struct nl *nl)
{
	if (nl_open(nl))
		return "there is no netlink family vdpa";
	if (!nl_has_mgmtdev(nl, MOCKDEV))
		return "vdpa_mock is not loaded";
	return file_write("1", MOCK "/next/default") ? "no debugfs" : NULL;
}

void mock_nl_close(struct nl *nl, const char *prefix)
{
	nl_del_all(nl, prefix);
	file_write("1", MOCK "/next/default");
	nl_close(nl);
}

int mock_knobs(const char *knobs)
{
	char copy[512], *knob, *rest, *value;
	int err = file_write("1", MOCK "/next/default");

	if (err)
		return err;
	snprintf(copy, sizeof(copy), "%s", knobs);
	for (knob = strtok_r(copy, " ", &rest); knob;
	     knob = strtok_r(NULL, " ", &rest)) {
		value = strchr(knob, '=');
		if (!value)
			return -EINVAL;
		*value++ = '\0';
		err = file_write(value, MOCK "/next/%s", knob);
		if (err)
			return err;
	}
	return 0;
}

int mock_make_on(struct mockdev *dev, const char *mgmtdev, const char *knobs)
{
	static int nr;
	int err;

	memset(dev, 0, sizeof(*dev));
	dev->fd = -1;
	dev->text = mmap(NULL, MOCKDEV_TEXT, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (dev->text == MAP_FAILED)
		return -errno;
	leak_mark(&dev->mark);
	err = mock_knobs(knobs);
	if (err)
		return err;
	snprintf(dev->name, sizeof(dev->name), "mock%d-%d", getpid(), nr++);
	return vdpa_add(dev->name, mgmtdev) ? -ENODEV : 0;
}

int mock_make(struct mockdev *dev, const char *knobs)
{
	return mock_make_on(dev, MOCKDEV, knobs);
}

int mock_knob(const char *name, unsigned long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%#llx", value);
	return file_write(text, MOCK "/next/%s", name);
}

int mock_add(struct mockdev *dev, const char *knobs)
{
	int err = mock_make(dev, knobs);

	if (err)
		return err;
	dev->fd = vhost_open(dev->name);
	return dev->fd < 0 ? -errno : 0;
}

int mock_own(struct mockdev *dev, const char *knobs)
{
	int err = mock_add(dev, knobs);

	if (err)
		return err;
	return ioctl(dev->fd, VHOST_SET_OWNER) ? -errno : 0;
}

const char *mock_del(struct mockdev *dev)
{
	static char report[4096];
	int len = 0;

	report[0] = '\0';
	if (dev->fd >= 0)
		close(dev->fd);
	dev->fd = -1;
	if (vdpa_exists(dev->name)) {
		len = snprintf(report, sizeof(report), "%.3000s",
			       mock_read(dev, "breaches"));
		if (vdpa_del(dev->name))
			len += snprintf(report + len, sizeof(report) - len,
					"cannot be deleted\n");
	}
	leak_check(&dev->mark, report + len, sizeof(report) - len);
	munmap(dev->text, MOCKDEV_TEXT);
	return report;
}

const char *mock_read(struct mockdev *dev, const char *file)
{
	int err = file_read(dev->text, MOCKDEV_TEXT, MOCK "/%s/%s", dev->name,
			    file);

	if (err)
		snprintf(dev->text, MOCKDEV_TEXT, "%s: %s\n", file,
			 strerror(-err));
	return dev->text;
}

int mock_write(struct mockdev *dev, const char *file, const char *text)
{
	return file_write(text, MOCK "/%s/%s", dev->name, file);
}

struct range {
	uint32_t asid, perm;
	uint64_t first, last, addr;
};

/* The next line of the file "map"; 0 at its end, -1 if it is no range. */
static int next_range(const char **text, struct range *range)
{
	const char *line = *text;
	int n;

	if (!*line)
		return 0;
	n = sscanf(line, "%u %lx %lx %lx %u", &range->asid, &range->first,
		   &range->last, &range->addr, &range->perm);
	line += strcspn(line, "\n");
	*text = line + (*line == '\n');
	return n == 5 ? 1 : -1;
}

const char *mock_map(struct mockdev *dev)
{
	char *out = dev->text + MOCKDEV_TEXT / 2;
	const char *text = mock_read(dev, "map"), *line = text;
	struct range range, merged;
	bool any = false;
	int len = 0, kind;

	out[0] = '\0';
	for (; (kind = next_range(&text, &range)); line = text) {
		if (kind < 0) {
			len += sprintf(out + len, "%.*s\n",
				       (int)strcspn(line, "\n"), line);
			continue;
		}
		if (any && merged.asid == range.asid &&
		    merged.perm == range.perm &&
		    merged.last + 1 == range.first) {
			merged.last = range.last;
			continue;
		}
		if (any)
			len += sprintf(out + len, "%u 0x%lx 0x%lx %u\n",
				       merged.asid, merged.first, merged.last,
				       merged.perm);
		merged = range;
		any = true;
		if (len > MOCKDEV_TEXT / 2 - 200)
			break;
	}
	if (any)
		sprintf(out + len, "%u 0x%lx 0x%lx %u\n", merged.asid,
			merged.first, merged.last, merged.perm);
	return out;
}

bool mock_map_is_at(struct mockdev *dev, uint32_t asid, uint64_t iova,
		    const void *mem, uint64_t size)
{
	const char *text = mock_read(dev, "map");
	uint64_t done = 0, off, step, phys;
	struct range range;
	int kind;

	while ((kind = next_range(&text, &range)) && done < size) {
		if (kind < 0 || range.asid != asid ||
		    range.first > iova + done || range.last < iova + done)
			continue;
		while (done < size && iova + done <= range.last) {
			off = iova + done - range.first;
			phys = mem_phys(mem + done);
			if (!phys || range.addr + off != phys)
				return false;
			step = SZ_4K - phys % SZ_4K;
			if (step > range.last - (iova + done) + 1)
				step = range.last - (iova + done) + 1;
			done += step;
		}
	}
	return done >= size;
}

/* What stands after @name at the start of a line; NULL if there is none. */
static const char *row(const char *line, const char *name)
{
	size_t len = strlen(name);

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncmp(line, name, len) &&
		    (line[len] == ' ' || line[len] == '\n'))
			return line + len;
	return NULL;
}

static long count_of(const char *text, const char *op)
{
	const char *count = row(text, op);

	return count ? atol(count) : -1;
}

long mock_count(struct mockdev *dev, const char *op)
{
	return count_of(mock_read(dev, "count"), op);
}

long mock_calls(const char *name, const char *op)
{
	char text[8192];

	if (file_read(text, sizeof(text), MOCK "/%s/count", name))
		return -1;
	return count_of(text, op);
}

bool mock_called(struct mockdev *dev, const char *call)
{
	const char *end = row(mock_read(dev, "calls"), call);

	return end && *end == '\n';
}

void mock_forget(struct mockdev *dev)
{
	mock_write(dev, "calls", "1");
	mock_write(dev, "count", "1");
}

/* The number after @name in a line of "name number ..." pairs. */
static uint64_t number_of(const char *line, const char *name)
{
	size_t len = strlen(name);
	const char *end = line + strcspn(line, "\n");

	for (; line < end; line += strcspn(line, "\n "), line++)
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtoull(line + len, NULL, 0);
	return UINT64_MAX;
}

uint64_t mock_state(struct mockdev *dev, const char *name)
{
	const char *value = row(mock_read(dev, "state"), name);

	return value ? strtoull(value, NULL, 0) : UINT64_MAX;
}

uint64_t mock_vq(struct mockdev *dev, unsigned int idx, const char *name)
{
	const char *line = mock_read(dev, "vq");

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strtoul(line, NULL, 10) == idx)
			return number_of(line, name);
	return UINT64_MAX;
}
