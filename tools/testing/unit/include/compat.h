/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What the pure files of the kernel modules need of the kernel, for user
 * space. The headers beside this one, named like the kernel's, all lead here.
 */
#ifndef _COMPAT_H
#define _COMPAT_H

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include <asm/byteorder.h>

#define U16_MAX			UINT16_MAX
#define U32_MAX			UINT32_MAX
#define U64_MAX			UINT64_MAX
#define BIT_ULL(nr)		(1ULL << (nr))
#define __force
#define OPTIMIZER_HIDE_VAR(var)	__asm__ ("" : "=r" (var) : "0" (var))
#define __aligned(n)		__attribute__((aligned(n)))

/* The message is optional in the kernel. */
#undef static_assert
#define static_assert(expr, ...)	_Static_assert(expr, #expr)

#ifndef likely
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#endif

/*
 * With COMPAT_READ_HOOK a test sees each read of shared memory, and can write
 * to it as a hostile driver on another CPU would: between two reads.
 */
#ifdef COMPAT_READ_HOOK
extern void (*compat_read_hook)(void *p, size_t len);
#define compat_did_read(p, len)						\
	do {								\
		if (compat_read_hook)					\
			compat_read_hook((void *)(p), len);		\
	} while (0)
#else
static inline void compat_did_read(const volatile void *p, size_t len)
{
}
#endif

#define READ_ONCE(x)							\
({									\
	typeof(x) __val = *(const volatile typeof(x) *)&(x);		\
	compat_did_read(&(x), sizeof(x));				\
	__val;								\
})
#define WRITE_ONCE(x, val)	(*(volatile typeof(x) *)&(x) = (val))
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_load_acquire(p)						\
({									\
	typeof(*(p)) __val = __atomic_load_n(p, __ATOMIC_ACQUIRE);	\
	compat_did_read(p, sizeof(*(p)));				\
	__val;								\
})
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

#define le16_to_cpu(x)		__le16_to_cpu(x)
#define le32_to_cpu(x)		__le32_to_cpu(x)
#define le64_to_cpu(x)		__le64_to_cpu(x)
#define cpu_to_le16(x)		__cpu_to_le16(x)
#define cpu_to_le32(x)		__cpu_to_le32(x)
#define cpu_to_le64(x)		__cpu_to_le64(x)

#define min(a, b)							\
({									\
	typeof(a) __a = (a);						\
	typeof(b) __b = (b);						\
	__a < __b ? __a : __b;						\
})
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define struct_size_t(type, member, n)					\
	(sizeof(type) + (size_t)(n) * sizeof(((type *)0)->member[0]))
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#endif
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)

/* The kernel's own formula, so that costs compare. */
#define array_index_nospec(index, size)					\
({									\
	unsigned long __i = (index), __s = (size);			\
	(typeof(index))(__i & (~(long)(__i | (__s - 1UL - __i)) >> 63)); \
})

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *p)
{
	return (long)p;
}

static inline bool IS_ERR(const void *p)
{
	return (unsigned long)p >= (unsigned long)-4095;
}

#define GFP_KERNEL			0
#define kzalloc(size, gfp)		calloc(1, size)
#define kfree(p)			free(p)
#define kvmalloc_array(n, size, gfp)	reallocarray(NULL, n, size)
#define kvfree(p)			free(p)

#define EXPORT_SYMBOL_GPL(sym)
#define INDIRECT_CALL_1(f, f1, ...)	((f) == (f1) ? f1(__VA_ARGS__) : \
						       (f)(__VA_ARGS__))

#endif /* _COMPAT_H */
