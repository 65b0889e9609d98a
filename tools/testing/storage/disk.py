# SPDX-License-Identifier: GPL-2.0-only
"""A disk of a vDPA device, as the programs of the VM see it.

Used by scripts that run in the VM, whatever parent the device has; it is bound
to virtio_vdpa.
"""

import glob
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from shell import sh, wait_for
from steps import require

DEFAULT_DRIVER = Path("/sys/module/vdpa/parameters/default_driver")
# What all runs of fio have in common: whatever was written is read again and
# compared, and a block that is wrong ends the run.
FIO = {"name": "job", "ioengine": "libaio", "direct": 1, "iodepth": 16,
       "bsrange": "4k-1m", "verify": "crc32c", "verify_fatal": 1,
       "randrepeat": 0, "output-format": "json"}
JOBS = 4


def devices_are_given_to(driver, other):
    """Every new device is @driver's, whose module comes by itself."""
    sh(f"modprobe -r {other} && modprobe -a vdpa virtio_blk")
    require("/updates/" in sh(f"modinfo -n {driver}"), "not our module")
    DEFAULT_DRIVER.write_text(driver, encoding="ascii")


def unload_modules(*names):
    """Each of @names before what it stands on."""
    sh(f"rmmod {' '.join(names)}")
    left = [line.split()[0] for line in open("/proc/modules")
            if {"vdpa", "vduse"} & set(line.split()[0].split("_"))]
    require(not left, f"still loaded: {left}")


class Disk:
    """The disk of the vDPA device @name."""

    def __init__(self, name):
        self.name = name
        self.sys = None

    def appears(self):
        """Wait until it can be opened; what it is called."""
        pattern = f"/sys/bus/vdpa/devices/{self.name}/virtio*/block/*"

        def found():
            self.sys = next(iter(glob.glob(pattern)), None)
            return self.sys and os.path.exists(self.node)

        wait_for(f"disk of {self.name}", found, 20)
        return f"{self.node}, {self.size() >> 20} MiB"

    @property
    def node(self):
        return f"/dev/{os.path.basename(self.sys)}"

    def size(self):
        """In bytes, as /sys/block has it."""
        return int(Path(self.sys, "size").read_text(encoding="ascii")) << 9

    def block(self):
        """Bytes that are written at once, or not at all."""
        return int(Path(self.sys, "queue/logical_block_size").read_text(
            encoding="ascii"))

    def queues(self):
        return len(os.listdir(f"{self.sys}/mq"))

    def delete(self, limit=5):
        """Delete the device; the disk goes with it, soon."""
        started = time.monotonic()
        sh(f"vdpa dev del {self.name}", limit + 30)
        took = time.monotonic() - started
        require(took < limit, f"took {took:.2f} s")
        require(not os.path.exists(self.sys), "the disk is still there")
        return f"in {took * 1000:.0f} ms"

    def fio_command(self, kind, mib, **more):
        """@kind as --rw; each of the jobs has a part of @mib for itself."""
        part = f"{mib // JOBS}m"
        args = FIO | {"filename": self.node, "rw": kind, "numjobs": JOBS,
                      "size": part, "offset_increment": part} | more
        return " ".join(["fio --group_reporting",
                         *(f"--{name}={value}" for name, value in
                           args.items())])

    def fio(self, kind, mib, timeout=120, **more):
        """Run it to its end, which must be a good one; what it did."""
        return fio_said(sh(self.fio_command(kind, mib, **more), timeout))

    def is_verified(self, mib=64):
        """Random writes of all sizes, flushed now and then, read again."""
        return self.fio("randwrite", mib, fdatasync=24)

    def is_verified_after_trim(self, mib=64):
        """Each block is trimmed before it is written."""
        return self.fio("randtrimwrite", mib, fdatasync=24)

    def is_verified_while_read(self, mib=64):
        """Reads and writes at once."""
        return self.fio("randrw", mib, fsync=32, verify_backlog=16)

    def has_trim(self):
        return int(Path(self.sys, "queue/discard_max_bytes")
                   .read_text(encoding="ascii")) > 0


def fio_said(text):
    """A line about a run of fio from its JSON; it must have had no error."""
    report = json.loads(text[text.index("{\n"):])
    (job,) = report["jobs"]
    require(job["error"] == 0, f"fio: error {job['error']}")
    said = [f"{job[way]['io_bytes'] >> 20} MiB {way}"
            for way in ("write", "read", "trim") if job[way]["total_ios"]]
    took = sum(job[way]["runtime"] for way in ("write", "read"))
    return f"{', '.join(said)} in {took / 1000:.1f} s"


class Running:
    """fio that runs meanwhile; a context manager."""

    def __init__(self, disk, kind="randwrite", mib=64, **more):
        self.disk = disk
        self.process = subprocess.Popen(
            disk.fio_command(kind, mib, bsrange="4k-64k", **more).split(),
            stdout=subprocess.PIPE, text=True, stderr=subprocess.STDOUT,
            start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()

    def done(self):
        """Requests that the disk has completed."""
        fields = Path(self.disk.sys, "stat").read_text(encoding="ascii")
        reads, writes = 0, 4
        return sum(int(fields.split()[field]) for field in (reads, writes))

    def wait_until_busy(self, requests=200):
        before = self.done()
        wait_for("I/O", lambda: self.done() > before + requests, 30)

    def _output(self, timeout):
        try:
            return self.process.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            require(False, f"fio still runs after {timeout} s")

    def ends_well(self, timeout=120):
        """It has had no error, and found what it had written."""
        said = self._output(timeout)
        require(self.process.returncode == 0, said)
        return fio_said(said)

    def is_told(self, timeout=60):
        """It gets errors, and ends."""
        said = self._output(timeout)
        status = self.process.returncode
        require(status > 0, f"status {status}")
        return f"fio: status {status}"


class FileSystem:
    """ext4 on a disk, mounted."""

    def __init__(self, disk, where="/mnt"):
        self.disk = disk
        self.where = where

    def make(self):
        return sh(f"mkfs.ext4 -q -F {self.disk.node} && "
                  f"mount {self.disk.node} {self.where}", 120)

    def fill(self, files=24):
        """Files of many sizes, with the checksums next to them."""
        sh(f"cd {self.where} && mkdir d && "
           f"for i in $(seq {files}); do "
           "head -c $((i * i * 2711)) /dev/urandom >d/$i || exit; done && "
           "sha256sum d/* >sums && sync -f .", 120)

    def check(self):
        """Unmounted, it is clean; mounted again, the files are right."""
        sh(f"umount {self.where}", 120)
        said = sh(f"e2fsck -fn {self.disk.node}", 120)
        sh(f"mount -o ro {self.disk.node} {self.where} && "
           f"cd {self.where} && sha256sum --quiet -c sums", 120)
        sh(f"umount {self.where}", 120)
        return said

    def works(self):
        self.make()
        self.fill()
        return self.check()

    def is_gone(self, limit=60):
        """The disk has gone: users are told, and nobody waits."""
        started = time.monotonic()
        # Not what is cached: the disk.
        done = subprocess.run(
            ["dd", "if=/dev/zero", f"of={self.where}/new", "bs=64k",
             "count=4", "conv=fsync"], timeout=limit, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        require(done.returncode, "a write succeeds")
        sh(f"umount {self.where}", limit)
        return f"{done.stdout.splitlines()[0]}, " \
               f"{time.monotonic() - started:.1f} s"
