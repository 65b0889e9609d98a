# SPDX-License-Identifier: GPL-2.0-only
"""Our software disks, on each kind of backing. A row of KINDS each.

A kind makes its backing and its device, and takes both away.
"""

import os
import tempfile
from pathlib import Path

from shell import sh

CONFIG = Path("/sys/kernel/config/vdpa_blk")
MODULES = ("virtio_vdpa", "vdpa_blk", "vdpa_soft", "vdpa_ring", "vdpa")
MIB = 128
QUEUES = 2


class RamDisk:
    """The disk of the management device vdpasim_blk."""

    what = "a RAM disk"
    mgmtdev = "vdpasim_blk"
    can_grow = False
    block = 512
    queues = None		# as many as it likes

    def make(self):
        pass

    def describe(self, name):
        pass

    def remove(self, name):
        pass


class Configured:
    """A disk of vdpa_blk, which a directory describes."""

    mgmtdev = "vdpa_blk"
    can_grow = True
    block = 512
    queues = QUEUES
    path = None

    def make(self):
        self.scratch = Path(tempfile.mkdtemp(prefix="disk-", dir="/run"))

    def describe(self, name):
        conf = CONFIG / name
        conf.mkdir()
        for attribute, value in (("path", self.path), ("queues", QUEUES)):
            (conf / attribute).write_text(str(value), encoding="ascii")

    def resize(self, name, mib):
        self.grow(mib)
        (CONFIG / name / "resize").write_text("1", encoding="ascii")

    def remove(self, name):
        (CONFIG / name).rmdir()

    def _file(self, name, mib=MIB):
        path = self.scratch / name
        sh(f"truncate -s {mib}M {path}")
        return path

    def _loop(self, path, block=512):
        return sh(f"losetup --find --show --direct-io=off "
                  f"--sector-size {block} {path}")


class FileOnTmpfs(Configured):
    what = "a file on tmpfs"

    def make(self):
        super().make()
        self.path = self._file("disk")

    def grow(self, mib):
        sh(f"truncate -s {mib}M {self.path}")

    def remove(self, name):
        super().remove(name)
        os.unlink(self.path)


class FileOnExt4(FileOnTmpfs):
    what = "a file on ext4"

    def make(self):
        Configured.make(self)
        self.loop = self._loop(self._file("image", 3 * MIB))
        self.mount = self.scratch / "mount"
        self.mount.mkdir()
        sh(f"mkfs.ext4 -q {self.loop} && mount {self.loop} {self.mount}", 120)
        self.path = self.mount / "disk"
        sh(f"truncate -s {MIB}M {self.path}")

    def remove(self, name):
        super().remove(name)
        sh(f"umount {self.mount} && e2fsck -fn {self.loop} && "
           f"losetup -d {self.loop}")
        os.unlink(self.scratch / "image")


class LoopDevice(Configured):
    what = "a loop device"

    def make(self):
        super().make()
        self.image = self._file("image")
        self.path = self._loop(self.image, self.block)

    def grow(self, mib):
        sh(f"truncate -s {mib}M {self.image} && losetup -c {self.path}")

    def remove(self, name):
        super().remove(name)
        sh(f"losetup -d {self.path}")
        os.unlink(self.image)


class LoopDeviceOf4096(LoopDevice):
    what = "a loop device of 4096-byte blocks"
    block = 4096


KINDS = (RamDisk, FileOnTmpfs, FileOnExt4, LoopDevice, LoopDeviceOf4096)
