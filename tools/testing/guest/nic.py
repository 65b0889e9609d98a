# SPDX-License-Identifier: GPL-2.0-only
"""What a person would type in the VM to give a guest a NIC, as functions.

A device of vdpa_net, its peer on the host of the guest, and the guest's end
of it. All of it is called by scripts that run in the VM.
"""

import os
import time

from harness.slow import SLOWNESS
from shell import sh, wait_for
from steps import require

# What is unloaded, each before what it stands on.
MODULES = "vhost_vdpa vdpa_net vdpa_soft vdpa_ring vdpa"


def load_modules():
    sh("modprobe -a vdpa_net vhost_vdpa")
    require("/updates/" in sh("modinfo -n vhost_vdpa"), "not our module")


def unload_modules():
    sh(f"rmmod {MODULES}")
    left = [line.split()[0] for line in open("/proc/modules")
            if "vdpa" in line.split()[0]]
    require(not left, f"still loaded: {left}")


def ping(run, target):
    shown = run(f"ping -c 3 -W 5 {target}")
    summary = next(line for line in shown.splitlines() if "packets" in line)
    require(" 0% packet loss" in summary, summary)
    return summary


def qemu_lives(guest):
    require(guest.alive(), "QEMU has ended")
    return "guest up for " + guest.check("cut -d ' ' -f 1 /proc/uptime") + " s"


def guest_log(guest):
    complaints = guest.complaints()
    require(not complaints, "\n".join(complaints))


class Nic:
    """One device, both ends of it, and their addresses."""

    def __init__(self, number=0):
        self.name = f"net{number}"
        self.device = f"/dev/vhost-vdpa-{number}"
        self.guest_name = f"eth{number}"
        self.mac = f"52:54:00:12:34:{0x56 + number:02x}"
        self.host4 = f"192.0.2.{64 * number + 1}"
        self.guest4 = f"192.0.2.{64 * number + 2}"
        self.host6 = f"2001:db8:{number}::1"
        self.guest6 = f"2001:db8:{number}::2"

    def add(self):
        sh(f"vdpa dev add name {self.name} mgmtdev vdpa_net "
           f"mac {self.mac} mtu 1500")
        wait_for(self.device, lambda: os.path.exists(self.device), 5)
        return sh(f"vdpa dev show {self.name}")

    def delete(self):
        """In less than SLOWNESS seconds, whoever uses the device."""
        started = time.monotonic()
        sh(f"vdpa dev del {self.name}")
        took = time.monotonic() - started
        require(took < SLOWNESS, f"took {took:.2f} s")
        require(self.name not in sh("vdpa dev show"), "still there")
        require(not os.path.exists(f"/sys/class/net/{self.name}"),
                "the host's interface is still there")
        return f"in {took * 1000:.0f} ms"

    def host_carrier(self):
        with open(f"/sys/class/net/{self.name}/carrier",
                  encoding="ascii") as file:
            return file.read().strip()

    def guest_carrier(self, guest):
        return guest.run(
            f"cat /sys/class/net/{self.guest_name}/carrier")[1].strip()

    def configure(self, guest):
        """Addresses at both ends; the host's may be there from before."""
        link = self.guest_name
        sh(f"ip link set {self.name} up")
        sh(f"ip address replace {self.host4}/26 dev {self.name}")
        sh(f"ip address replace {self.host6}/64 dev {self.name} nodad")
        mac = guest.check(f"cat /sys/class/net/{link}/address")
        require(mac == self.mac, f"the guest has MAC {mac}")
        guest.check(f"ip link set {link} up")
        guest.check(f"ip address add {self.guest4}/26 dev {link}")
        guest.check(f"ip address add {self.guest6}/64 dev {link}")
        wait_for("carrier in the guest",
                 lambda: self.guest_carrier(guest) == "1")
        # An address is in use once nobody else has claimed it.
        wait_for("address in the guest", lambda: "tentative" not in
                 guest.check(f"ip address show dev {link}"))
        return (f"{self.name} {self.host4} {self.host6}, "
                f"guest's {link} {self.guest4} {self.guest6}")
