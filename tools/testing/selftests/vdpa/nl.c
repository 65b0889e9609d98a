// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raw generic netlink for the tests; see nl.h. One request at a time, the
 * answer is read completely before the next one starts.
 */
#include "nl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void start(struct nl *nl, uint16_t type, uint8_t cmd, uint8_t version)
{
	struct nlmsghdr *nlh = (void *)nl->req;
	struct genlmsghdr *genl = NLMSG_DATA(nlh);

	memset(nl->req, 0, NLMSG_LENGTH(GENL_HDRLEN));
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	genl->cmd = cmd;
	genl->version = version;
	nl->len = NLMSG_LENGTH(GENL_HDRLEN);
}

void nl_start(struct nl *nl, uint8_t cmd)
{
	start(nl, nl->family, cmd, VDPA_GENL_VERSION);
}

void nl_put(struct nl *nl, uint16_t type, const void *data, size_t len)
{
	struct nlattr *nla = (void *)(nl->req + nl->len);

	if (nl->len + NLA_HDRLEN + NLA_ALIGN(len) > NL_BUF)
		abort();
	nla->nla_type = type;
	nla->nla_len = NLA_HDRLEN + len;
	/* Padding that is not zero shows who reads behind an attribute. */
	memset(nla + 1, 'X', NLA_ALIGN(len));
	memcpy(nla + 1, data, len);
	nl->len += NLA_HDRLEN + NLA_ALIGN(len);
}

void nl_put_str(struct nl *nl, uint16_t type, const char *text)
{
	nl_put(nl, type, text, strlen(text) + 1);
}

void nl_put_u16(struct nl *nl, uint16_t type, uint16_t value)
{
	nl_put(nl, type, &value, sizeof(value));
}

void nl_put_u32(struct nl *nl, uint16_t type, uint32_t value)
{
	nl_put(nl, type, &value, sizeof(value));
}

void nl_put_u64(struct nl *nl, uint16_t type, uint64_t value)
{
	nl_put(nl, type, &value, sizeof(value));
}

static void parse_attrs(struct nl_attr *attr, unsigned int nr,
			const unsigned char *p, size_t len)
{
	memset(attr, 0, nr * sizeof(*attr));
	while (len >= NLA_HDRLEN) {
		const struct nlattr *nla = (const void *)p;
		unsigned int type = nla->nla_type & NLA_TYPE_MASK;
		size_t step = NLA_ALIGN(nla->nla_len);

		if (nla->nla_len < NLA_HDRLEN || nla->nla_len > len)
			return;
		if (type < nr) {
			attr[type].data = nla + 1;
			attr[type].len = nla->nla_len - NLA_HDRLEN;
			attr[type].count++;
		}
		if (step > len)
			return;
		p += step;
		len -= step;
	}
}

/* What an NLMSG_ERROR or NLMSG_DONE says. */
static int parse_ack(struct nl *nl, const struct nlmsghdr *nlh)
{
	struct nl_attr attr[NLMSGERR_ATTR_MAX + 1];
	const unsigned char *p = NLMSG_DATA(nlh);
	size_t skip = sizeof(int);
	int err;

	memcpy(&err, p, sizeof(err));
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *ack = NLMSG_DATA(nlh);

		skip = sizeof(*ack);
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
			skip += ack->msg.nlmsg_len - sizeof(ack->msg);
	}
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return err;
	parse_attrs(attr, NLMSGERR_ATTR_MAX + 1, p + skip,
		    nlh->nlmsg_len - NLMSG_HDRLEN - skip);
	if (attr[NLMSGERR_ATTR_MSG].data)
		snprintf(nl->extack, sizeof(nl->extack), "%s",
			 (const char *)attr[NLMSGERR_ATTR_MSG].data);
	if (attr[NLMSGERR_ATTR_MISS_TYPE].data)
		memcpy(&nl->miss, attr[NLMSGERR_ATTR_MISS_TYPE].data,
		       sizeof(nl->miss));
	return err;
}

static void parse_reply(struct nl_reply *reply, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	size_t len = nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;

	memcpy(reply->raw, (const unsigned char *)genl + GENL_HDRLEN, len);
	reply->cmd = genl->cmd;
	reply->len = len;
	parse_attrs(reply->attr, VDPA_ATTR_MAX, reply->raw, len);
}

