# SPDX-License-Identifier: GPL-2.0-only
"""VDUSE as <linux/vduse.h> has it: a device whose daemon is this process."""

import errno
import fcntl
import os
import select
import struct
import threading

from steps import require

CONTROL = "/dev/vduse/control"
BASE = 0x81
NONE, WRITE, READ = 0, 1 << 30, 2 << 30
NAME_MAX = 256

NET, BLK = 1, 2
ACCESS_PLATFORM = 1 << 33
VERSION_1 = 1 << 32
MUST = ACCESS_PLATFORM | VERSION_1

# name, vendor, device, features, queues, alignment, reserved, config size
DEV_CONFIG = struct.Struct("=256sIIQII52xI")
IOTLB_ENTRY = struct.Struct("=QQQB7x")
VQ_CONFIG = struct.Struct("=IH26x")
REQUEST_LEN = RESPONSE_LEN = 152


def number(nr, size, direction):
    return direction | size << 16 | BASE << 8 | nr


SET_API_VERSION = number(0x01, 8, WRITE)
CREATE_DEV = number(0x02, DEV_CONFIG.size, WRITE)
DESTROY_DEV = number(0x03, NAME_MAX, WRITE)
IOTLB_GET_FD = number(0x10, IOTLB_ENTRY.size, READ | WRITE)
DEV_SET_CONFIG = number(0x12, 8, WRITE)
VQ_SETUP = number(0x14, VQ_CONFIG.size, WRITE)

GET_VQ_STATE, SET_STATUS, UPDATE_IOTLB = range(3)


def errno_of(function, *args):
    """What it fails with, 0 if it does not."""
    try:
        function(*args)
    except OSError as error:
        return error.errno
    return 0


class Control:
    """/dev/vduse/control, open."""

    def __init__(self):
        self.fd = os.open(CONTROL, os.O_RDWR)
        fcntl.ioctl(self.fd, SET_API_VERSION, struct.pack("=Q", 0))

    def close(self):
        os.close(self.fd)

    def create(self, name, device=NET, features=MUST, queues=2, align=4096,
               config=bytes(64)):
        # A bytearray, as bytes may only be short.
        fcntl.ioctl(self.fd, CREATE_DEV, bytearray(
            DEV_CONFIG.pack(name.encode(), 0, device, features, queues, align,
                            len(config)) + config))

    def destroy(self, name):
        fcntl.ioctl(self.fd, DESTROY_DEV,
                    name.encode().ljust(NAME_MAX, b"\0"))


class Device:
    """The file of one device, and a thread that says yes to every message."""

    def __init__(self, name):
        self.fd = os.open(f"/dev/vduse/{name}", os.O_RDWR | os.O_NONBLOCK)
        self.seen = []		# types of the messages that were answered
        self.wake = os.pipe()
        self.thread = None

    def start(self):
        self.thread = threading.Thread(target=self._answer_all, daemon=True)
        self.thread.start()

    def stop(self):
        os.write(self.wake[1], b"x")
        self.thread.join()
        os.read(self.wake[0], 1)
        self.thread = None

    def close(self):
        if self.thread:
            self.stop()
        for fd in (self.fd, *self.wake):
            os.close(fd)

    def _answer_all(self):
        while True:
            ready, _, _ = select.select([self.fd, self.wake[0]], [], [])
            if self.wake[0] in ready:
                return
            # The kernel may have given up a message meanwhile.
            if errno_of(self.answer) not in (0, errno.EAGAIN, errno.ENOENT):
                return

    def wait_for_message(self, timeout=10):
        require(select.select([self.fd], [], [], timeout)[0], "no message")

    def answer(self):
        """Read one message, say yes; its type."""
        kind, ident = struct.unpack_from("=II", os.read(self.fd, REQUEST_LEN))
        os.write(self.fd, struct.pack("=II", ident, 0)
                 .ljust(RESPONSE_LEN, b"\0"))
        self.seen.append(kind)
        return kind

    def set_up_queue(self, index, size=256):
        fcntl.ioctl(self.fd, VQ_SETUP, VQ_CONFIG.pack(index, size))

    def set_config(self, offset, length, data=b""):
        fcntl.ioctl(self.fd, DEV_SET_CONFIG, bytearray(
            struct.pack("=II", offset, length) + data))

    def memory(self, iova):
        """A file for the memory at @iova, and where in it that is."""
        entry = bytearray(IOTLB_ENTRY.pack(0, iova, iova, 0))
        fd = fcntl.ioctl(self.fd, IOTLB_GET_FD, entry)
        offset, start, _, _ = IOTLB_ENTRY.unpack(entry)
        return fd, offset + iova - start
