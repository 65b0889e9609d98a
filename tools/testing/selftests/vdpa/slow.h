/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many times as long things take on this kernel; and what the linker makes
 * of alarm(), with --wrap=alarm.
 */
#ifndef VDPA_SELFTESTS_SLOW_H
#define VDPA_SELFTESTS_SLOW_H

int slowness(void);
unsigned int __real_alarm(unsigned int seconds);
unsigned int __wrap_alarm(unsigned int seconds);

#endif /* VDPA_SELFTESTS_SLOW_H */
