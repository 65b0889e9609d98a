# SPDX-License-Identifier: GPL-2.0-only
#
# What the steps of scripts/check share. They run in the top directory.
# shellcheck shell=bash

source=${XDG_CACHE_HOME:-$HOME/.cache}/vdpa/source/current
bad=0

# verdict OUTPUT NAME: a file or module about which a tool has said OUTPUT
verdict()
{
	if [ -z "$1" ]; then
		echo "ok - $2"
	else
		printf '%s\n' "$1" | sed 's/^/# /'
		echo "not ok - $2"
		bad=1
	fi
}

# Our C files, below the directories given; new ones count before they are
# committed.
c_files()
{
	find "${@:-.}" -path ./build -prune -o -name '*.[ch]' \
		! -name '*.mod.c' -printf '%P\n' | sort
}

# Build every module, those for tests too; make's arguments may follow. With the
# same flags from all steps, for a second time to be short; VDPA_BUILT says that
# they are.
test_modules()
{
	[ -n "$VDPA_BUILT" ] || make testmodules W=1 KCFLAGS=-Werror "$@"
}

# kselftests [PROGRAM...]: all, or these, on a machine that has a PCI function to
# be unplugged
kselftests()
{
	VM_ARGS='--timeout 1700 --qemu=-device --qemu=edu' \
		tools/testing/selftests/vdpa/run "$@"
}

# quarter_of_kselftests N: every fourth program from the N-th
quarter_of_kselftests()
{
	test_modules >&2 || return
	# shellcheck disable=SC2046
	kselftests $(make -s -C tools/testing/selftests/vdpa list |
		sed -n "$1~4p")
}

# all_of WHAT COMMAND...: its TAP, each line of which tells of WHAT. What is
# skipped has failed: this is the machine that it wants.
all_of()
{
	local what=$1

	shift
	# Who ends the step does not end what tells of it.
	"$@" 2>&1 | (
		trap '' TERM
		exec sed "s/^ok \(.*\)# SKIP/not ok \1 is skipped:/
			s/^\(not \)\?ok [0-9]* /&$what /"
	)
	return "${PIPESTATUS[0]}"
}

# fuzz SURFACE: for VDPA_FUZZ_SECONDS, five minutes if that is not set
fuzz()
{
	local status=0

	test_modules >&2 || return
	tools/testing/fuzz/kcov/run "$1" \
		--time "${VDPA_FUZZ_SECONDS:-300}" 2>&1 || status=$?
	case $status in
	0) echo "ok - nothing was found" ;;
	4) echo "ok - $1 # SKIP see above" ;;
	*) echo "not ok - nothing was found" ;;
	esac
}

need_source()
{
	if ! [ -d "$source" ]; then
		echo "not ok - $source is missing: run scripts/setup"
		exit 1
	fi
}
