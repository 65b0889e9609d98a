// SPDX-License-Identifier: GPL-2.0-only
/*
 * The multicast group "events" of the netlink family: who joins it is told of
 * all that happens to devices, in order, and whoever does not read what he is
 * told holds up nobody.
 *
 * The parent is vdpa_mock, and vdpasim_net where one is needed that can be
 * changed.
 */
#include "common.h"
#include "dev.h"
#include "files.h"
#include "mockdev.h"
#include "nl.h"

#include <linux/vdpa_events.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIM	"vdpasim_net"
#define SOON_MS	5000		/* for what has to come */
#define NOT_MS	300		/* for what must not */
#define MANY	100		/* devices */

FIXTURE(events) {
	struct nl nl;		/* makes requests */
	struct nl listener;
};

FIXTURE_SETUP(events)
{
	const char *reason = mock_nl_open(&self->nl);
	int room = 4 << 20;

	if (!reason && !module_load("vhost_vdpa"))
		reason = "no bus driver";
	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, nl_open(&self->listener));
	ASSERT_EQ(0, setsockopt(self->listener.fd, SOL_SOCKET, SO_RCVBUFFORCE,
				&room, sizeof(room)));
	ASSERT_EQ(0, nl_join(&self->listener, VDPA_MCGRP_EVENTS_NAME));
}

FIXTURE_TEARDOWN(events)
{
	nl_close(&self->listener);
	mock_nl_close(&self->nl, "evt");
}

/* The next event is this one, about this device. */
#define EXPECT_EVENT(_listener, _cmd, _name) do {			\
	EXPECT_EQ(0, nl_event(_listener, SOON_MS));			\
	EXPECT_EQ(_cmd, (_listener)->reply.cmd);			\
	EXPECT_STREQ(_name, nl_str(&(_listener)->reply,			\
				   VDPA_ATTR_DEV_NAME));		\
} while (0)

#define EXPECT_NO_EVENT(_listener)					\
	EXPECT_EQ(-ETIMEDOUT, nl_event(_listener, NOT_MS))

TEST_F(events, tell_the_life_of_a_device_in_order)
{
	struct nl *l = &self->listener;
	char driver[64];

	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "evt0"));
	snprintf(driver, sizeof(driver), "%s",
		 link_name(BUS "/devices/evt0/driver"));
	EXPECT_EVENT(l, VDPA_CMD_DEV_NEW, "evt0");
	EXPECT_EVENT(l, VDPA_CMD_DEV_BOUND_NTF, "evt0");
	EXPECT_STREQ(driver, nl_find_str(&l->reply, VDPA_ATTR_DEV_DRIVER));

	ASSERT_EQ(0, driver_unbind(driver, "evt0"));
	EXPECT_EVENT(l, VDPA_CMD_DEV_UNBOUND_NTF, "evt0");
	EXPECT_EQ(NULL, nl_find_str(&l->reply, VDPA_ATTR_DEV_DRIVER));
	ASSERT_EQ(0, driver_bind(driver, "evt0"));
	EXPECT_EVENT(l, VDPA_CMD_DEV_BOUND_NTF, "evt0");

	ASSERT_EQ(0, nl_del(&self->nl, "evt0"));
	EXPECT_EVENT(l, VDPA_CMD_DEV_UNBOUND_NTF, "evt0");
	EXPECT_EVENT(l, VDPA_CMD_DEV_DEL, "evt0");
	EXPECT_NO_EVENT(l);
}

