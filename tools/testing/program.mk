# SPDX-License-Identifier: GPL-2.0-only
#
# Rules for a program for the VM. The Makefile that includes this sets TOP before,
# OUT, where all of it goes, and HELPERS: which sources of the selftests (devices,
# memory, netlink) it needs. OBJS are the objects of these and of the sources of its
# own directory; it links them.

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vdpa
SELFTESTS := $(TOP)/tools/testing/selftests/vdpa

CFLAGS ?= -O1 -g
override CFLAGS += -std=gnu11 -D_GNU_SOURCE -Wall -Werror -I$(SELFTESTS) \
	-I$(TOP)/include/uapi -isystem $(CACHE)/uapi/current/include

SOURCES ?= $(wildcard *.c)
OBJS := $(SOURCES:%.c=$(OUT)/%.o) $(HELPERS:%=$(OUT)/helper_%.o)

.PHONY: all
all:

$(OUT)/%.o: %.c $(wildcard *.h $(SELFTESTS)/*.h) Makefile | $(OUT)
	$(CC) $(CFLAGS) -c -o $@ $<

$(OUT)/helper_%.o: $(SELFTESTS)/%.c $(wildcard $(SELFTESTS)/*.h) Makefile | $(OUT)
	$(CC) $(CFLAGS) -c -o $@ $<

$(OUT):
	@mkdir -p $@

.PHONY: clean
clean:
	rm -rf $(OUT)

.SECONDARY:
