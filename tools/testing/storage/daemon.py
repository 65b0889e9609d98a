# SPDX-License-Identifier: GPL-2.0-only
"""qemu-storage-daemon, which makes a VDUSE device of a file."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

from shell import sh, wait_for
from steps import require

MIB = 1 << 20


class Daemon:
    """A disk of @mib in a file; a daemon that may end and come again."""

    def __init__(self, name, mib=128, queues=2):
        self.name = name
        self.mib = mib
        self.queues = queues
        self.scratch = Path(tempfile.mkdtemp(prefix="vduse-"))
        self.file = self.scratch / "disk"
        self.process = None
        with open(self.file, "wb") as file:
            file.truncate(mib * MIB)

    def start(self):
        # What it has under way it keeps in a file in TMPDIR, and goes on with
        # that when it is started again.
        with open(self.scratch / "said", "wb") as said:
            self.process = subprocess.Popen(
                ["qemu-storage-daemon", "--blockdev",
                 "driver=file,node-name=disk,discard=unmap,"
                 f"filename={self.file}",
                 "--export",
                 f"type=vduse-blk,id={self.name},node-name=disk,"
                 f"name={self.name},writable=on,num-queues={self.queues}",
                 "--chardev", f"socket,id=qmp,server=on,wait=off,"
                 f"path={self.scratch}/qmp", "--monitor", "chardev=qmp"],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                env={**os.environ, "TMPDIR": str(self.scratch)})
        wait_for(f"/dev/vduse/{self.name}", self._is_ready, 20)

    def _is_ready(self):
        require(self.process.poll() is None,
                f"the daemon has ended: {(self.scratch / 'said').read_text()}")
        # It has told that it listens once its exports are there.
        return os.path.exists(f"/dev/vduse/{self.name}") and \
            os.path.exists(self.scratch / "qmp")

    def add(self):
        """The device on the bus."""
        sh(f"vdpa dev add name {self.name} mgmtdev vduse")
        return sh(f"vdpa dev show {self.name}")

    def kill(self):
        self._end(signal.SIGKILL)

    def stop(self):
        """It takes its VDUSE device with it."""
        self._end(signal.SIGTERM)
        require(not os.path.exists(f"/dev/vduse/{self.name}"),
                "the VDUSE device is still there")

    def _end(self, how):
        self.process.send_signal(how)
        self.process.wait(20)

    def set_timeout(self, seconds):
        """How long the kernel waits for an answer of the daemon."""
        Path(f"/sys/class/vduse/{self.name}/msg_timeout").write_text(
            str(seconds), encoding="ascii")
