/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic netlink family "vdpa", raw: a test says every byte that is sent,
 * also the wrong ones, and sees what exactly comes back.
 */
#ifndef _SELFTESTS_VDPA_NL_H
#define _SELFTESTS_VDPA_NL_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/vdpa.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No more than what the kernel puts into a datagram at least. */
#define NL_BUF	8192

/* An attribute of an answer; data is NULL if it is not there. */
struct nl_attr {
	const void *data;
	uint16_t len;
	uint16_t count;
};

/* One message that came back. */
struct nl_reply {
	uint8_t cmd;
	struct nl_attr attr[VDPA_ATTR_MAX];
	size_t len;		/* of raw: all attributes, of any number */
	unsigned char raw[NL_BUF];
};

/* A socket, the request that is being made, and what the last one got. */
struct nl {
	int fd;
	uint16_t family;
	uint32_t seq;
	size_t len;
	char extack[256];	/* what the kernel said; "" if nothing */
	unsigned int miss;	/* attribute that it missed; 0 if none */
	unsigned int messages;	/* of the last dump */
	unsigned int parts;	/* datagrams of the last dump */
	struct nl_reply reply;
	unsigned char req[NL_BUF];
};

/* Each returns 0 or -errno, what the kernel answered included. */
int nl_open(struct nl *nl);
void nl_close(struct nl *nl);

/* A request is started, filled, and done. */
void nl_start(struct nl *nl, uint8_t cmd);
void nl_put(struct nl *nl, uint16_t type, const void *data, size_t len);
void nl_put_str(struct nl *nl, uint16_t type, const char *text);
void nl_put_u16(struct nl *nl, uint16_t type, uint16_t value);
void nl_put_u32(struct nl *nl, uint16_t type, uint32_t value);
void nl_put_u64(struct nl *nl, uint16_t type, uint64_t value);
int nl_do(struct nl *nl);

/* Calls fn for each message of the answer, until it does not return 0. */
typedef int (*nl_fn)(const struct nl_reply *reply, void *arg);
int nl_dump(struct nl *nl, nl_fn fn, void *arg);

/* A number of the answer, whatever its size; 0 if it is not there. */
uint64_t nl_num(const struct nl_reply *reply, uint16_t type);
const char *nl_str(const struct nl_reply *reply, uint16_t type);
bool nl_has(const struct nl_reply *reply, uint16_t type);

/* Text of an attribute of any number; NULL if it is not there. */
const char *nl_find_str(const struct nl_reply *reply, uint16_t type);

/*
 * Events: join the group, and wait for the next one, which is then in
 * nl->reply. A socket that joined makes no requests.
 */
int nl_join(struct nl *nl, const char *group);
int nl_event(struct nl *nl, int timeout_ms);

/* The requests that most tests make. */
int nl_add(struct nl *nl, const char *mgmtdev, const char *name);
int nl_del(struct nl *nl, const char *name);
int nl_get(struct nl *nl, uint8_t cmd, const char *name);
int nl_vstats(struct nl *nl, const char *name, uint32_t idx);
/* A counter of a virtqueue, of any class; -1 if it is not told. */
int64_t nl_counter(struct nl *nl, const char *name, uint32_t idx,
		   const char *counter);
bool nl_has_mgmtdev(struct nl *nl, const char *mgmtdev);
/* Deletes every device whose name begins so. */
int nl_del_all(struct nl *nl, const char *prefix);

/* The last request was refused, with this errno and these words. */
#define EXPECT_REFUSED(_err, _text, _call) do {				\
	EXPECT_EQ(-(_err), _call);					\
	EXPECT_NE(NULL, strstr(self->nl.extack, _text))			\
		TH_LOG("said: \"%s\"", self->nl.extack);		\
} while (0)

#endif /* _SELFTESTS_VDPA_NL_H */