/* Names as long as they may be: no event is too large to be sent. */
TEST_F(events, say_what_an_answer_says)
{
	struct nl *l = &self->listener;
	char name[256];

	snprintf(name, sizeof(name), "evt%0252d", 0);
	ASSERT_EQ(255, strlen(name));
	ASSERT_EQ(0, file_write("7", MOCK "/next/nvqs"));
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, name));
	ASSERT_EQ(0, nl_get(&self->nl, VDPA_CMD_DEV_GET, name));
	EXPECT_EQ(7, nl_num(&self->nl.reply, VDPA_ATTR_DEV_MAX_VQS));

	EXPECT_EVENT(l, VDPA_CMD_DEV_NEW, name);
	ASSERT_EQ(self->nl.reply.len, l->reply.len);
	EXPECT_EQ(0, memcmp(self->nl.reply.raw, l->reply.raw, l->reply.len));
	/* The driver comes on top of that. */
	EXPECT_EVENT(l, VDPA_CMD_DEV_BOUND_NTF, name);
	ASSERT_LT(self->nl.reply.len, l->reply.len);
	EXPECT_EQ(0, memcmp(self->nl.reply.raw, l->reply.raw,
			    self->nl.reply.len));

	ASSERT_EQ(0, nl_del(&self->nl, name));
	EXPECT_EVENT(l, VDPA_CMD_DEV_UNBOUND_NTF, name);
	EXPECT_EVENT(l, VDPA_CMD_DEV_DEL, name);
	EXPECT_STREQ(MOCKDEV, nl_str(&l->reply, VDPA_ATTR_MGMTDEV_DEV_NAME));
	EXPECT_FALSE(nl_has(&l->reply, VDPA_ATTR_DEV_ID));
}

static int set_mac(struct nl *nl, const char *name, unsigned char first)
{
	unsigned char mac[6] = { first, 0x54, 0, 0x12, 0x34, 0x56 };

	nl_start(nl, VDPA_CMD_DEV_ATTR_SET);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, name);
	nl_put(nl, VDPA_ATTR_DEV_NET_CFG_MACADDR, mac, sizeof(mac));
	return nl_do(nl);
}

TEST_F(events, tell_of_a_change_and_not_of_one_that_is_refused)
{
	struct nl *l = &self->listener;

	if (!module_load("vdpa_net") || !nl_has_mgmtdev(&self->nl, SIM))
		SKIP(return, "no management device " SIM);
	ASSERT_EQ(0, nl_add(&self->nl, SIM, "evt0"));
	EXPECT_EVENT(l, VDPA_CMD_DEV_NEW, "evt0");
	EXPECT_EVENT(l, VDPA_CMD_DEV_BOUND_NTF, "evt0");

	EXPECT_EQ(-EINVAL, set_mac(&self->nl, "evt0", 1));
	EXPECT_NO_EVENT(l);
	EXPECT_EQ(0, set_mac(&self->nl, "evt0", 2));
	EXPECT_EVENT(l, VDPA_CMD_DEV_CHANGED_NTF, "evt0");
	EXPECT_NO_EVENT(l);
}

/* Nobody has asked for it by netlink. */
TEST_F(events, tell_that_the_peer_of_a_device_is_up_or_down)
{
	struct nl *l = &self->listener;

	if (!module_load("vdpa_net") || !nl_has_mgmtdev(&self->nl, "vdpa_net"))
		SKIP(return, "no management device vdpa_net");
	ASSERT_EQ(0, nl_add(&self->nl, "vdpa_net", "evt0"));
	EXPECT_EVENT(l, VDPA_CMD_DEV_NEW, "evt0");
	EXPECT_EVENT(l, VDPA_CMD_DEV_BOUND_NTF, "evt0");
	ASSERT_EQ(0, run_command("ip link set evt0 up"));
	EXPECT_EVENT(l, VDPA_CMD_DEV_CHANGED_NTF, "evt0");
	ASSERT_EQ(0, run_command("ip link set evt0 down"));
	EXPECT_EVENT(l, VDPA_CMD_DEV_CHANGED_NTF, "evt0");
	ASSERT_EQ(0, run_command("ip link set evt0 up"));
	EXPECT_EVENT(l, VDPA_CMD_DEV_CHANGED_NTF, "evt0");

	/* Its end is told as such. */
	ASSERT_EQ(0, nl_del(&self->nl, "evt0"));
	EXPECT_EVENT(l, VDPA_CMD_DEV_UNBOUND_NTF, "evt0");
	EXPECT_EVENT(l, VDPA_CMD_DEV_DEL, "evt0");
}

TEST_F(events, of_what_fails_there_are_none)
{
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "evt0"));
	EXPECT_EVENT(&self->listener, VDPA_CMD_DEV_NEW, "evt0");
	EXPECT_EVENT(&self->listener, VDPA_CMD_DEV_BOUND_NTF, "evt0");
	EXPECT_EQ(-EEXIST, nl_add(&self->nl, MOCKDEV, "evt0"));
	EXPECT_EQ(-ENODEV, nl_del(&self->nl, "evt1"));
	ASSERT_EQ(0, file_write("reset", MOCK "/next/without"));
	EXPECT_EQ(-EINVAL, nl_add(&self->nl, MOCKDEV, "evt1"));
	EXPECT_NO_EVENT(&self->listener);
}

