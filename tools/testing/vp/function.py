# SPDX-License-Identifier: GPL-2.0-only
"""PCI functions of the VM that tools/testing/vp/run boots, and vDPA on them.

All of it is called by scripts that run in the VM.
"""

import os
import re
from pathlib import Path

from nic import sh, wait_for
from steps import require

PCI = Path("/sys/bus/pci")
VDPA = Path("/sys/bus/vdpa")
NIC, PEER = "0000:00:10.0", "0000:00:11.0"
DISK, DISK_TWO, DISK_ONE, DISK_PIN = (f"0000:00:{slot}.0"
                                      for slot in (12, 13, 14, 15))
PORTS = "0000:00:16.0", "0000:00:17.0"


def write(path, text):
    Path(path).write_text(text, encoding="ascii")


def behind(port):
    """The function in the slot of a port."""
    found = [path.name for path in (PCI / "devices" / port).iterdir()
             if re.fullmatch(r"0000:\w\w:\w\w\.\d", path.name)]
    require(len(found) == 1, f"{port} has {found}")
    return found[0]


class Function:
    """A virtio-pci function, and the vDPA device on it."""

    def __init__(self, addr, name):
        self.addr = addr
        self.name = name
        self.mgmtdev = f"pci/{addr}"
        self.sysfs = PCI / "devices" / addr
        self.vdpa = VDPA / "devices" / name

    def driver(self):
        link = self.sysfs / "driver"
        return link.resolve().name if link.exists() else ""

    def rebind(self, override):
        """To the driver @override, or with "" to the one that it is for."""
        write(self.sysfs / "driver_override", f"{override}\n")
        if self.driver():
            write(self.sysfs / "driver/unbind", self.addr)
        write(PCI / "drivers_probe", self.addr)

    def take(self):
        self.rebind("vp-vdpa")
        require(self.driver() == "vp-vdpa", f"driver {self.driver()}")
        shown = sh(f"vdpa mgmtdev show {self.mgmtdev}")
        require("max_supported_vqs" in shown, shown)
        return shown

    def give_back(self):
        self.rebind("")
        require(self.driver() == "virtio-pci", f"driver {self.driver()}")
        require(self.mgmtdev not in sh("vdpa mgmtdev show"),
                "the management device is still there")

    def add(self, driver="virtio_vdpa"):
        """Make its device, for a driver of the vDPA bus."""
        sh(f"vdpa dev add name {self.name} mgmtdev {self.mgmtdev}")
        if self.bus_driver() != driver:
            self.rebind_vdpa(driver)
        return sh(f"vdpa dev show {self.name}")

    def bus_driver(self):
        link = self.vdpa / "driver"
        return link.resolve().name if link.exists() else ""

    def rebind_vdpa(self, driver):
        sh(f"modprobe {driver}")
        write(self.vdpa / "driver_override", driver)
        if self.bus_driver():
            write(self.vdpa / "driver/unbind", self.name)
        if self.bus_driver() != driver:
            write(VDPA / "drivers" / driver / "bind", self.name)
        require(self.bus_driver() == driver, f"driver {self.bus_driver()}")

    def delete(self):
        sh(f"vdpa dev del {self.name}", 20)
        require(not self.vdpa.exists(), "still there")

    def is_gone(self):
        """The device, and the function that it was on."""
        wait_for("no device", lambda: not self.vdpa.exists())
        require(self.name not in sh("vdpa dev show"), "still shown")
        require(self.mgmtdev not in sh("vdpa mgmtdev show"),
                "management device still shown")

    def _child(self, kind):
        """The virtio device is a child of what does the DMA."""
        def find():
            return sorted(self.sysfs.glob(f"virtio*/{kind}/*"))

        wait_for(f"{kind} of {self.name}", find)
        return find()[0].name

    def disk(self):
        """Its block device, with virtio_vdpa."""
        path = f"/dev/{self._child('block')}"
        wait_for(path, lambda: os.path.exists(path))
        return path

    def link(self):
        """Its network interface, with virtio_vdpa."""
        return self._child("net")

    def ring(self):
        """Which layout its virtio driver has taken, with virtio_vdpa."""
        features = next(self.sysfs.glob("virtio*/features")).read_text()
        return "packed" if features[34] == "1" else "split"

    def interrupts(self):
        """What it has in /proc/interrupts: name and count."""
        lines = [line.split() for line in open("/proc/interrupts")
                 if f"vp-vdpa[{self.addr}]" in line]
        cpus = os.cpu_count()
        return {line[-1]: sum(map(int, line[1:1 + cpus])) for line in lines}