static int send_req(struct nl *nl, uint16_t flags)
{
	struct nlmsghdr *nlh = (void *)nl->req;

	nlh->nlmsg_len = nl->len;
	nlh->nlmsg_flags |= flags;
	nlh->nlmsg_seq = ++nl->seq;
	nl->extack[0] = '\0';
	nl->miss = 0;
	nl->messages = 0;
	nl->parts = 0;
	memset(&nl->reply, 0, offsetof(struct nl_reply, raw));
	return send(nl->fd, nl->req, nl->len, 0) < 0 ? -errno : 0;
}

/* One datagram; 1: more is to come. */
static int recv_part(struct nl *nl, nl_fn fn, void *arg, int *stop)
{
	static __thread unsigned char buf[NL_BUF];
	struct nlmsghdr *nlh = (void *)buf;
	ssize_t got = recv(nl->fd, buf, sizeof(buf), 0);
	size_t len = got;

	if (got < 0)
		return -errno;
	nl->parts++;
	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_seq != nl->seq)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR ||
		    nlh->nlmsg_type == NLMSG_DONE)
			return parse_ack(nl, nlh);
		parse_reply(&nl->reply, nlh);
		nl->messages++;
		if (fn && !*stop)
			*stop = fn(&nl->reply, arg);
	}
	return 1;
}

static int run(struct nl *nl, uint16_t flags, nl_fn fn, void *arg)
{
	int stop = 0, err;

	err = send_req(nl, flags);
	if (err)
		return err;
	do {
		err = recv_part(nl, fn, arg, &stop);
	} while (err > 0);
	return err ?: stop;
}

int nl_do(struct nl *nl)
{
	return run(nl, 0, NULL, NULL);
}

int nl_dump(struct nl *nl, nl_fn fn, void *arg)
{
	return run(nl, NLM_F_DUMP, fn, arg);
}

static int resolve(struct nl *nl)
{
	int err;

	start(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	nl_put_str(nl, CTRL_ATTR_FAMILY_NAME, VDPA_GENL_NAME);
	err = nl_do(nl);
	if (!err)
		nl->family = nl_num(&nl->reply, CTRL_ATTR_FAMILY_ID);
	return err;
}

/* An attribute in a list of them; NULL if it is not there. */
static const struct nlattr *find_attr(const unsigned char *p, size_t len,
				      uint16_t type)
{
	const struct nlattr *nla = (const void *)p;
	size_t step;

	for (; len >= NLA_HDRLEN; nla = (const void *)p) {
		step = NLA_ALIGN(nla->nla_len);
		if (nla->nla_len < NLA_HDRLEN || nla->nla_len > len)
			return NULL;
		if ((nla->nla_type & NLA_TYPE_MASK) == type)
			return nla;
		if (step >= len)
			return NULL;
		p += step;
		len -= step;
	}
	return NULL;
}

const char *nl_find_str(const struct nl_reply *reply, uint16_t type)
{
	const struct nlattr *nla = find_attr(reply->raw, reply->len, type);

	return nla ? (const char *)(nla + 1) : NULL;
}

/* The number of a group, of what the controller said about the family. */
static int find_group(const struct nlattr *groups, const char *group)
{
	const unsigned char *p = (const void *)(groups + 1);
	size_t len = groups->nla_len - NLA_HDRLEN;
	const struct nlattr *one, *name, *id;
	int nr = 1, value;

	for (; (one = find_attr(p, len, nr)); nr++) {
		const unsigned char *in = (const void *)(one + 1);
		size_t in_len = one->nla_len - NLA_HDRLEN;

		name = find_attr(in, in_len, CTRL_ATTR_MCAST_GRP_NAME);
		id = find_attr(in, in_len, CTRL_ATTR_MCAST_GRP_ID);
		if (!name || !id || strcmp((const char *)(name + 1), group))
			continue;
		memcpy(&value, id + 1, sizeof(value));
		return value;
	}
	return -ENOENT;
}

int nl_join(struct nl *nl, const char *group)
{
	const struct nlattr *groups;
	int err, id;

	err = resolve(nl);
	if (err)
		return err;
	groups = find_attr(nl->reply.raw, nl->reply.len,
			   CTRL_ATTR_MCAST_GROUPS);
	id = groups ? find_group(groups, group) : -ENOENT;
	if (id < 0)
		return id;
	return setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &id,
			  sizeof(id)) ? -errno : 0;
}