/* Requests that look like events. */
TEST_F(events, cannot_be_sent_to_the_kernel)
{
	int cmd;

	for (cmd = VDPA_CMD_DEV_BOUND_NTF; cmd <= VDPA_CMD_DEV_CHANGED_NTF;
	     cmd++)
		EXPECT_EQ(-EOPNOTSUPP, nl_get(&self->nl, cmd, "evt0"));
}

static const uint8_t life[] = {
	VDPA_CMD_DEV_NEW, VDPA_CMD_DEV_BOUND_NTF,
	VDPA_CMD_DEV_UNBOUND_NTF, VDPA_CMD_DEV_DEL,
};

static int make_many(struct nl *nl)
{
	char name[16];
	int i, err = 0;

	for (i = 0; i < MANY && !err; i++) {
		snprintf(name, sizeof(name), "evt%d", i);
		err = nl_add(nl, MOCKDEV, name) ?: nl_del(nl, name);
	}
	return err;
}

/* How many events came as they should, if all have been told. */
static int count_lives(struct nl *listener)
{
	char name[16];
	int i;

	for (i = 0; i < MANY * (int)ARRAY_SIZE(life); i++) {
		snprintf(name, sizeof(name), "evt%d",
			 i / (int)ARRAY_SIZE(life));
		if (nl_event(listener, SOON_MS) ||
		    listener->reply.cmd != life[i % ARRAY_SIZE(life)] ||
		    strcmp(name, nl_str(&listener->reply, VDPA_ATTR_DEV_NAME)))
			break;
	}
	return i;
}

TEST_F_TIMEOUT(events, of_a_hundred_devices_come_in_order, 120)
{
	ASSERT_EQ(0, make_many(&self->nl));
	EXPECT_EQ(MANY * ARRAY_SIZE(life), count_lives(&self->listener));
	EXPECT_NO_EVENT(&self->listener);
}

TEST_F_TIMEOUT(events, that_nobody_reads_hold_up_nobody, 120)
{
	static struct nl slow;
	int little = 4096, told = 0, err;

	ASSERT_EQ(0, nl_open(&slow));
	ASSERT_EQ(0, setsockopt(slow.fd, SOL_SOCKET, SO_RCVBUF, &little,
				sizeof(little)));
	ASSERT_EQ(0, nl_join(&slow, VDPA_MCGRP_EVENTS_NAME));
	ASSERT_EQ(0, make_many(&self->nl));
	/* The other one has missed nothing. */
	EXPECT_EQ(MANY * ARRAY_SIZE(life), count_lives(&self->listener));

	/* He is told that he has, once; what had room is there. */
	EXPECT_EQ(-ENOBUFS, nl_event(&slow, SOON_MS));
	while (!(err = nl_event(&slow, NOT_MS)))
		told++;
	EXPECT_EQ(-ETIMEDOUT, err);
	EXPECT_LT(0, told);
	EXPECT_GT(MANY, told);

	/* And goes on to be told. */
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "evt0"));
	EXPECT_EVENT(&slow, VDPA_CMD_DEV_NEW, "evt0");
	EXPECT_EVENT(&slow, VDPA_CMD_DEV_BOUND_NTF, "evt0");
	nl_close(&slow);
}

TEST_F(events, are_for_anybody)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		static struct nl nl;

		if (setresgid(65534, 65534, 65534) ||
		    setresuid(65534, 65534, 65534) || nl_open(&nl))
			_exit(100);
		_exit(-nl_join(&nl, VDPA_MCGRP_EVENTS_NAME));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* Both devices are made the same way; only one is told of. */
TEST_F(events, are_not_made_if_nobody_listens)
{
	long with, without;

	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "evt0"));
	with = mock_calls("evt0", "get_vendor_id");
	nl_close(&self->listener);
	ASSERT_EQ(0, nl_add(&self->nl, MOCKDEV, "evt1"));
	without = mock_calls("evt1", "get_vendor_id");
	/* When it was added, and when it was bound. */
	EXPECT_EQ(2, with - without);
	ASSERT_EQ(0, nl_open(&self->listener));
}

TEST_HARNESS_MAIN
