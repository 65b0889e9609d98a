# SPDX-License-Identifier: GPL-2.0-only
"""What a person would type in the VM, and waiting for what comes of it."""

import subprocess
import time

from harness.slow import SLOWNESS
from steps import require


def sh(command, timeout=60):
    """Run in the VM what a person would type; its output."""
    done = subprocess.run(command, shell=True, timeout=timeout * SLOWNESS,
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    require(done.returncode == 0, f"{command}: {done.stdout}")
    return done.stdout.rstrip()


def wait_for(what, condition, timeout=10):
    timeout *= SLOWNESS
    deadline = time.monotonic() + timeout
    while not condition():
        require(time.monotonic() < deadline, f"{what}: not in {timeout} s")
        time.sleep(0.05)
