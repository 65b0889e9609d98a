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

need_source()
{
	if ! [ -d "$source" ]; then
		echo "not ok - $source is missing: run scripts/setup"
		exit 1
	fi
}
