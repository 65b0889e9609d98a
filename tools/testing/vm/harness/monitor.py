# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's monitor: one command at a time, over a connected socket (QMP)."""

import json


class MonitorError(Exception):
    """QEMU does not answer, or refuses."""


class Monitor:
    """Speaks first when first asked; QEMU keeps its greeting until then."""

    def __init__(self, connection, timeout=20):
        connection.settimeout(timeout)
        self.stream = connection.makefile("rw", encoding="utf-8")
        self.greeted = False

    def _receive(self, key):
        """The next message with @key; events in between do not matter."""
        for line in self.stream:
            message = json.loads(line)
            if "error" in message:
                raise MonitorError(message["error"]["desc"])
            if key in message:
                return message[key]
        raise MonitorError("QEMU has gone")

    def execute(self, command, **arguments):
        """A command of QMP; what it returns."""
        try:
            if not self.greeted:
                self._receive("QMP")
                self.greeted = True
                self.execute("qmp_capabilities")
            json.dump({"execute": command, "arguments": arguments},
                      self.stream)
            self.stream.write("\n")
            self.stream.flush()
            return self._receive("return")
        except (OSError, ValueError) as error:
            raise MonitorError(f"{command}: {error}") from None

    def human(self, line):
        """A line as a person types it at the monitor; what that shows."""
        return self.execute("human-monitor-command",
                            **{"command-line": line})

    def close(self):
        self.stream.close()
