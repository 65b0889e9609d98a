# SPDX-License-Identifier: GPL-2.0-only
"""What the VM sees as /lib/modules/<release>: the kernel's and our modules.

depmod takes seconds, so a tree of indexes is kept for the modules that it was
made of. The modules themselves are copied for each run: a build that goes on
meanwhile does not disturb it.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .cache import BUILD, TOP, Missing


def built_modules():
    """Our modules as modules.order of the last build lists them."""
    order = TOP / "modules.order"
    if not order.exists():
        raise Missing("no modules are built: run make modules "
                      "(or give --in-tree)")
    paths = [TOP / Path(line).with_suffix(".ko")
             for line in order.read_text().split()]
    for path in paths:
        if not path.exists():
            raise Missing(f"{path} is not built: run make modules")
    return paths


def _index_key(kernel, paths):
    """Whatever depmod looks at is in a module: exports, needs, aliases."""
    key = hashlib.sha256(str(kernel.root).encode())
    for path in sorted(paths):
        key.update(path.name.encode())
        key.update(hashlib.sha256(path.read_bytes()).digest())
    return key.hexdigest()[:16]


def _make_index(kernel, paths, target):
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        tree = Path(scratch) / "lib" / "modules" / kernel.release
        (tree / "updates").mkdir(parents=True)
        (tree / "kernel").symlink_to(kernel.modules / "kernel")
        for name in ("modules.order", "modules.builtin",
                     "modules.builtin.modinfo"):
            shutil.copy(kernel.modules / name, tree)
        for path in paths:
            shutil.copy(path, tree / "updates")
        subprocess.run(["depmod", "-b", scratch, kernel.release], check=True)
        shutil.rmtree(tree / "updates")
        try:
            tree.rename(target)
        except OSError:
            # Another run has made the same one meanwhile.
            if not target.exists():
                raise


def prepare(kernel, run_dir):
    """Index directory and directory of our modules for one run."""
    paths = built_modules()
    index = BUILD / "modules" / _index_key(kernel, paths)
    index.parent.mkdir(parents=True, exist_ok=True)
    if not index.exists():
        _make_index(kernel, paths, index)
    updates = run_dir / "updates"
    updates.mkdir()
    for path in paths:
        shutil.copy(path, updates)
        os.utime(updates / path.name)
    return index, updates
