# SPDX-License-Identifier: GPL-2.0-only
"""A root file system for a nested guest, as the image of a disk: ext4."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .cache import BUILD, Missing
from .initramfs import DIRS, find_busybox
from .nested import CONTROL

MIB = 224
PROGRAMS = ("fio",)


def with_libraries(program):
    """Paths of @program and of all that the loader wants for it."""
    path = shutil.which(program)
    if not path:
        raise Missing(f"{program} is not installed: run scripts/setup")
    said = subprocess.run(["ldd", path], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    return [path, *re.findall(r"(/\S+) \(0x", said)]


def make(files, target):
    """An image of the (path, name there) in @files."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        tree = Path(scratch, "tree")
        for name in DIRS:
            (tree / name).mkdir(parents=True)
        for source, name in files:
            path = tree / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, path)
        for name in ("sh", "mount"):
            (tree / "bin" / name).symlink_to("busybox")
        image = Path(scratch, "image")
        subprocess.run(["mkfs.ext4", "-q", "-d", tree, image, f"{MIB}M"],
                       env={**os.environ, "PATH": os.environ["PATH"] +
                            ":/usr/sbin:/sbin"},
                       stdout=subprocess.DEVNULL, check=True)
        image.rename(target)


def build():
    """Path of the image; to be copied, not to be written to."""
    files = [(find_busybox(), "bin/busybox"), (CONTROL, "control")]
    files += [(path, path) for program in PROGRAMS
              for path in with_libraries(program)]
    key = hashlib.sha256(f"{DIRS} {MIB}".encode())
    for source, name in files:
        key.update(f"{source} {name} {os.stat(source).st_mtime_ns}".encode())
    target = BUILD / "rootfs" / f"{key.hexdigest()[:16]}.ext4"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        make(files, target)
    return target
