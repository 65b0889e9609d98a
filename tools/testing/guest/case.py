# SPDX-License-Identifier: GPL-2.0-only
"""A guest with its NICs, and what it must leave behind: nothing."""

from pathlib import Path

import nic
import transfer
from harness.nested import Guest, vdpa_nic
from steps import require

MEMORY_MIB = 384


def pinned_pages():
    """Pages that anybody in the VM has pinned."""
    # The counters of each CPU are added up when this is written.
    Path("/proc/sys/vm/stat_refresh").write_text("1", encoding="ascii")
    stat = dict(line.split() for line in open("/proc/vmstat"))
    return (int(stat["nr_foll_pin_acquired"]) -
            int(stat["nr_foll_pin_released"]))


def charged_kib(pid):
    """What is counted against RLIMIT_MEMLOCK of a process."""
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmPin:"):
            return int(line.split()[1])
    raise AssertionError("no VmPin")


class Case:
    """One guest, and what was pinned before there was any."""

    def __init__(self, report, pinned, nics, mem=MEMORY_MIB, qemu=(), **more):
        self.step = report.step
        self.pinned = pinned
        self.nics = nics
        self.mem = mem
        devices = [arg for number, item in enumerate(nics)
                   for arg in vdpa_nic(item.device, f"n{number}")]
        self.guest = Guest([*devices, *qemu], mem=f"{mem}M", **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.guest.stop()

    def boot(self):
        self.guest.start()
        for item in self.nics:
            item.configure(self.guest)
        return f"{self.guest.boot_time:.0f} s, {self.guest.accel}"

    def start(self, what):
        return self.step(f"{what} boots and has a link", self.boot)

    def memory_is_pinned(self):
        """Each device pins for itself."""
        pages = pinned_pages() - self.pinned
        charged = charged_kib(self.guest.process.pid)
        require(pages << 12 >= len(self.nics) * self.mem << 20,
                f"{pages} pages are pinned")
        require(charged == pages << 2, f"{charged} KiB are charged for them")
        return f"{pages} pages"

    def works(self, item, size):
        """The NIC @item: pings both ways, and files of @size MiB."""
        step, guest = self.step, self.guest
        step(f"{item.name}: the guest is pinged", nic.ping, nic.sh,
             item.guest4)
        step(f"{item.name}: it pings", nic.ping, guest.check, item.host4)
        step(f"{item.name}: it sends a file", transfer.from_guest, guest,
             item.host4, size)
        step(f"{item.name}: it gets a file", transfer.to_guest, guest,
             item.guest4, size)

    def all_is_unpinned(self):
        nic.wait_for(f"{self.pinned} pinned pages",
                     lambda: pinned_pages() == self.pinned)

    def nothing_is_charged(self):
        charged = charged_kib(self.guest.process.pid)
        require(charged == 0, f"{charged} KiB are")

    def end(self):
        """Once QEMU is gone nothing is pinned, sooner or later."""
        self.guest.stop()
        self.all_is_unpinned()
