# SPDX-License-Identifier: GPL-2.0-only
"""/dev/vhost-vdpa-N as a VMM has it: the few calls that tests here need."""

import ctypes
import fcntl
import glob
import mmap
import os
import struct

from shell import wait_for

VHOST = 0xAF
READ, WRITE = 2 << 30, 1 << 30
RW = 3
UPDATE, INVALIDATE = 2, 3
IOTLB_MSG_V2 = 1 << 1


def number(nr, size, direction):
    return direction | size << 16 | VHOST << 8 | nr


SET_OWNER = number(0x01, 0, 0)
SET_BACKEND_FEATURES = number(0x25, 8, WRITE)
GET_STATUS = number(0x71, 1, READ)
SET_STATUS = number(0x72, 1, WRITE)
GET_CONFIG = number(0x73, 8, READ)
SET_CONFIG = number(0x74, 8, WRITE)


def node(name):
    """Wait for the node of the device @name; its path."""
    paths = []

    def found():
        paths[:] = ["/dev/" + os.path.basename(path) for path in
                    glob.glob(f"/sys/bus/vdpa/devices/{name}/vhost-vdpa-*")]
        return paths and os.path.exists(paths[0])

    wait_for(f"node of {name}", found)
    return paths[0]


class VhostDevice:
    """The device @name, open and owned."""

    def __init__(self, name):
        self.fd = os.open(node(name), os.O_RDWR)
        fcntl.ioctl(self.fd, SET_OWNER)
        fcntl.ioctl(self.fd, SET_BACKEND_FEATURES,
                    struct.pack("=Q", IOTLB_MSG_V2))

    def close(self):
        os.close(self.fd)

    def get_status(self):
        return fcntl.ioctl(self.fd, GET_STATUS, b"\0")[0]

    def set_status(self, status):
        fcntl.ioctl(self.fd, SET_STATUS, bytes([status]))

    def get_config(self, offset, length, room=4096):
        """As many of @room bytes as @length says, or an error."""
        buffer = bytearray(struct.pack("=II", offset, length) + bytes(room))
        fcntl.ioctl(self.fd, GET_CONFIG, buffer)
        return bytes(buffer[8:8 + length])

    def set_config(self, offset, length, room=4096):
        fcntl.ioctl(self.fd, SET_CONFIG, bytearray(
            struct.pack("=II", offset, length) + bytes(room)))

    def map(self, iova, memory):
        """@memory is an mmap object."""
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        os.write(self.fd, self._message(UPDATE, iova, len(memory), address,
                                        RW))

    def unmap(self, iova, size):
        os.write(self.fd, self._message(INVALIDATE, iova, size))

    @staticmethod
    def _message(kind, iova, size, address=0, perm=0):
        """A version 2 message for address space 0."""
        return struct.pack("=II QQQBB 38x", 2, 0, iova, size, address, perm,
                           kind)


def shared_memory(size):
    """A file that can be shared with a daemon, and its mapping."""
    fd = os.memfd_create("guest")
    os.ftruncate(fd, size)
    memory = mmap.mmap(fd, size)
    os.close(fd)
    return memory
