# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of the kernel's log make a run fail."""

import re

PATTERNS = (
    # warnings and deaths
    r"\bWARNING:",
    r"\bBUG\b[: ]",
    r"\bOops\b",
    r"------------\[ cut here \]",
    r"\bCall Trace:",
    r"general protection fault",
    r"unable to handle (kernel|page)",
    r"Kernel panic",
    r"invalid opcode:",
    r"stack segment:",
    r"double fault",
    r"refcount_t:",
    r"list_(add|del) corruption",
    r"usercopy: Kernel memory",
    r"kobject.*does not have a release\(\) function",
    # hangs
    r"blocked for more than \d+ seconds",
    r"soft lockup",
    r"hard LOCKUP",
    r"rcu.*(self-detected stall|detected stalls)",
    r"waiting for .* to become free",
    # lock order, leaks, undefined behaviour
    r"INFO: possible (recursive|circular|irq lock)",
    r"INFO: inconsistent lock state",
    r"suspicious RCU usage",
    r"bad unlock balance",
    r"sleeping function called from invalid context",
    r"scheduling while atomic",
    r"\bKASAN:",
    r"\bKCSAN:",
    r"\bUBSAN:",
    r"unreferenced object 0x",
    r"kmem_cache_destroy .*objects remaining",
    r"Objects remaining in",
    r"DMA-API:",
    r"nobody cared",
    r"page allocation failure",
    r"Out of memory:",
)

# Said at every boot.
EXPECTED = (
    r"DMA-API: (preallocated|debugging enabled)",
)

# Data races that are all the kernel's own: no line of the report is of a module
# of ours. A report that is not complete is not one of these.
_RACE = re.compile(r"BUG: KCSAN: .*?={30}", re.DOTALL)
_OURS = re.compile(r"\[\w*vdpa\w*\]")

# The kernel tells with a backtrace that it looks for memory, and only then that
# it was for a memory cgroup, which has used up its own.
_OOM = re.compile(r"invoked oom-killer:(?:(?!invoked oom-killer:).)*?"
                  r"Memory cgroup out of memory: Killed process", re.DOTALL)

# One inversion is the kernel's own: pciehp_unconfigure_device() lets go of the
# reset_lock of its caller, and takes it again with the lock of rescan and remove
# held. Lockdep gives up with its first report, so whoever switches a slot off does
# it last.
_LOCKS = re.compile(r"WARNING: possible circular locking.*?</TASK>", re.DOTALL)
_SLOT = "pciehp_unconfigure_device"
_GIVEN_UP = "WARNING: lockdep is off"

_BAD = re.compile("|".join(PATTERNS))
_EXPECTED = re.compile("|".join(EXPECTED))

# A failure that was asked for comes with a backtrace, beside which other CPUs may
# say something. vmalloc() has a backtrace of its own for it, which is the next one of
# the same task.
_TRACE = re.compile(r"Call Trace:.*?(?=</TASK>|Call Trace:|\Z)", re.DOTALL)
_PID = " PID: "
_ASKED = re.compile(r"(?<!\? )\bshould_fail_ex\+")
_VMALLOC = re.compile(r"(?<!\? )\bwarn_alloc\+.*\b__vmalloc_node", re.DOTALL)

# A kernel that patches itself while another vCPU is translating can lose a
# store under emulation: it dies of the breakpoint that it was replacing.
LOST_STORE = re.compile(r"Oops: int3")

# Lines that tell what a bad one is about.
BEFORE, AFTER = 8, 32

# Of a backtrace, what tells nobody where a CPU is.
_VALUES = re.compile(r"\] +(R[A-Z0-9]{2}: [0-9a-f]|[C-G]S: |CR2: |PKRU: |Code: |"
                     r"Hardware name: |RSP: |\? )")


def without_values(text):
    """The lines of @text, a panic: calls, no registers or guesses."""
    return [line for line in text.splitlines() if not _VALUES.search(line)]


def _without_name(match):
    report = match.group()
    return report if _OURS.search(report) else report.replace("BUG: KCSAN:", "")


def _without_slot(text):
    found = _LOCKS.search(text)
    if not found or _SLOT not in found[0] or _OURS.search(found[0]):
        return text
    known = found[0].replace("WARNING:", "", 1).replace("Call Trace:", "", 1)
    return text.replace(found[0], known, 1).replace(_GIVEN_UP, "", 1)


def _task(text, end):
    """The last task that @text names before @end, if there is one."""
    at = text.rfind(_PID, 0, end)
    return text[at + len(_PID):end].partition(" ")[0] if at >= 0 else ""


def _without_asked(text):
    last = {}

    def without_name(match):
        trace = match.group()
        task = _task(text, match.start())
        known = last.get(task) and _VMALLOC.search(trace)
        last[task] = _ASKED.search(trace)
        if last[task] or known:
            return trace.replace("Call Trace:", "", 1)
        return trace

    return _TRACE.sub(without_name, text)


def offending(text):
    """The lines of the kernel log @text that must not be there."""
    text = _RACE.sub(_without_name, text)
    text = _without_slot(text)
    text = _OOM.sub(lambda match: match.group().replace("Call Trace:", ""), text)
    text = _without_asked(text)
    return [line for line in text.splitlines()
            if _BAD.search(line) and not _EXPECTED.search(line)]


def around(text, line):
    """What stands around the first @line of @text, a kernel log."""
    before, found, after = text.partition(line)
    if not found:
        return []
    return without_values(before)[-BEFORE:] + \
        without_values(found + after)[:AFTER]
