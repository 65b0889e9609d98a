# SPDX-License-Identifier: GPL-2.0-only
#
# For people: "make help". The kernel's build system reads Kbuild instead.

KERNELDIR ?= $(shell scripts/kernel-dir)
INSTALL_MOD_DIR ?= updates
VDPA_CONFIG ?= $(CURDIR)/.config
export VDPA_CONFIG

# One job per CPU, unless the caller has said how many.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
# "M=." would leave files behind in the headers; the kernel wants it absolute.
KBUILD = $(MAKE) $(JOBS) --no-print-directory -C $(KERNELDIR) M=$(CURDIR) \
	$(INSTRUMENT)
# For the kernel that can tell which code has run.
INSTRUMENT = $(if $(filter debug,$(VDPA_KERNEL)),KCOV_INSTRUMENT=y GCOV_PROFILE=y)

.PHONY: help
help:
	@echo 'Linux vDPA for kernel 6.12, built out of tree'
	@echo
	@echo '  make demo             a virtual machine gets its network through vDPA:'
	@echo '                        sets up, builds, boots a VM and shows it'
	@echo '  make check            everything there is to check, in VMs where needed;'
	@echo '                        one part of it: scripts/check --list'
	@echo '  make check-debug      the modules under a kernel that finds bugs'
	@echo '  make bench            what calls cost, next to the in-tree driver, in one VM'
	@echo '  make modules          build the modules'
	@echo '  make modules_install  install them to $(INSTALL_MOD_DIR)/ and run depmod (as root)'
	@echo '  make config           make .config from Kconfig; edit it and say it again'
	@echo '                        to have fewer modules'
	@echo '  make selftests        build the programs that are run in the VM'
	@echo '  make setup            install the tools, unpack the kernel for the VM'
	@echo '  make debug-kernel     build a kernel that finds bugs, for VMs'
	@echo '  make kcsan-kernel     build one that finds data races'
	@echo '  make clean            remove what was built; .config stays'
	@echo
	@echo '  KERNELDIR=DIR         kernel headers to build against; else those of the'
	@echo '                        running kernel if it is a 6.12, else the newest 6.12'
	@echo '                        headers there are. Now: $(or $(KERNELDIR),none)'
	@echo '  INSTALL_MOD_PATH=DIR  install below this directory'
	@echo '  W=1 C=1               more warnings; sparse'
	@echo
	@echo '  tools/testing/vm/run --shell    a shell in the VM'

.PHONY: setup
setup:
	scripts/setup

.PHONY: headers
headers:
	@test -f '$(KERNELDIR)/Makefile' || { \
		echo 'No headers of a 6.12 kernel $(if $(KERNELDIR),in $(KERNELDIR),are installed or unpacked).'; \
		echo 'Run scripts/setup, or give KERNELDIR=<directory of the headers>.'; \
		exit 1; } >&2

# conf comes with the headers; it answers new questions with their defaults
# and drops what a dependency forbids. Its other outputs are of no use here.
CONF = KCONFIG_CONFIG=$(VDPA_CONFIG) \
	KCONFIG_AUTOCONFIG=build/kconfig/auto.conf \
	KCONFIG_AUTOHEADER=build/kconfig/autoconf.h \
	KCONFIG_RUSTCCFG=build/kconfig/rustc_cfg \
	$(KERNELDIR)/scripts/kconfig/conf --silent --olddefconfig Kconfig

.PHONY: config
config: | headers
	@$(CONF)
	@grep '^CONFIG_' $(VDPA_CONFIG)

$(VDPA_CONFIG): Kconfig | headers
	@$(CONF)
	@touch $@

# A module that is no longer selected does not stay behind.
.PHONY: modules
modules: $(VDPA_CONFIG) | headers
	+$(KBUILD) modules
	@find drivers tools -name '*.ko' | while read -r ko; do \
		grep -qxF "$(CURDIR)/$${ko%.ko}.o" modules.order || rm "$$ko"; \
	done

# Every module there is, those that only tests use too. A configuration of its
# own, so that nobody installs them later.
.PHONY: testmodules
testmodules: export VDPA_CONFIG := $(CURDIR)/build/test.config
testmodules: | headers
	@mkdir -p build
	@$(CONF:--olddefconfig=--allmodconfig)
	+$(MAKE) --no-print-directory modules

RELEASE = $(shell cat $(KERNELDIR)/include/config/kernel.release)
# The kernel's depmod wants a System.map, its modules_install a key to sign
# with: headers packages have neither. The first is done here, where there is
# a kernel to do it for.
MODINST = INSTALL_MOD_DIR=$(INSTALL_MOD_DIR) cmd_depmod=: \
	$(if $(wildcard $(KERNELDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)

.PHONY: modules_install
modules_install: modules
	+$(KBUILD) $(MODINST) modules_install
	@! test -e $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/modules.order || \
		PATH=$$PATH:/usr/sbin:/sbin \
		depmod -b $(INSTALL_MOD_PATH)/ $(RELEASE)

.PHONY: selftests
selftests:
	+$(MAKE) $(JOBS) --no-print-directory -C tools/testing/selftests/vdpa

.PHONY: demo
demo:
	scripts/setup
	+$(MAKE) --no-print-directory modules
	tools/testing/demo/demo

.PHONY: check
check:
	scripts/setup
	scripts/check

.PHONY: debug-kernel
debug-kernel:
	scripts/setup --debug-kernel

.PHONY: kcsan-kernel
kcsan-kernel:
	scripts/setup --kcsan-kernel

.PHONY: check-debug
check-debug:
	scripts/setup --debug-kernel
	scripts/check-debug

.PHONY: bench
bench:
	scripts/setup
	+$(MAKE) --no-print-directory testmodules
	tools/bench/run

.PHONY: clean
clean:
	$(if $(KERNELDIR),+$(KBUILD) VDPA_CONFIG=/dev/null clean)
	+$(MAKE) --no-print-directory -C tools/testing/selftests/vdpa clean
	+$(MAKE) --no-print-directory -C tools/bench clean
	rm -rf build .config.old
