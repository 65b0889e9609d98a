# SPDX-License-Identifier: GPL-2.0-only
"""A guest inside of the VM: a second QEMU, driven by commands.

Used by scripts that run in the VM. -cpu max emulates SVM, so kvm_amd works
there; where it does not, the guest is emulated once more.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import initramfs, klog
from .cache import Kernel, Missing, cache_dir
from .monitor import Monitor, MonitorError
from .qemu import CPU, QEMU
from .slow import SLOWNESS

HERE = Path(__file__).resolve().parents[1]
MODULES = ("virtio_net",)
# Of a guest whose root is on a disk.
DISK_MODULES = (*MODULES, "virtio_blk", "crc32c_generic", "ext4")

# How to run the guest, seconds to wait for its boot: the first that works.
# An AVX state that the emulated SVM host shows in part only makes the
# guest's kernel warn, so the guest gets none.
ACCELERATORS = (
    ("kvm", "host,-xsave", 120),
    ("kvm", "host,-xsave", 120),
    ("tcg", CPU, 180),
)

# Each character on the console costs an exit or more: warnings only.
APPEND = ("console=ttyS0 loglevel=5 panic=-1 oops=panic mitigations=off "
          "nokaslr no_timer_check cryptomgr.notests "
          "rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=30")

MACHINE = ("-M", "pc", "-no-user-config", "-nodefaults", "-display", "none",
           "-no-reboot", "-nic", "none")


# What runs in the guest from then on; a root on a disk has it too.
CONTROL = HERE / "nested-control"

# Since QEMU 8.0.
VDPA_DEVICE = "vhost-vdpa-device-pci"


class GuestError(Exception):
    """The guest did not do what it was told."""


def build_initramfs(kernel, modules=MODULES):
    """Also called outside, where unpacking the modules is quick."""
    return initramfs.build(kernel, modules,
                           (HERE / "nested-init").read_bytes(),
                           {"control": CONTROL.read_bytes()})


class Program:
    """A QEMU: the machine's own, or one that is only unpacked."""

    def __init__(self, root=None):
        self.command = [QEMU]
        self.env = None
        if root:
            lib = f"{root}/usr/lib/x86_64-linux-gnu"
            self.command = [f"{root}/usr/bin/{QEMU}",
                            "-L", f"{root}/usr/share/qemu",
                            "-L", f"{root}/usr/share/seabios"]
            self.env = {**os.environ, "LD_LIBRARY_PATH": lib,
                        "QEMU_MODULE_DIR": f"{lib}/qemu"}

    def has_device(self, name):
        said = subprocess.run(
            [*self.command, "-M", "none", "-device", f"{name},help"],
            env=self.env, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL, check=False).stdout
        return said.startswith(f"{name} options:")


def qemu_with(device):
    """The first QEMU there is that has @device, or Missing."""
    for root in (None, cache_dir() / "qemu" / "current"):
        if root is None or root.exists():
            program = Program(root)
            if program.has_device(device):
                return program
    raise Missing(f"no QEMU with {device}")


def vdpa_nic(path, name="n0"):
    """QEMU's arguments for a NIC on the vhost-vdpa device @path."""
    return ("-netdev", f"vhost-vdpa,vhostdev={path},id={name}",
            "-device", f"virtio-net-pci,netdev={name},id={name}-nic,romfile=,"
                       "disable-legacy=on,iommu_platform=on")


def vdpa_disk(path, name="d0"):
    """QEMU's arguments for whatever the vhost-vdpa device @path is."""
    return ("-device", f"{VDPA_DEVICE},vhostdev={path},id={name},"
                       "disable-legacy=on,iommu_platform=on")


def have_kvm():
    subprocess.run(["modprobe", "kvm_amd"], check=False,
                   stderr=subprocess.DEVNULL)
    return os.path.exists("/dev/kvm")


