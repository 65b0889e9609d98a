#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a VMM does with /dev/vhost-vdpa-N, in the fewest calls.

The argument names a vDPA device. For compat.sh; any vhost_vdpa will do.
"""

import ctypes
import fcntl
import glob
import mmap
import os
import struct
import sys

VHOST = 0xAF
READ, WRITE = 2 << 30, 1 << 30


def number(nr, size, direction):
    return direction | size << 16 | VHOST << 8 | nr


SET_OWNER = number(0x01, 0, 0)
GET_FEATURES = number(0x00, 8, READ)
SET_FEATURES = number(0x00, 8, WRITE)
GET_DEVICE_ID = number(0x70, 4, READ)
GET_STATUS = number(0x71, 1, READ)
SET_STATUS = number(0x72, 1, WRITE)
GET_CONFIG = number(0x73, 8, READ)
SET_BACKEND_FEATURES = number(0x25, 8, WRITE)
UPDATE, INVALIDATE = 2, 3


def iotlb(kind, iova, size, uaddr=0, perm=0):
    """A version 2 message for address space 0."""
    return struct.pack("=II QQQBB 38x", 2, 0, iova, size, uaddr, perm, kind)


def main():
    (path,) = glob.glob(f"/sys/bus/vdpa/devices/{sys.argv[1]}/vhost-vdpa-*")
    fd = os.open("/dev/" + os.path.basename(path), os.O_RDWR)

    def get(request, code):
        raw = fcntl.ioctl(fd, request, bytes(struct.calcsize(code)))
        return struct.unpack(code, raw)[0]

    def put(request, code, value):
        fcntl.ioctl(fd, request, struct.pack(code, value))

    assert get(GET_DEVICE_ID, "=I") == 1
    fcntl.ioctl(fd, SET_OWNER)
    put(SET_BACKEND_FEATURES, "=Q", 1 << 1)
    put(SET_STATUS, "=B", 1)
    put(SET_STATUS, "=B", 3)
    features = get(GET_FEATURES, "=Q")
    assert features >> 32 & 1, hex(features)
    put(SET_FEATURES, "=Q", features)
    put(SET_STATUS, "=B", 11)
    assert get(GET_STATUS, "=B") == 11

    config = bytearray(struct.pack("=II", 0, 6) + bytes(6))
    fcntl.ioctl(fd, GET_CONFIG, config)
    assert config[8:] == bytes(range(6)), config

    memory = mmap.mmap(-1, 1 << 20)
    memory[:] = b"x" * len(memory)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    os.write(fd, iotlb(UPDATE, 0x10000, len(memory), address, 3))
    os.write(fd, iotlb(INVALIDATE, 0x10000, len(memory)))
    put(SET_STATUS, "=B", 0)
    assert get(GET_STATUS, "=B") == 0
    os.close(fd)


if __name__ == "__main__":
    main()