int nl_event(struct nl *nl, int timeout_ms)
{
	struct pollfd pfd = { .fd = nl->fd, .events = POLLIN };
	static unsigned char buf[NL_BUF];
	const struct nlmsghdr *nlh = (const void *)buf;
	ssize_t got;

	if (poll(&pfd, 1, timeout_ms) < 1)
		return -ETIMEDOUT;
	got = recv(nl->fd, buf, sizeof(buf), 0);
	if (got < 0)
		return -errno;
	if (got < NLMSG_HDRLEN || nlh->nlmsg_len != got ||
	    nlh->nlmsg_type != nl->family)
		return -EBADMSG;
	parse_reply(&nl->reply, nlh);
	return 0;
}

int nl_open(struct nl *nl)
{
	struct timeval limit = { .tv_sec = 20 };
	int on = 1, err;

	memset(nl, 0, sizeof(*nl));
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (nl->fd < 0)
		return -errno;
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	err = resolve(nl);
	if (err)
		close(nl->fd);
	return err;
}

void nl_close(struct nl *nl)
{
	close(nl->fd);
}

uint64_t nl_num(const struct nl_reply *reply, uint16_t type)
{
	uint64_t value = 0;

	if (reply->attr[type].len <= sizeof(value) && reply->attr[type].data)
		memcpy(&value, reply->attr[type].data, reply->attr[type].len);
	return value;
}

const char *nl_str(const struct nl_reply *reply, uint16_t type)
{
	return reply->attr[type].data ?: "";
}

bool nl_has(const struct nl_reply *reply, uint16_t type)
{
	return reply->attr[type].data;
}

int nl_add(struct nl *nl, const char *mgmtdev, const char *name)
{
	nl_start(nl, VDPA_CMD_DEV_NEW);
	nl_put_str(nl, VDPA_ATTR_MGMTDEV_DEV_NAME, mgmtdev);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, name);
	return nl_do(nl);
}

int nl_get(struct nl *nl, uint8_t cmd, const char *name)
{
	nl_start(nl, cmd);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, name);
	return nl_do(nl);
}

int nl_del(struct nl *nl, const char *name)
{
	return nl_get(nl, VDPA_CMD_DEV_DEL, name);
}

int nl_vstats(struct nl *nl, const char *name, uint32_t idx)
{
	nl_start(nl, VDPA_CMD_DEV_VSTATS_GET);
	nl_put_str(nl, VDPA_ATTR_DEV_NAME, name);
	nl_put_u32(nl, VDPA_ATTR_DEV_QUEUE_INDEX, idx);
	return nl_do(nl);
}

/* Names and values follow each other. */
int64_t nl_counter(struct nl *nl, const char *name, uint32_t idx,
		   const char *counter)
{
	const unsigned char *p = nl->reply.raw;
	const struct nlattr *attr, *value;
	uint64_t number;
	size_t len;

	if (nl_vstats(nl, name, idx))
		return -1;
	len = nl->reply.len;
	while ((attr = find_attr(p, len, VDPA_ATTR_DEV_VENDOR_ATTR_NAME))) {
		p = (const unsigned char *)attr + NLA_ALIGN(attr->nla_len);
		len = nl->reply.raw + nl->reply.len - p;
		value = find_attr(p, len, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE);
		if (!value || strcmp((const char *)(attr + 1), counter))
			continue;
		memcpy(&number, value + 1, sizeof(number));
		return number;
	}
	return -1;
}

bool nl_has_mgmtdev(struct nl *nl, const char *mgmtdev)
{
	nl_start(nl, VDPA_CMD_MGMTDEV_GET);
	nl_put_str(nl, VDPA_ATTR_MGMTDEV_DEV_NAME, mgmtdev);
	return !nl_do(nl);
}

struct find {
	const char *prefix;
	char name[256];
};

static int find_prefix(const struct nl_reply *reply, void *arg)
{
	const char *name = nl_str(reply, VDPA_ATTR_DEV_NAME);
	struct find *find = arg;

	if (strncmp(name, find->prefix, strlen(find->prefix)))
		return 0;
	snprintf(find->name, sizeof(find->name), "%s", name);
	return 1;
}

int nl_del_all(struct nl *nl, const char *prefix)
{
	struct find find = { .prefix = prefix };
	int err;

	for (;;) {
		nl_start(nl, VDPA_CMD_DEV_GET);
		err = nl_dump(nl, find_prefix, &find);
		if (err <= 0)
			return err;
		err = nl_del(nl, find.name);
		if (err)
			return err;
	}
}
