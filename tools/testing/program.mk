# SPDX-License-Identifier: GPL-2.0-only
#
# A program for the VM: objects of the directory that includes this, and HELPERS
# of the selftests (devices, memory, netlink). It sets TOP and OUT, where all of
# it goes, before; and then has OBJS.

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