class Guest:
    """One QEMU with Debian's kernel; a context manager."""

    accelerators = ACCELERATORS

    def __init__(self, args=(), mem="384M", smp=1, program=None, root=None):
        """@program: another QEMU than the machine's; @root: /dev/vda or so"""
        self.program = program or Program()
        self.modules = DISK_MODULES if root else MODULES
        self.append = f"{APPEND} root={root}" if root else APPEND
        self.kernel = Kernel()
        self.args = list(args)
        self.mem = mem
        self.smp = smp
        self.accel = None
        self.boot_time = None
        self.process = None
        self.control = None
        self.scratch = Path(tempfile.mkdtemp(prefix="guest-"))
        self.console = self.scratch / "console.log"
        self.stderr = self.scratch / "stderr"
        self._pending = b""

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _command_line(self, accel, cpu):
        return [*self.program.command, *MACHINE, "-accel", accel, "-cpu", cpu,
                "-smp", str(self.smp), "-m", self.mem,
                "-chardev", f"file,id=klog,path={self.console}",
                "-serial", "chardev:klog",
                "-chardev", f"socket,id=control,server=on,wait=off,"
                            f"path={self.scratch}/control",
                "-qmp", f"unix:{self.scratch}/monitor,server=on,wait=off",
                "-device", "virtio-serial-pci",
                "-device", "virtserialport,chardev=control,name=control",
                "-kernel", str(self.kernel.image),
                "-initrd", str(build_initramfs(self.kernel, self.modules)),
                "-append", self.append, *self.args]

    def start(self):
        """Boot with the first accelerator that works."""
        kvm = any(row[0] == "kvm" for row in self.accelerators) and have_kvm()
        reasons = []
        for accel, cpu, timeout in self.accelerators:
            if accel == "kvm" and not kvm:
                continue
            started = time.monotonic()
            self.accel = accel
            with open(self.stderr, "wb") as stderr:
                self.process = subprocess.Popen(
                    self._command_line(accel, cpu),
                    stdin=subprocess.DEVNULL, stderr=stderr,
                    env=self.program.env)
            try:
                self._connect(timeout)
                self._answer(timeout)
            except GuestError as error:
                reasons.append(f"{accel}: {error}")
                for line in reasons[-1].splitlines():
                    print(f"# guest: {line}", flush=True)
                self._end()
                continue
            self.boot_time = time.monotonic() - started
            return
        raise GuestError("no guest: " + "; ".join(reasons))

    def _last_words(self):
        """The ends of what QEMU and the guest's kernel have said."""
        return "\n".join(path.read_text(errors="replace")[-300:]
                         for path in (self.stderr, self.console)
                         if path.exists())

    def _connect(self, timeout):
        path = f"{self.scratch}/control"
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.control = socket.socket(socket.AF_UNIX)
            try:
                self.control.connect(path)
                return
            except OSError:
                self.control.close()
                self.control = None
            if not self.alive():
                break
            time.sleep(0.05)
        raise GuestError(f"QEMU does not start: {self._last_words()}")

    def _answer(self, timeout):
        """Read up to the next status line; (status, output before it)."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(rb"^@status (\d+)\r?\n", self._pending, re.M)
            if match:
                output = self._pending[:match.start()]
                self._pending = self._pending[match.end():]
                return int(match[1]), output.decode(errors="replace")
            self.control.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                data = self.control.recv(65536)
            except TimeoutError:
                raise GuestError(f"no answer within {timeout} s: "
                                 f"{self._last_words()}") from None
            except ConnectionError:
                data = b""
            if not data:
                raise GuestError(f"QEMU has gone: {self._last_words()}")
            self._pending += data

    def run(self, command, timeout=60):
        """Run one line of shell in the guest; (status, output)."""
        self.control.sendall(command.encode() + b"\n")
        return self._answer(timeout * SLOWNESS)

    def check(self, command, timeout=60):
        """Run one line of shell that must succeed; its output."""
        status, output = self.run(command, timeout)
        if status:
            raise GuestError(f"{command}: status {status}: {output}")
        return output.strip()

    def monitor(self, command):
        """Give QEMU's monitor one command; what it answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(f"{self.scratch}/monitor")
                return Monitor(connection).human(command)
            except (OSError, MonitorError) as error:
                raise GuestError(f"{command}: QEMU's monitor: {error}") \
                    from None

    def qemu_version(self):
        said = self.monitor("info version")
        return re.search(r"\b\d+\.\d+\.\d+", said)[0]

    def alive(self):
        """QEMU still runs."""
        return self.process.poll() is None

    def complaints(self):
        """Lines of the guest's kernel log that must not be there."""
        return klog.offending(self.console.read_text(errors="replace"))

    def _end(self):
        if self.control:
            self.control.close()
            self.control = None
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        """End QEMU; what it had open is closed when this returns."""
        self._end()
        shutil.rmtree(self.scratch, ignore_errors=True)
