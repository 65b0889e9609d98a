/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi_random, private. A round is a device of a shape that is drawn, and random
 * calls to it; round.c is the loop, and the model of the device is what each
 * call must answer and leave behind. Everything here is of the one thread that
 * runs rounds; free.c, where many run, has its own.
 */
#ifndef ABI_RANDOM_H
#define ABI_RANDOM_H

#include <errno.h>
#include <linux/vhost.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "files.h"
#include "mockdev.h"
#include "nl.h"
#include "rng.h"

#define BIT_ULL(nr)		(1ULL << (nr))
#define PAGE			0x1000UL
#define MAX_VQS			4
#define MAX_GROUPS		3
#define MAX_AS			3
#define MAX_CONFIG		64
#define NR_EVENTS		4	/* eventfds of each use */
#define NR_DEAD			3	/* files of devices that are gone */

/* Time that one call may take, in an emulated machine that others slow down. */
#define CALL_LIMIT_S		60

struct options {
	uint64_t seed;
	unsigned int seconds;
	unsigned int threads;
	unsigned int steps;	/* 0: as many as there is time for */
	bool mock;
	char dma_dev[32];	/* a PCI function behind an IOMMU; "": none */
};

enum mapping { MAP_DMA, MAP_SET, MAP_VA, MAP_SET_VA, MAP_IOMMU, NR_MAPPINGS };

/* What the device is like, for a round. */
struct shape {
	bool mock;		/* else its state is not known, only its errnos */
	enum mapping mapping;
	uint32_t nvqs, ngroups, nas;
	uint32_t vq_num_max, config_size;
	uint64_t features, backend;
	uint64_t iova_first, iova_last;
	bool can_suspend, can_resume, can_asid, has_size, has_desc_group;
	bool has_generation;
	const char *doorbell;
	char knobs[512];
	uint64_t memlock;	/* pages that may be pinned; 0: CAP_IPC_LOCK */
};

/* Bytes of one page that are mapped; addr is what the parent is given. */
struct piece {
	uint64_t first, last, addr;
	uint32_t perm;
};

struct pieces {
	struct piece *at;
	uint32_t nr, max;
};

struct space {
	struct pieces map;
	struct pieces dev;	/* what a parent with set_map() has been told */
	uint64_t limbo;		/* pages that wait for a commit */
	bool in_batch, uncommitted;
};

enum owner { NOBODY, SELF, STRANGER };

struct vq {
	uint64_t desc, avail, used;
	uint32_t num, state, busyloop;
	bool ready;
	bool bypass;		/* its interrupt is offered */
	int call, kick;		/* index of an eventfd, or -1 */
	uint64_t kicks;
};

struct model {
	struct shape shape;
	enum owner owner;
	uint64_t backend, features;
	uint8_t fork, status;
	bool suspended;
	bool features_valid;	/* else a look at the config space clears them */
	bool gone;		/* the device is; the file is not */
	bool exists;		/* there is a device, bound or not */
	struct vq vq[MAX_VQS];
	uint32_t group_asid[MAX_GROUPS];
	uint8_t config[MAX_CONFIG];
	uint32_t generation;
	uint32_t doorbell[MAX_VQS];
	int config_event;	/* index, or -1 */
	uint64_t calls[NR_EVENTS], kicks[NR_EVENTS], configs[NR_EVENTS];
	struct space as[MAX_AS];
	int inject;		/* -errno of the operation that fails, or 0 */
	const char *inject_op;
	unsigned int inject_nth;	/* which call of it, from 1; 0: all */
	bool inject_armed;
};

/* Everything of a round that is not the model of it. */
struct world {
	struct rng rng;
	unsigned int step;
	struct mockdev dev;
	struct nl nl;
	int call[NR_EVENTS], kick[NR_EVENTS], config[NR_EVENTS];
	int err[NR_EVENTS], no_event;
	int dead[NR_DEAD];
	int nr_dead;
};

extern struct model m;
extern struct world w;

/* log.c */
void note(const char *fmt, ...)
	__printf(1, 2);
/* Tells what was done last and with which seed, and ends the program. */
_Noreturn void fail(const char *fmt, ...)
	__printf(1, 2);
