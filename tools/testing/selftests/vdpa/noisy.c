// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that makes as much noise as it can, next to one that is quiet: how
 * much the latter gets done, and a process of the host that only wants to run
 * each millisecond. Figures are told; what is asserted is that everybody goes
 * on. A process that just spins is there to compare with.
 */
#include "common.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "blkdev.h"
#include "dev.h"
#include "driver.h"
#include "endure.h"
#include "mem.h"
#include "vhost.h"

#define QUIET	"quiet"
#define NOISY	"noisy"
#define FRAME	1000
#define QUEUES	DRV_VQS
#define SLOTS	8
/* Of what it gets done alone: 2 CPUs, and more than that many who want them. */
#define SHARE	50

/* What all processes see. */
struct shared {
	bool stop;
	bool ready;		/* the noise has begun */
	unsigned long rounds;	/* of the noise */
	unsigned long ticks;	/* of the host's process */
	long worst;		/* ms between two of them */
};

static bool stopped(const struct shared *shared)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

static void made_noise(struct shared *shared)
{
	__atomic_fetch_add(&shared->rounds, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&shared->ready, true, __ATOMIC_RELAXED);
}

/* Each makes noise until it is told to stop: false if it cannot. */
typedef bool (*noise_fn)(struct drv *drv, struct shared *shared);

static bool noise_spin(struct drv *drv, struct shared *shared)
{
	while (!stopped(shared))
		made_noise(shared);
	return true;
}

static bool noise_kicks(struct drv *drv, struct shared *shared)
{
	while (!stopped(shared)) {
		drv_kick(drv, DRV_TX);
		made_noise(shared);
	}
	return true;
}

static bool noise_frames(struct drv *drv, struct shared *shared)
{
	struct drv_vq *vq = &drv->vq[DRV_TX];
	struct drv_seg tx = { drv_buf_iova(1), DRV_HDR + FRAME };

	drv_fill(drv_buf(1, drv), FRAME, NULL, 1);
	while (!stopped(shared)) {
		uint16_t used = __atomic_load_n(&vq->used->idx,
						__ATOMIC_ACQUIRE);

		/* No one waits: there is always more than is done. */
		if ((uint16_t)(vq->avail_idx - used) < vq->size)
			drv_post(drv, DRV_TX, &tx, 1);
		made_noise(shared);
	}
	return true;
}

static bool noise_disk(struct drv *drv, struct shared *shared)
{
	struct drv_seg seg = { blk_data_iova(0), 8 * 512, true };
	unsigned int n, i;

	for (n = 0; !stopped(shared); n++) {
		for (i = 0; i < QUEUES; i++) {
			if (n >= SLOTS && blk_end(drv, i) < 0)
				return false;
			blk_begin(drv, i, n % SLOTS, VIRTIO_BLK_T_IN,
				  i * 8, &seg, 1);
		}
		made_noise(shared);
	}
	return true;
}

static bool noise_maps(struct drv *drv, struct shared *shared)
{
	uint64_t iova = DRV_IOVA + DRV_MEM;

	while (!stopped(shared)) {
		if (iotlb_map(drv->fd, 0, iova, 16 * SZ_4K, drv->mem,
			      VHOST_ACCESS_RW) ||
		    iotlb_unmap(drv->fd, 0, iova, 16 * SZ_4K))
			return false;
		made_noise(shared);
	}
	return true;
}

static bool noise_resets(struct drv *drv, struct shared *shared)
{
	while (!stopped(shared)) {
		drv_kick(drv, DRV_TX);
		if (drv_restart(drv))
			return false;
		made_noise(shared);
	}
	return true;
}

FIXTURE(noise) {
	struct drv quiet;
	struct shared *shared;
	pid_t noisy, host;
};

FIXTURE_VARIANT(noise) {
	noise_fn fn;
	bool disk;
};

/* The first makes no use of its device. */
FIXTURE_VARIANT_ADD(noise, spinning) { noise_spin };
FIXTURE_VARIANT_ADD(noise, kicks) { noise_kicks };
FIXTURE_VARIANT_ADD(noise, frames) { noise_frames };
FIXTURE_VARIANT_ADD(noise, disk) { noise_disk, true };
FIXTURE_VARIANT_ADD(noise, maps) { noise_maps };
FIXTURE_VARIANT_ADD(noise, resets) { noise_resets };

