#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own vduse, virtio_vdpa and vhost_vdpa, unchanged, on our
# vdpa.ko. Runs in the VM, as root, from the top directory, and leaves it as
# it was.
#
# A disk goes from a file through qemu-storage-daemon, vduse, our bus and
# virtio_vdpa to a block device, and back; then a program that only knows the
# vhost ioctls drives a device of vdpa_mock through the kernel's vhost_vdpa.

set -u
tree=/lib/modules/$(uname -r)/kernel
here=$(dirname "$(realpath "$0")")
name=compat0
work=$(mktemp -d)
daemon=
count=0
bad=0

ok()
{
	count=$((count + 1))
	echo "ok $count $*"
}

not_ok()
{
	count=$((count + 1))
	bad=1
	echo "not ok $count $*"
}

# check NAME COMMAND...: one test
check()
{
	local what=$1

	shift
	if "$@" >"$work/out" 2>&1; then
		ok "$what"
	else
		not_ok "$what"
		sed 's/^/# /' "$work/out"
	fi
}

skip()
{
	echo "1..0 # SKIP $*"
	exit 4
}

# Up to ten seconds for something to become true.
wait_for()
{
	local i

	for i in $(seq 100); do
		if "$@"; then
			return
		fi
		sleep 0.1
	done
	return 1
}

ours()
{
	grep -q O "/sys/module/$1/taint"
}

theirs()
{
	[ -e "/sys/module/$1" ] && ! ours "$1"
}

# The module that came with the kernel, not the one in updates/.
load_theirs()
{
	local dep

	for dep in $(modinfo -F depends "$tree/$1" | tr , " "); do
		modprobe "$dep"
	done
	insmod "$tree/$1"
}

driver_is()
{
	[ "$(basename "$(readlink "/sys/bus/vdpa/devices/$name/driver")")" = "$1" ]
}

cleanup()
{
	vdpa dev del $name 2>/dev/null
	[ -z "$daemon" ] || kill "$daemon"
	wait
	rmmod virtio_vdpa vduse vhost_vdpa 2>/dev/null
	# What was there before is loaded again.
	for module in $before; do
		modprobe "$module"
	done
	rm -rf "$work"
}

start_daemon()
{
	qemu-storage-daemon \
		--blockdev driver=file,filename="$work/disk",node-name=disk \
		--export type=vduse-blk,id=disk,node-name=disk,name=$name,writable=on \
		>"$work/daemon" 2>&1 &
	daemon=$!
	wait_for [ -e /dev/vduse/$name ]
}

# The block device of the virtio device below ours.
find_disk()
{
	set -- /sys/bus/vdpa/devices/$name/virtio*/block/*
	[ -e "$1" ] && disk=/dev/${1##*/} && [ -b "$disk" ]
}

same_content()
{
	cmp "$work/disk" "$disk"
}

write_and_compare()
{
	head -c 4M /dev/urandom >"$work/new" &&
		dd if="$work/new" of="$disk" bs=64k oflag=direct status=none &&
		cmp -n 4194304 "$work/new" "$work/disk"
}

shown()
{
	vdpa dev show $name | grep "$name: type block mgmtdev vduse" &&
		vdpa dev config show $name
}

virtio_tests()
{
	check "the kernel's vduse loads" modprobe vduse
	# There may be nobody to load it when the disk appears.
	modprobe virtio_blk
	check "the kernel's virtio_vdpa loads" \
		load_theirs drivers/virtio/virtio_vdpa.ko.xz
	theirs vduse && theirs virtio_vdpa && ours vdpa ||
		not_ok "they are the kernel's, and vdpa is ours"

	head -c 16M /dev/urandom >"$work/disk"
	check "a daemon makes a VDUSE device" start_daemon
	check "vdpa dev add takes it" vdpa dev add name $name mgmtdev vduse
	check "vdpa dev show knows it" shown
	check "virtio_vdpa drives it" driver_is virtio_vdpa
	check "a block device appears" wait_for find_disk
	check "it reads what the file holds" same_content
	check "the file holds what was written" write_and_compare
	check "vdpa dev del deletes it" vdpa dev del $name
	check "the block device is gone" test ! -b "${disk:-/}"
	kill "$daemon"
	wait "$daemon"
	daemon=
	check "both are unloaded" rmmod virtio_vdpa vduse
}

vhost_tests()
{
	check "the kernel's vhost_vdpa loads" \
		load_theirs drivers/vhost/vhost_vdpa.ko.xz
	theirs vhost_vdpa || not_ok "it is the kernel's"
	check "vdpa dev add works" vdpa dev add name $name mgmtdev vdpa_mock
	check "vhost_vdpa drives it" driver_is vhost_vdpa
	check "a program negotiates and maps" "$here/compat-vhost.py" $name
	check "vdpa dev del deletes it" vdpa dev del $name
	check "it is unloaded" rmmod vhost_vdpa
}

command -v qemu-storage-daemon >/dev/null || skip "no qemu-storage-daemon"
[ -e "$tree/drivers/vhost/vhost_vdpa.ko.xz" ] || skip "not a Debian kernel"
modprobe vdpa_mock || skip "vdpa_mock is not built"

before=$(lsmod | grep -oE '^(vhost_vdpa|virtio_vdpa|vduse) ')
trap cleanup EXIT
rmmod vhost_vdpa virtio_vdpa vduse 2>/dev/null

echo "TAP version 13"
virtio_tests
vhost_tests
echo "1..$count"
exit $bad