void log_begin(const struct options *opts, uint64_t seed);
const char *err_name(int err);
/* Notes a call, and fails unless it answered as it should. */
void expect(int want, int got, const char *fmt, ...)
	__printf(3, 4);

/* round.c */
void rounds_run(const struct options *opts);

/* shape.c */
void shape_draw(struct rng *rng, struct shape *shape,
		const struct options *opts);
void shape_ask(struct shape *shape, int fd);
void shape_ask_range(struct shape *shape, int fd);
void model_forget(void);
void model_reset(void);
void model_session(void);
void model_device(void);

/* arena.c: the memory that is mapped */
#define ARENA		0x200000000UL
#define ARENA_PAGES	0x700UL

void arena_make(void);
void arena_free(void);
/* 0, or -errno with which mapping this memory is refused. */
int arena_check(uint64_t uaddr, uint64_t size, uint32_t perm, bool va);
uint64_t arena_draw(struct rng *rng, uint64_t *left);
/* Physical addresses of the pages from @uaddr on. */
void arena_phys(uint64_t uaddr, uint64_t *phys, uint64_t nr);
void arena_step(void);
/* Where the kernel's half of the address space cannot be far. */
uint64_t arena_user_max(void);

/* actor.c: who makes a call, and with which pointer */
struct call {
	bool stranger;
	bool is_write;		/* else it is an ioctl */
	int fd;
	unsigned long cmd;
	uint64_t ptr;
	size_t len;		/* of a write */
};

enum ptr_kind { PTR_GOOD, PTR_NONE, PTR_SHORT, PTR_RO };

struct buffer {
	enum ptr_kind kind;
	unsigned char *data;	/* what the caller fills and reads */
	uint64_t ptr;		/* what the kernel is given */
	size_t can_read;	/* bytes */
	size_t can_write;
	bool not_user;		/* address of the kernel */
};

void actors_init(void);
void stranger_start(void);
void stranger_stop(void);
/* 0 and more, or -errno. */
long call_run(const struct call *call);
struct buffer buffer_draw(struct rng *rng, size_t len);

/* space.c: the model of an address space */
bool space_overlaps(const struct space *as, uint64_t first, uint64_t last);
bool space_can_cut(const struct space *as, uint64_t at);
void space_commit(struct space *as);
uint64_t space_remove(struct space *as, uint64_t first, uint64_t last);
void space_add(struct space *as, const struct vhost_iotlb_msg *msg);
void space_empty(struct space *as);
uint64_t pinned_model(void);
void pieces_copy(struct pieces *to, const struct pieces *from);
void pieces_push(struct pieces *pieces, struct piece piece);
/* Neighbours that are contiguous become one. */
void pieces_merge(struct pieces *pieces);
bool has_table(void);
bool takes_va(void);
int model_end_batch(struct space *as);
/* A table that the device refused; @pages wait for one that it takes. */
int model_refused(struct space *as, uint64_t pages);

/* msg.c, rows.c, ioctl.c, event.c, life.c: the steps */
void msg_step(void);
void ioctl_step(void);
void event_step(void);
void doorbell_step(void);
void doorbells_check_gone(void);
void doorbells_check_revoked(void);
void doorbells_drop(void);
bool doorbells_mapped(void);
/* Each of @nr queues from @idx on that may, offers its interrupt. */
void bypass_offer(uint32_t idx, uint32_t nr);
void bypass_end(void);
void bypass_consume(void);
void life_step(void);
void life_begin(void);
void life_end(void);
void dead_step(void);
void show_step(void);
/* What a caller is told before the handler looks at anything. */
int caller_check(bool stranger);

/* inject.c: makes an operation of the mock fail, for one step */
void inject_arm(const char *op, unsigned int nth);
void inject_disarm(void);
/* Whether it is @op that fails. */
bool injected(const char *op);
/* Lets each queue of the mock have an interrupt. */
#define MOCK_IRQ	40
void irqs_give(void);

/* compare.c */
void compare(void);

/* free.c */
void free_run(const struct options *opts);

#endif /* ABI_RANDOM_H */
