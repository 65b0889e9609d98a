# SPDX-License-Identifier: GPL-2.0-only
"""Streams between the VM and its guest, both ways at once, until stopped."""

import socket
import threading
import time

from harness.slow import SLOWNESS
from steps import require

FROM_GUEST, TO_GUEST = 5002, 5003
# Bytes each way by which traffic flows for sure; seconds for these, and for a
# connection.
ENOUGH = (4 << 20) // SLOWNESS
FLOWING = 30 * SLOWNESS
CONNECTED = 20 * SLOWNESS


class Traffic:
    """A context manager: within it, bytes flow."""

    def __init__(self, guest, host_address, guest_address):
        self.guest = guest
        self.host_address = host_address
        self.guest_address = guest_address
        self.moved = {FROM_GUEST: 0, TO_GUEST: 0}
        self.sockets = []

    def __enter__(self):
        server = socket.create_server((self.host_address, FROM_GUEST))
        server.settimeout(CONNECTED)
        self.sockets.append(server)
        for command in (f"nc {self.host_address} {FROM_GUEST} </dev/zero",
                        f"nc -l -p {TO_GUEST} </dev/null"):
            self.guest.check(f"{command} >/dev/null 2>&1 &")
        receiver, _ = server.accept()
        sender = self._connect()
        self.sockets += [receiver, sender]
        self._run(FROM_GUEST, lambda: len(receiver.recv(1 << 16)))
        block = bytes(1 << 16)
        self._run(TO_GUEST, lambda: sender.send(block))
        self.wait_until_flowing()
        return self

    def __exit__(self, *_):
        for item in self.sockets:
            try:
                item.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            item.close()

    def _connect(self):
        deadline = time.monotonic() + CONNECTED
        while True:
            try:
                return socket.create_connection(
                    (self.guest_address, TO_GUEST), CONNECTED)
            except ConnectionRefusedError:
                require(time.monotonic() < deadline,
                        "the guest does not listen")
                time.sleep(0.1)

    def _run(self, stream, move):
        def loop():
            # Ends with the stream; how, the tests do not care.
            try:
                while size := move():
                    self.moved[stream] += size
            except OSError:
                pass

        threading.Thread(target=loop, daemon=True).start()

    def wait_until_flowing(self):
        before = dict(self.moved)
        deadline = time.monotonic() + FLOWING
        while any(self.moved[stream] < before[stream] + ENOUGH
                  for stream in before):
            require(time.monotonic() < deadline,
                    f"no traffic: {before}, then {self.moved}")
            time.sleep(0.05)

    def said(self):
        return ", ".join(f"{self.moved[stream] >> 10} KiB {way}"
                         for stream, way in ((FROM_GUEST, "from the guest"),
                                             (TO_GUEST, "to it")))
