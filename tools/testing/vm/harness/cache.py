# SPDX-License-Identifier: GPL-2.0-only
"""Where scripts/setup has put the VM's kernel. Read only here."""

import os
from pathlib import Path

TOP = Path(__file__).resolve().parents[4]
BUILD = TOP / "build" / "vm"


class Missing(Exception):
    """Something that the run needs is not there; the text says what to do."""


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "vdpa"


class Kernel:
    """An unpacked kernel: image and modules of one release.

    VDPA_KERNEL is debug or kcsan for those that scripts/setup builds.
    """

    def __init__(self):
        kind = os.environ.get("VDPA_KERNEL", "kernel")
        link = cache_dir() / kind / "current"
        if not link.exists():
            option = "" if kind == "kernel" else f" --{kind}-kernel"
            raise Missing(f"no kernel for the VM in {link.parent}: "
                          f"run scripts/setup{option}")
        self.root = link.resolve()
        self.release = self.root.name
        self.image = self.root / "boot" / f"vmlinuz-{self.release}"
        self.modules = self.root / "lib" / "modules" / self.release
        for path in (self.image, self.modules / "modules.dep"):
            if not path.exists():
                raise Missing(f"{path} is missing: run scripts/setup")

    def with_dependencies(self, names):
        """Paths of the modules in @names, each after what it depends on."""
        deps = {}
        for line in (self.modules / "modules.dep").read_text().splitlines():
            path, _, needs = line.partition(":")
            name = Path(path).name.split(".")[0].replace("-", "_")
            deps[name] = (path, needs.split())
        order = []
        for name in names:
            path, needs = deps[name]
            for item in list(reversed(needs)) + [path]:
                if item not in order:
                    order.append(item)
        return [self.modules / item for item in order]
