# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's vduse.ko, driven by a daemon that does what a bad one might.

What others found broken there or between it and the bus; its device is bound
to vhost_vdpa here. Called by vduse-in-vm.
"""

import contextlib
import ctypes
import errno
import itertools
import mmap
import os
import threading
import time
from pathlib import Path

import vdusedev
from shell import sh, wait_for
from steps import require
from vdusedev import Control, Device, errno_of
from vhostdev import VhostDevice, shared_memory

NAME = "api0"
CONFIG = bytes(range(1, 65))
IOVA, SIZE = 1 << 20, 1 << 20
RACE = 5	# seconds


@contextlib.contextmanager
def control():
    item = Control()
    try:
        yield item
    finally:
        item.close()


@contextlib.contextmanager
def attached(answering=True):
    """A device on the bus, its daemon, and its user."""
    with control() as vduse:
        vduse.create(NAME, config=CONFIG)
        device = Device(NAME)
        try:
            for queue in range(2):
                device.set_up_queue(queue)
            device.start()
            sh(f"vdpa dev add name {NAME} mgmtdev vduse")
            user = VhostDevice(NAME)
            if not answering:
                device.stop()
            try:
                yield device, user
            finally:
                user.close()
        finally:
            # What a test has left is taken away by one that answers.
            if not device.thread:
                device.start()
            sh(f"vdpa dev del {NAME} 2>/dev/null || :")
            device.close()
            vduse.destroy(NAME)


OUTSIDE = [(offset, length) for offset, length in itertools.product(
    (0, 1, 63, 64, 65, 1 << 31, (1 << 32) - 1),
    (0, 1, 63, 64, 65, 4096, 1 << 31, (1 << 32) - 1))
    if not length or offset + length > len(CONFIG)]


def config_is_bounded():
    with attached() as (_, user):
        for offset, length in ((0, 64), (0, 1), (63, 1), (17, 30)):
            require(user.get_config(offset, length) ==
                    CONFIG[offset:offset + length], f"{offset}, {length}")
        for call in (user.get_config, user.set_config):
            for offset, length in OUTSIDE:
                got = errno_of(call, offset, length)
                require(got == errno.EINVAL,
                        f"{call.__name__}({offset}, {length}): {got}")
        require(user.get_config(0, 64) == CONFIG, "it has changed")
    return f"{len(OUTSIDE)} pairs of offset and length"


def daemon_config_is_bounded():
    with attached() as (device, user):
        for offset, length in OUTSIDE:
            got = errno_of(device.set_config, offset, length, bytes(4096))
            require(got == errno.EINVAL, f"{offset}, {length}: {got}")
        require(user.get_config(0, 64) == CONFIG, "it has changed")
        device.set_config(60, 4, b"abcd")
        require(user.get_config(56, 8) == CONFIG[56:60] + b"abcd",
                "what the daemon sets is not what the user reads")


def memory_goes_with_its_user():
    memory = shared_memory(SIZE)
    memory[:4] = b"here"
    with attached() as (device, user):
        require(errno_of(device.memory, IOVA) == errno.EINVAL,
                "there is memory before any was mapped")
        user.map(IOVA, memory)
        fd, offset = device.memory(IOVA)
        with mmap.mmap(fd, SIZE) as seen:
            require(seen[offset:offset + 4] == b"here", "other memory")
        os.close(fd)
        user.unmap(IOVA, SIZE)
        require(errno_of(device.memory, IOVA) == errno.EINVAL,
                "memory that was unmapped can be had")
        user.map(IOVA, memory)
        os.close(device.memory(IOVA)[0])
        user.close()
        try:
            require(errno_of(device.memory, IOVA) == errno.EINVAL,
                    "memory can be had after its user has closed the file")
        finally:
            user.fd = os.open("/dev/null", os.O_RDONLY)
        told = device.seen.count(vdusedev.UPDATE_IOTLB)
        require(told >= 4, f"the daemon was told of {told} changes")
    return f"the daemon was told of {told} changes"


def bad_devices_are_refused():
    rows = ({"align": align} for align in (0, 1, 3, 4097, 1 << 31))
    with control() as vduse:
        for row in (*rows, {"features": 0},
                    {"features": vdusedev.VERSION_1},
                    # The control virtqueue of a NIC.
                    {"features": vdusedev.MUST | 1 << 17},
                    # CONFIG_WCE of a disk.
                    {"device": vdusedev.BLK,
                     "features": vdusedev.MUST | 1 << 11},
                    {"device": 3}, {"queues": 1 << 16},
                    {"config": bytes(4097)}):
            got = errno_of(lambda row=row: vduse.create(NAME, **row))
            require(got == errno.EINVAL, f"{row}: {got}")
        for row in ({"align": 4096}, {"device": vdusedev.BLK},
                    # The same bit of a NIC is another feature.
                    {"features": vdusedev.MUST | 1 << 11}):
            vduse.create(NAME, **row)
            vduse.destroy(NAME)


def use_attribute(path):
    before = ""
    with contextlib.suppress(OSError):
        before = path.read_text(encoding="ascii")
    for value in ("0", "-1", "x" * 5000, before):
        with contextlib.suppress(OSError):
            path.write_text(value, encoding="ascii")
    return True


def attributes_may_be_used():
    """Whatever is there is read and written; the answer does not matter."""
    count = 0
    with attached():
        for where, _, names in os.walk("/sys/devices/virtual/vduse"):
            for path in (Path(where, name) for name in names):
                count += path.name != "uevent" and use_attribute(path)
    require(count >= 4, f"there are {count}")
    return f"{count} attributes"


def message_survives_a_bad_read():
    """A reader that cannot take a message leaves it for the next one."""
    libc = ctypes.CDLL(None, use_errno=True)
    with attached(answering=False) as (device, user):
        caller = threading.Thread(target=user.set_status, args=(1,))
        caller.start()
        device.wait_for_message()
        for buffer, size in ((ctypes.c_void_p(8), vdusedev.REQUEST_LEN),
                             (ctypes.create_string_buffer(8), 8)):
            require(libc.read(device.fd, buffer, ctypes.c_size_t(size)) < 0,
                    "a bad read succeeds")
        require(device.answer() == vdusedev.SET_STATUS, "another message")
        caller.join(10)
        require(not caller.is_alive(), "the answer has not arrived")
        require(user.get_status() == 1, "the status is not set")


def silence_has_a_limit():
    """A daemon that does not answer costs its user the time limit, once."""
    with attached(answering=False) as (_, user):
        Path(f"/sys/class/vduse/{NAME}/msg_timeout").write_text(
            "1", encoding="ascii")
        started = time.monotonic()
        first = errno_of(user.set_status, 1)
        took = time.monotonic() - started
        require(took < 5, f"{took:.1f} s")
        started = time.monotonic()
        sh(f"vdpa dev del {NAME}")
        after = time.monotonic() - started
        require(after < 5, f"vdpa dev del: {after:.1f} s")
    return f"errno {first} in {took:.1f} s, deleted in {after:.1f} s"


def opening_races_with_destruction():
    deadline = time.monotonic() + RACE
    counts = {"opened": 0, "created": 0}

    def opener():
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                os.close(os.open(f"/dev/vduse/{NAME}", os.O_RDWR))
                counts["opened"] += 1

    def creator():
        with control() as vduse:
            while time.monotonic() < deadline:
                vduse.create(NAME)
                counts["created"] += 1
                # While it is open it is busy.
                while errno_of(vduse.destroy, NAME):
                    pass

    threads = [threading.Thread(target=target)
               for target in (opener, opener, creator)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    require(all(counts.values()), f"{counts}")
    wait_for("end of the device", lambda: os.listdir("/dev/vduse") ==
             ["control"])
    return f"{counts['created']} times created, {counts['opened']} opened"


def module_comes_and_goes():
    for _ in range(10):
        sh("rmmod vduse && modprobe vduse")
        with control() as vduse:
            vduse.create(NAME)
            require(errno_of(lambda: vduse.create(NAME)) == errno.EEXIST,
                    "a name is taken twice")
            vduse.destroy(NAME)


STEPS = (
    ("devices that make no sense are refused", bad_devices_are_refused),
    ("configuration is bounded for a user", config_is_bounded),
    ("configuration is bounded for a daemon", daemon_config_is_bounded),
    ("the daemon has no memory of a user that is gone",
     memory_goes_with_its_user),
    ("every attribute may be read and written", attributes_may_be_used),
    ("a message survives a bad read", message_survives_a_bad_read),
    ("a daemon that is silent costs its time limit", silence_has_a_limit),
    ("opening races with destruction", opening_races_with_destruction),
    ("vduse comes and goes", module_comes_and_goes),
)


def run(report):
    for promise, function in STEPS:
        report.step(promise, function)
