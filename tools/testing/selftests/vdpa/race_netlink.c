// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink requests that meet each other, devices that come and go, and a driver
 * that negotiates: what is listed is complete, what is shown is not changed by
 * that, and what is changed is changed once.
 */
#include "race.h"

#include <linux/virtio_net.h>

#include "dev.h"
#include "vhost.h"

#define OTHER		"race_other"
/* VERSION_1, ACCESS_PLATFORM; those of a NIC with MAC address and status. */
#define FEATURES	0x300010020ULL
#define NIC		"track=0 change=1 features=0x300010020"

static int count_ours(const struct nl_reply *reply, void *arg)
{
	unsigned int *seen = arg;
	const char *name = nl_str(reply, VDPA_ATTR_DEV_NAME);

	*seen += name && !strncmp(name, "mock", 4);
	return 0;
}

/* One device is there all the time, and once in the list. */
static int list(struct race *r, uint8_t cmd)
{
	unsigned int seen = 0;
	int err;

	nl_start(race_nl(), cmd);
	err = nl_dump(race_nl(), count_ours, &seen);
	return err ?: seen == 1 ? 0 : -EPROTO;
}

static int list_devices(struct race *r)
{
	return list(r, VDPA_CMD_DEV_GET);
}

static int list_configs(struct race *r)
{
	return list(r, VDPA_CMD_DEV_CONFIG_GET);
}

static int list_mgmtdevs(struct race *r)
{
	return nl_has_mgmtdev(race_nl(), MOCKDEV) ? 0 : -EPROTO;
}

static int add(struct race *r)
{
	return nl_add(race_nl(), MOCKDEV, OTHER);
}

static int delete(struct race *r)
{
	return nl_del(race_nl(), OTHER);
}

static int add_and_delete(struct race *r)
{
	return add(r) ?: delete(r);
}

static const char *other_is_there(struct race *r)
{
	return add(r) ? "there is no other device" : NULL;
}

static const char *end_with_other(struct race *r)
{
	if (vdpa_exists(OTHER))
		delete(r);
	return race_disown(r);
}

static int show_device(struct race *r)
{
	return nl_get(race_nl(), VDPA_CMD_DEV_GET, OTHER);
}

static int show_config(struct race *r)
{
	return nl_get(race_nl(), VDPA_CMD_DEV_CONFIG_GET, OTHER);
}

static int show_statistics(struct race *r)
{
	return nl_vstats(race_nl(), OTHER, 0);
}

static int change_mac(const char *name, uint8_t value)
{
	uint8_t mac[6] = { 2, value, value, value, value, value };
	struct nl *nl = race_nl();

	nl_start(nl, VDPA_CMD_DEV_ATTR_SET);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, name);
	nl_put(nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, mac, sizeof(mac));
	return nl_do(nl);
}

static int change_other(struct race *r)
{
	return change_mac(OTHER, r->round);
}

#define LISTS(_list) { {						\
	.a = { add_and_delete }, .b = { _list },			\
	.begin = race_own, .end = end_with_other, .knobs = NIC,		\
	.again = true,							\
} }

#define GOES(...) { {							\
	.a = { delete }, .b = __VA_ARGS__, .begin = race_own,		\
	.before = other_is_there, .end = end_with_other, .knobs = NIC,	\
} }

FIXTURE_VARIANT_ADD(race, dump_of_devices_meets_add_and_delete)
	LISTS(list_devices);
FIXTURE_VARIANT_ADD(race, dump_of_configs_meets_add_and_delete)
	LISTS(list_configs);
FIXTURE_VARIANT_ADD(race, dump_of_management_devices_meets_add_and_delete)
	LISTS(list_mgmtdevs);
FIXTURE_VARIANT_ADD(race, show_meets_delete)
	GOES({ show_device, { ENODEV } });
FIXTURE_VARIANT_ADD(race, show_of_config_meets_delete)
	GOES({ show_config, { ENODEV } });
FIXTURE_VARIANT_ADD(race, statistics_meet_delete)
	GOES({ show_statistics, { ENODEV, EAGAIN } });
FIXTURE_VARIANT_ADD(race, change_meets_delete)
	GOES({ change_other, { ENODEV } });

static int show_own_config(struct race *r)
{
	return nl_get(race_nl(), VDPA_CMD_DEV_CONFIG_GET, r->name);
}

static int negotiate_all(struct race *r)
{
	return race_err(set_status(r->fd, 0)) ?:
	       race_err(set_status(r->fd, STATUS_ACK | STATUS_DRIVER)) ?:
	       race_err(set_features(r->fd, FEATURES)) ?:
	       race_err(set_status(r->fd, STATUS_ACK | STATUS_DRIVER |
				   STATUS_FEATURES_OK));
}

/* Upstream's observer took the driver for an old one without features. */
static const char *after_negotiation(struct race *r)
{
	return mock_state(&r->dev, "features") == FEATURES ? NULL :
		"the features are not those that were negotiated";
}

FIXTURE_VARIANT_ADD(race, show_of_config_meets_negotiation) { {
	.a = { negotiate_all }, .b = { show_own_config },
	.begin = race_own, .after = after_negotiation, .end = race_disown,
	.knobs = NIC, .again = true,
} };

static int run(struct race *r)
{
	return race_err(set_status(r->fd, 0)) ?: race_err(start(r->fd));
}

static int show_own_statistics(struct race *r)
{
	return nl_vstats(race_nl(), r->name, 0);
}

/* EAGAIN: there are none before FEATURES_OK. */
FIXTURE_VARIANT_ADD(race, statistics_meet_reset) { {
	.a = { run }, .b = { show_own_statistics, { EAGAIN } },
	.begin = race_own, .end = race_disown, .knobs = NIC, .again = true,
} };

/* What is read is one address, not parts of two. */
static int read_mac(struct race *r)
{
	uint8_t mac[6];
	int err = race_err(config_io(r->fd, VHOST_VDPA_GET_CONFIG, 0,
				     sizeof(mac), mac));

	for (int i = 2; !err && r->round > 1 && i < 6; i++)
		if (mac[i] != mac[1])
			err = -EILSEQ;
	return err;
}

static int change_own(struct race *r)
{
	return change_mac(r->name, r->round);
}

static int change_own_back(struct race *r)
{
	return change_mac(r->name, ~r->round);
}

FIXTURE_VARIANT_ADD(race, change_meets_read_of_config) { {
	.a = { change_own }, .b = { read_mac },
	.begin = race_own, .end = race_disown, .knobs = NIC, .again = true,
} };

static const char *after_changes(struct race *r)
{
	return read_mac(r) ? "the address is a mixture" : NULL;
}

FIXTURE_VARIANT_ADD(race, change_meets_change) { {
	.a = { change_own }, .b = { change_own_back },
	.begin = race_own, .after = after_changes, .end = race_disown,
	.knobs = NIC, .again = true,
} };

TEST_HARNESS_MAIN
