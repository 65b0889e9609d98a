# SPDX-License-Identifier: GPL-2.0-only
"""What a person would type in the VM to give a guest a NIC, as functions.

One device of vdpa_net, its peer on the host of the guest, and the guest's
end of it. All of it is called by scripts that run in the VM.
"""

import os
import subprocess
import time

from steps import require

NAME = "net0"
DEVICE = "/dev/vhost-vdpa-0"
MAC = "52:54:00:12:34:56"
HOST4, GUEST4 = "192.0.2.1", "192.0.2.2"
HOST6, GUEST6 = "2001:db8::1", "2001:db8::2"

# What is unloaded, each before what it stands on.
MODULES = "vhost_vdpa vdpa_net vdpa_soft vdpa_ring vdpa"


def sh(command, timeout=60):
    """Run in the VM what a person would type; its output."""
    done = subprocess.run(command, shell=True, timeout=timeout, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    require(done.returncode == 0, f"{command}: {done.stdout}")
    return done.stdout.rstrip()


def wait_for(what, condition, timeout=10):
    deadline = time.monotonic() + timeout
    while not condition():
        require(time.monotonic() < deadline, f"{what}: not in {timeout} s")
        time.sleep(0.05)


def load_modules():
    sh("modprobe -a vdpa_net vhost_vdpa")
    require("/updates/" in sh("modinfo -n vhost_vdpa"), "not our module")


def unload_modules():
    sh(f"rmmod {MODULES}")
    left = [line.split()[0] for line in open("/proc/modules")
            if "vdpa" in line.split()[0]]
    require(not left, f"still loaded: {left}")


def add_device():
    sh(f"vdpa dev add name {NAME} mgmtdev vdpa_net mac {MAC} mtu 1500")
    wait_for(DEVICE, lambda: os.path.exists(DEVICE), 5)
    return sh("vdpa dev show")


def delete_device():
    """It must take less than a second, whoever uses the device."""
    started = time.monotonic()
    sh(f"vdpa dev del {NAME}")
    took = time.monotonic() - started
    require(took < 1, f"took {took:.2f} s")
    require(NAME not in sh("vdpa dev show"), "still there")
    require(not os.path.exists(f"/sys/class/net/{NAME}"),
            "the host's interface is still there")
    return f"in {took * 1000:.0f} ms"


def host_carrier():
    with open(f"/sys/class/net/{NAME}/carrier", encoding="ascii") as file:
        return file.read().strip()


def guest_carrier(guest):
    return guest.run("cat /sys/class/net/eth0/carrier")[1].strip()


def configure(guest):
    """Addresses at both ends; the host's may be there from before."""
    sh(f"ip link set {NAME} up")
    sh(f"ip address replace {HOST4}/24 dev {NAME}")
    sh(f"ip address replace {HOST6}/64 dev {NAME} nodad")
    mac = guest.check("cat /sys/class/net/eth0/address")
    require(mac == MAC, f"the guest has MAC {mac}")
    guest.check("ip link set eth0 up")
    guest.check(f"ip address add {GUEST4}/24 dev eth0")
    guest.check(f"ip address add {GUEST6}/64 dev eth0")
    wait_for("carrier in the guest", lambda: guest_carrier(guest) == "1")
    # An address is in use once nobody else has claimed it.
    wait_for("address in the guest", lambda: "tentative" not in guest.check(
        "ip address show dev eth0"))
    return f"{NAME} {HOST4} {HOST6}, guest's eth0 {GUEST4} {GUEST6}"


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