FIXTURE_SETUP(noise)
{
	const char *reason = drv_device(QUIET);

	if (!reason && variant->disk)
		reason = blk_add(NOISY, &blk_ram, QUEUES);
	else if (!reason)
		reason = drv_device(NOISY);
	if (reason)
		SKIP(return, "%s", reason);
	self->shared = mmap(NULL, sizeof(*self->shared),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	self->quiet.size = 64;
	ASSERT_ERRNO(0, drv_start(&self->quiet, QUIET, mem_anon(DRV_MEM)));
}

FIXTURE_TEARDOWN(noise)
{
	drv_end(&self->quiet, QUIET);
	if (variant->disk)
		blk_del(NOISY);
	else
		vdpa_del(NOISY);
	munmap(self->shared, sizeof(*self->shared));
}

static void be_noisy(noise_fn fn, bool disk, struct shared *shared)
{
	struct drv drv = { .size = 64 };
	int ret = 1;

	if (disk)
		drv.features = BIT_ULL(VIRTIO_BLK_F_MQ);
	if (!drv_start(&drv, NOISY, mem_anon(DRV_MEM)))
		ret = fn(&drv, shared) ? 0 : 2;
	drv_close(&drv);
	_exit(ret);
}

static void be_the_host(struct shared *shared)
{
	long last = now_ms(), now;

	while (!stopped(shared)) {
		usleep(1000);
		now = now_ms();
		if (now - last > shared->worst)
			shared->worst = now - last;
		shared->ticks++;
		last = now;
	}
	_exit(0);
}

static int exit_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	       WEXITSTATUS(status) : -1;
}

struct figures {
	long frames, worst;
	unsigned long ticks, noise;
	long host_worst;
};

/* What the quiet one and the host get done in @ms. */
static bool measure(struct drv *quiet, struct shared *shared, long ms,
		    struct figures *f)
{
	long start = now_ms(), last = start, now = start;

	*f = (struct figures) {};
	shared->worst = 0;
	f->ticks = shared->ticks;
	f->noise = shared->rounds;
	while (now < start + ms) {
		if (!drv_works(quiet, FRAME))
			return false;
		now = now_ms();
		if (now - last > f->worst)
			f->worst = now - last;
		f->frames++;
		last = now;
	}
	f->ticks = shared->ticks - f->ticks;
	f->noise = shared->rounds - f->noise;
	f->host_worst = shared->worst;
	return true;
}

TEST_F_TIMEOUT(noise, leaves_others_their_share, 200)
{
	struct shared *shared = self->shared;
	long ms = endure(2000, 10000);
	struct figures alone, noisy;

	self->host = fork();
	if (!self->host)
		be_the_host(shared);
	ASSERT_TRUE(measure(&self->quiet, shared, ms, &alone));
	self->noisy = fork();
	if (!self->noisy)
		be_noisy(variant->fn, variant->disk, shared);
	for (int i = 0; i < 1000 && !shared->ready; i++)
		usleep(10000);
	ASSERT_TRUE(shared->ready);
	ASSERT_TRUE(measure(&self->quiet, shared, ms, &noisy));
	shared->stop = true;
	EXPECT_EQ(0, exit_of(self->noisy));
	EXPECT_EQ(0, exit_of(self->host));

	TH_LOG("in %ld s: %ld frames, the slowest %ld ms; with %lu rounds of noise %ld and %ld",
	       ms / 1000, alone.frames, alone.worst, noisy.noise, noisy.frames,
	       noisy.worst);
	TH_LOG("the host ran %lu times, the longest wait %ld ms; with noise %lu and %ld",
	       alone.ticks, alone.host_worst, noisy.ticks, noisy.host_worst);
	EXPECT_LT(0, noisy.noise);
	EXPECT_LE(alone.frames, noisy.frames * SHARE);
	EXPECT_LE(alone.ticks, noisy.ticks * SHARE);
	EXPECT_GT(DRV_WAIT_MS, noisy.worst);
	EXPECT_GT(DRV_WAIT_MS, noisy.host_worst);
}

TEST_HARNESS_MAIN
