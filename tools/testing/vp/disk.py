# SPDX-License-Identifier: GPL-2.0-only
"""Use of a disk on vp_vdpa, through virtio_vdpa."""

import os
import threading

from nic import sh, wait_for
from steps import require

MIB = 4


def transfers(function):
    """What is written to the disk is there when it is read."""
    disk = function.disk()
    sh(f"dd if=/dev/urandom of=/tmp/data bs=1M count={MIB} && "
       f"dd if=/tmp/data of={disk} bs=64k oflag=direct && "
       f"dd if={disk} of=/tmp/back bs=64k count={MIB << 4} iflag=direct && "
       "cmp /tmp/data /tmp/back", 120)
    return f"{MIB} MiB on {disk}"


class Reader:
    """Reads a disk again and again, until that fails."""

    def __init__(self, function):
        self.path = function.disk()
        self.reads = 0
        self.error = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_DIRECT)
            sink = os.open("/dev/null", os.O_WRONLY)
            while True:
                # Splicing needs no buffer that is aligned.
                os.lseek(file, 0, os.SEEK_SET)
                if not os.sendfile(sink, file, None, 1 << 16):
                    raise OSError("the disk has no bytes")
                self.reads += 1
        except OSError as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        wait_for("the disk to be read", lambda: self.reads > 10 or self.error)
        require(not self.error, f"{self.error}")
        return self

    def __exit__(self, *_):
        pass

    def has_failed(self):
        """It ended, which it does by an error only."""
        self.thread.join(30)
        require(not self.thread.is_alive(), f"hangs after {self.reads} reads")
        return f"after {self.reads} reads: {self.error}"
