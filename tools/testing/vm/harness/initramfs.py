# SPDX-License-Identifier: GPL-2.0-only
"""Make initial RAM disks: busybox, a few modules, an init script.

The kernel unpacks concatenated archives one after the other, so what is the
same for every run is made once, kept under a name that hashes its contents,
and a run adds a small archive with its own settings.
"""

import hashlib
import lzma
import os
import shutil
import stat

from .cache import BUILD, Missing

DIRS = ("bin", "dev", "etc", "lib", "mnt", "proc", "sys", "tmp")


def _entry(name, mode, data=b"", ino=0):
    path = name.encode() + b"\0"
    fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def archive(files):
    """A newc cpio archive of {name: (mode, bytes)}, directories included."""
    out = [_entry(name, mode, data, ino)
           for ino, (name, (mode, data)) in enumerate(files.items(), 1)]
    out.append(_entry("TRAILER!!!", 0))
    blob = b"".join(out)
    return blob + b"\0" * (-len(blob) % 512)


def regular(data, mode=0o644):
    return (stat.S_IFREG | mode, data)


def read_module(path):
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def find_busybox():
    """A busybox that runs without the C library of the root."""
    path = shutil.which("busybox")
    if not path:
        raise Missing("busybox-static is not installed: run scripts/setup")
    with open(path, "rb") as file:
        if b"/lib64/ld-linux" in file.read(4096):
            raise Missing("busybox is not the static one: run scripts/setup")
    return path


def build(kernel, modules, init, extra=None):
    """Path of an initramfs that runs the script @init as process 1.

    It has the @modules with their dependencies in /lib, in the order in
    which /lib/order tells the script to load them, and the files @extra.
    """
    paths = kernel.with_dependencies(modules)
    busybox = find_busybox()
    key = hashlib.sha256()
    for item in (kernel.release, busybox, os.stat(busybox).st_mtime_ns,
                 paths, init, sorted((extra or {}).items())):
        key.update(repr(item).encode())
    target = BUILD / "initramfs" / f"{key.hexdigest()[:16]}.cpio"
    if target.exists():
        return target

    files = {name: (stat.S_IFDIR | 0o755, b"") for name in DIRS}
    with open(busybox, "rb") as file:
        files["bin/busybox"] = regular(file.read(), 0o755)
    for name in ("sh", "mount"):
        files[f"bin/{name}"] = (stat.S_IFLNK | 0o777, b"busybox")
    names = [path.name.removesuffix(".xz") for path in paths]
    for name, path in zip(names, paths):
        files[f"lib/{name}"] = regular(read_module(path))
    files["lib/order"] = regular("".join(f"{n}\n" for n in names).encode())
    files["init"] = regular(init, 0o755)
    for name, data in (extra or {}).items():
        files[name] = regular(data)

    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(archive(files))
    temporary.rename(target)
    return target
