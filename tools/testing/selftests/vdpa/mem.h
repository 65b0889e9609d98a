/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of all kinds that a guest may be made of.
 */
#ifndef VDPA_SELFTESTS_MEM_H
#define VDPA_SELFTESTS_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef SZ_4K
#define SZ_4K	0x1000UL
#define SZ_2M	0x200000UL
#endif

/* Each is present and writable; NULL and errno if there is none to be had. */
void *mem_anon(size_t size);
void *mem_memfd(size_t size);
void *mem_thp(size_t size);	/* size: a multiple of 2 MiB */
void *mem_hugetlb(size_t size);	/* likewise; reserves the pages */
void *mem_scattered(size_t size);	/* no two pages follow each other */
/* One file again and again, not touched yet: much to pin, little memory. */
void *mem_repeated(size_t size, size_t file);	/* size: a multiple of file */
/*
 * Whoever touches what lies behind the first @good bytes waits there until
 * @fault is closed. mem_is_stuck() waits until somebody does, ten seconds.
 */
void *mem_stuck(size_t size, size_t good, int *fault);
bool mem_is_stuck(int fault);
void mem_free(void *mem, size_t size);

/* Physical address of a byte; 0 if it is not present or not to be told. */
uint64_t mem_phys(const void *mem);
/* 0, or the signal that a store ends in. One thread at a time. */
int mem_store(uint32_t *at, uint32_t value);

#endif /* VDPA_SELFTESTS_MEM_H */
