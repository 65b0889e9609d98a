// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer in the VM, with the kernel's modules for the program under test.
 *
 * Before an input runs it is written to memory that the host shares, if
 * FUZZ_SHARED names it: a kernel that dies takes nothing with it. After it has
 * run the kernel must have logged nothing.
 */
#include "surface.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dev.h"
#include "kcov.h"
#include "libfuzzer.h"

/* As "run" reads it on the host. */
#define SHARED_SLOTS	64
#define SHARED_BYTES	4096

struct shared {
	uint64_t count;		/* inputs, ever; the last one is being run */
	struct {
		uint32_t size;
		uint8_t data[SHARED_BYTES - 4];
	} slot[SHARED_SLOTS];
};

/* What the machine says of itself, whoever does what. */
static const char *const noise[] = {
	"hrtimer: interrupt took", "clocksource:", "perf: interrupt took",
	"random: ", "sched: RT throttling", "hogged CPU for",
	/* netlink: of any family, rarely */
	"leftover after parsing attributes", "has an invalid length",
	"__nla_validate_parse: ",	/* how often it has kept silent */
};

static struct shared *shared;
static int klog;

void wrong(const char *fmt, ...)
{
	va_list args;

	printf("WRONG: ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	abort();
}

static const char *shared_open(void)
{
	const char *path = getenv("FUZZ_SHARED");
	void *mem;
	int fd;

	if (!path)
		return NULL;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return "FUZZ_SHARED cannot be opened";
	mem = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		   fd, 0);
	close(fd);
	if (mem == MAP_FAILED)
		return "FUZZ_SHARED cannot be mapped";
	shared = mem;
	return NULL;
}

static void announce(const uint8_t *data, size_t size)
{
	uint64_t nr;

	if (!shared)
		return;
	nr = shared->count % SHARED_SLOTS;
	if (size > sizeof(shared->slot[nr].data))
		size = sizeof(shared->slot[nr].data);
	memcpy(shared->slot[nr].data, data, size);
	shared->slot[nr].size = size;
	shared->count++;
}

static bool is_noise(const char *line)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(noise); i++)
		if (strstr(line, noise[i]))
			return true;
	return false;
}

static void klog_check(void)
{
	char line[2048];
	ssize_t len;

	while ((len = read(klog, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		if (!is_noise(line))
			wrong("the kernel logs: %s", line);
	}
}

static int run_input(const uint8_t *data, size_t size)
{
	announce(data, size);
	kcov_forget();
	surface.run((const void *)data, size / sizeof(struct record));
	kcov_count();
	klog_check();
	return 0;
}

struct args {
	int argc;
	char **argv;
	int ret;
};

static const char *prepare(void)
{
	const char *why = kcov_follow_self();

	if (!why)
		why = shared_open();
	if (!why)
		why = surface.init();
	klog = log_open();
	return klog < 0 ? "no /dev/kmsg" : why;
}

static void *thread(void *arg)
{
	struct args *args = arg;
	const char *why = prepare();

	if (why) {
		printf("cannot begin: %s\n", why);
		args->ret = 1;
		return NULL;
	}
	atexit(kcov_tell);
	args->ret = LLVMFuzzerRunDriver(&args->argc, &args->argv, run_input);
	return NULL;
}

int main(int argc, char **argv)
{
	struct args args = { argc, argv, 0 };
	const char *why = kcov_follow_workers();
	pthread_t runs;

	if (why) {
		printf("cannot begin: %s\n", why);
		return 1;
	}
	if (pthread_create(&runs, NULL, thread, &args))
		return 1;
	pthread_join(runs, NULL);
	return args.ret;
}
