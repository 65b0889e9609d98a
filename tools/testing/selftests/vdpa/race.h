/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of races on purpose: a variant is a pair, and a program has the
 * steps of its pairs and their rows.
 *
 *	FIXTURE_VARIANT_ADD(race, kick_meets_reset) { {
 *		.a = { kick }, .b = { reset, { ENODEV } },
 *		.begin = race_own, .end = race_disown,
 *	} };
 */
#ifndef VDPA_SELFTESTS_RACE_H
#define VDPA_SELFTESTS_RACE_H

#include "common.h"
#include "racing.h"

FIXTURE(race) {
	struct race r;
};

FIXTURE_VARIANT(race) {
	struct race_pair pair;
};

FIXTURE_SETUP(race)
{
	const char *reason;

	self->r.pair = &variant->pair;
	reason = variant->pair.begin(&self->r);
	if (reason)
		SKIP(return, "%s", reason);
}

FIXTURE_TEARDOWN(race)
{
	const char *wrong = variant->pair.end(&self->r);

	EXPECT_STREQ("", wrong ?: "");
}

/* The runner has a limit for a round, run-in-vm one for all of them. */
TEST_F_TIMEOUT(race, leaves_all_in_order, 36000)
{
	EXPECT_STREQ("", race_run(&self->r));
}

#endif /* VDPA_SELFTESTS_RACE_H */
