// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of our modules: each is loaded, then all go. What the kernel does
 * before it calls a module's init function is not swept.
 */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dev.h"

/* Each after those that it needs. */
static struct module {
	const char *name;
	void *image;
	size_t size;
} modules[] = {
	{ "vdpa" },
	{ "vhost_vdpa" },
	{ "vdpa_ring" },
	{ "vdpa_soft" },
	{ "vdpa_net" },
	{ "vdpa_blk" },
	{ "vp_vdpa" },
	{ "vdpa_mock" },
	{ "virtio_vdpa" },
};

static int read_image(struct module *module)
{
	char command[64], path[512] = "";
	struct stat stat;
	FILE *file;
	int fd;

	if (module->image)
		return 0;
	snprintf(command, sizeof(command), "modinfo -n %s", module->name);
	file = popen(command, "re");
	if (!file || !fgets(path, sizeof(path), file))
		path[0] = '\0';
	if (file)
		pclose(file);
	path[strcspn(path, "\n")] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat))
		return -errno;
	module->image = malloc(stat.st_size);
	module->size = stat.st_size;
	if (read(fd, module->image, stat.st_size) != stat.st_size)
		return -EIO;
	close(fd);
	return 0;
}

static int load(struct module *module)
{
	return syscall(SYS_init_module, module->image, module->size,
		       "") ? -errno : 0;
}

static int unload(struct module *module)
{
	return syscall(SYS_delete_module, module->name, O_NONBLOCK) ?
	       -errno : 0;
}

/* The next one that is not there. */
static int load_next(struct life *life)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(modules); i++)
		if (module_refs(modules[i].name) < 0)
			return load(&modules[i]);
	return -ENOENT;
}

static const struct call calls[] = {
	{ "load vdpa", load_next },
	{ "load vhost_vdpa", load_next },
	{ "load vdpa_ring", load_next },
	{ "load vdpa_soft", load_next },
	{ "load vdpa_net", load_next },
	{ "load vdpa_blk", load_next },
	{ "load vp_vdpa", load_next },
	{ "load vdpa_mock", load_next },
	{ "load virtio_vdpa", load_next },
};

static void unload_all(struct life *life)
{
	for (int i = ARRAY_SIZE(modules) - 1; i >= 0; i--)
		if (module_refs(modules[i].name) >= 0)
			unload(&modules[i]);
}

static int begin(struct life *life)
{
	return 0;
}

static const char *load_all(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(modules) - 1; i++)
		if (load(&modules[i]))
			return "modules cannot be loaded again";
	return NULL;
}

const char *modules_load(void)
{
	static char why[64];
	unsigned int i;

	/* Once by modprobe, for what they need of the kernel's. */
	for (i = 0; i < ARRAY_SIZE(modules); i++) {
		snprintf(why, sizeof(why), "there is no %s", modules[i].name);
		if (!module_load(modules[i].name) || read_image(&modules[i]))
			return why;
	}
	unload_all(NULL);
	return load_all();
}

static int nobody_begin(struct life *life)
{
	nl_close(&life->nl);
	unload_all(life);
	return 0;
}

static void nobody_end(struct life *life)
{
	const char *why = load_all();

	if (why || nl_open(&life->nl))
		wrong("%s", why ?: "there is no netlink family vdpa");
}

const struct parent nobody = {
	"modules", .begin = nobody_begin, .end = nobody_end,
};

/*
 * When bus_register() fails it frees a lock that lockdep still knows, which
 * lockdep tells of, and is off then.
 */
const struct scenario life_load = {
	"load", calls, ARRAY_SIZE(calls), begin, unload_all,
	fault_range_any_module, .helpless = "bus_register",
};
