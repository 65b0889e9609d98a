# SPDX-License-Identifier: GPL-2.0-only
"""Show steps as they are done, and what became of each at the end."""

import sys
import time


class StepFailed(Exception):
    """A step has not shown what it promises; the text says why."""


def require(condition, reason):
    if not condition:
        raise StepFailed(reason)


class Report:
    """Runs steps; prints for a person, or TAP for scripts/check."""

    def __init__(self, tap):
        self.tap = tap
        self.count = 0
        self.failed = 0
        self.started = time.monotonic()

    def step(self, promise, function, *args):
        """Run @function, which returns what to say about the step."""
        self.count += 1
        if not self.tap:
            print(f"  {promise} ...", end="", flush=True)
        try:
            said = function(*args)
            ok = True
        except Exception as error:	# whatever a step dies of is its result
            said = f"{type(error).__name__}: {error}"
            ok = False
            self.failed += 1
        self._say(promise, ok, said or "")
        return ok

    def _say(self, promise, ok, said):
        if self.tap:
            for line in said.splitlines():
                print(f"# {line}")
            print(f"{'ok' if ok else 'not ok'} {self.count} - {promise}")
        else:
            first, _, rest = said.partition("\n")
            if rest:
                print(f" {'done' if ok else 'FAILED'}")
                rest = f"{first}\n{rest}"
            else:
                print(f" {first or 'done'}{'' if ok else '  FAILED'}")
            for line in rest.splitlines():
                print(f"      {line}")
        sys.stdout.flush()

    def close(self):
        """Last line; exit status."""
        if self.tap:
            print(f"1..{self.count}")
        else:
            took = time.monotonic() - self.started
            print(f"\n  {self.count - self.failed} of {self.count} steps "
                  f"succeeded in {took:.0f} s")
        return 1 if self.failed else 0
