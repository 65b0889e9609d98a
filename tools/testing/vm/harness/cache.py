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
    """An unpacked kernel package: image and modules of one release."""

    def __init__(self):
        link = cache_dir() / "kernel" / "current"
        if not link.exists():
            raise Missing(f"no kernel for the VM in {link.parent}: "
                          "run scripts/setup")
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
