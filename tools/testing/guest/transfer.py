# SPDX-License-Identifier: GPL-2.0-only
"""Move a file between the VM and its guest over TCP, compare checksums."""

import hashlib
import os
import socket
import threading
import time

from harness.slow import SLOWNESS
from steps import require

SIZE_MIB = max(1, 64 // SLOWNESS ** 2)
PORT = 5001
TIMEOUT = 120 * SLOWNESS


def _rate(size, started):
    took = time.monotonic() - started
    return f"{size} MiB in {took:.1f} s, checksums equal"


def _receive(server, result):
    digest = hashlib.sha256()
    size = 0
    connection, _ = server.accept()
    with connection:
        connection.settimeout(TIMEOUT)
        while data := connection.recv(1 << 20):
            digest.update(data)
            size += len(data)
    result.update(size=size, digest=digest.hexdigest())


def from_guest(guest, host_address, size=SIZE_MIB):
    """The guest makes a file and sends it."""
    guest.check(f"dd if=/dev/urandom of=/tmp/sent bs=64k "
                f"count={size << 4}", TIMEOUT)
    sent = guest.check("sha256sum </tmp/sent", TIMEOUT).split()[0]
    result = {}
    with socket.create_server((host_address, PORT)) as server:
        server.settimeout(TIMEOUT)
        receiver = threading.Thread(target=_receive, args=(server, result),
                                    daemon=True)
        receiver.start()
        started = time.monotonic()
        guest.check(f"nc {host_address} {PORT} </tmp/sent", TIMEOUT)
        receiver.join(TIMEOUT)
    require(result.get("size") == size << 20,
            f"received {result}, sent {size} MiB")
    require(result["digest"] == sent, "checksums differ")
    guest.check("rm /tmp/sent")
    return _rate(size, started)


def to_guest(guest, guest_address, size=SIZE_MIB):
    """The guest listens and keeps what it gets in a file."""
    data = os.urandom(size << 20)
    guest.check(f"nc -l -p {PORT} >/tmp/got &")
    deadline = time.monotonic() + 20 * SLOWNESS
    while True:
        try:
            connection = socket.create_connection((guest_address, PORT),
                                                  TIMEOUT)
            break
        except ConnectionRefusedError:
            require(time.monotonic() < deadline, "the guest does not listen")
            time.sleep(0.2)
    started = time.monotonic()
    with connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        # It may have said at once that it has nothing to send, so that the
        # end of the connection tells nothing; but it ends with the last byte.
        guest.check("while pidof nc >/dev/null; do sleep 0.1; done", TIMEOUT)
    got = guest.check("sha256sum </tmp/got", TIMEOUT).split()[0]
    require(got == hashlib.sha256(data).hexdigest(), "checksums differ")
    guest.check("rm /tmp/got")
    return _rate(size, started)
