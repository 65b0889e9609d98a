# SPDX-License-Identifier: GPL-2.0-only
"""One QEMU process: its command line, its life, what it tells us.

Three ways lead out of the VM and are never mixed: the serial port carries
the kernel's log, one virtio port the output of the command, another one the
verdict. Only process 1 in the VM has the last one open.
"""

import ctypes
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import termios
import time

from .monitor import Monitor, MonitorError

QEMU = "qemu-system-x86_64"

# rep movsb counts as one instruction per byte under emulation: let the
# kernel copy by words. No page tables of five levels: while a kernel with KASAN
# finds out what its CPU can do, it forgets for a moment that it has them, and
# what an interrupt touches then is wild to it.
CPU = "max,-erms,-fsrm,-la57"

MACHINE = ("-M", "q35", "-cpu", CPU, "-no-user-config", "-nodefaults",
           "-display", "none", "-no-reboot", "-nic", "none")

ROOT = ("-fsdev", "local,id=root,path=/,security_model=none,readonly=on,"
                  "multidevs=remap",
        "-device", "virtio-9p-pci,fsdev=root,mount_tag=root")

# Repeatable figures: the guest's clock counts its instructions.
ICOUNT = ("-icount", "shift=0,sleep=off", "-seed", "1",
          "-rtc", "base=2025-01-01T00:00:00,clock=vm")
ICOUNT_APPEND = ("nokaslr norandmaps tsc=reliable tsc_early_khz=1000000 "
                 "clocksource=tsc nowatchdog")

# A stall is reported late enough for a busy machine, an oops ends the run; and
# an NMI, which is what a VM gets that does not end, with what the CPUs are at.
APPEND = ("console=ttyS0 ignore_loglevel panic=-1 oops=panic "
          "mitigations=off no_timer_check cryptomgr.notests "
          "rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=30 "
          "log_buf_len=4M unknown_nmi_panic panic_print=0x40")

# Seconds that a kernel may take from that NMI to its end.
LAST_WORDS = 15

# Where the CPUs are, which of them halt, and what waits in the APIC of the
# first. One that halts with interrupts enabled has none waiting; if it has,
# the emulator has lost it.
STATE = ("info registers -a", "info lapic")
TELLING = re.compile(r"^(CPU#|RIP=|Timer|ISR|IRR)")

PR_SET_PDEATHSIG = 1


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Outcome:
    """What was seen of one run of QEMU."""

    def __init__(self):
        self.started = False	# process 1 was about to run the command
        self.status = None	# exit status of the command, if it told
        self.timed_out = False
        self.log = ""		# of the kernel
        self.state = []		# of a VM that did not end, lines of text
        self.answer = ""	# of its kernel to an NMI


class Vm:
    """Start QEMU with @opts, copy what it says, see to it that it ends."""

    def __init__(self, kernel, initrd, opts, console_log):
        self.kernel = kernel
        self.initrd = initrd
        self.opts = opts
        self.console_log = console_log

    def command_line(self, out_fd, verdict_fd, monitor_fd):
        opts = self.opts
        append = [APPEND]
        line = [QEMU, *MACHINE, *ROOT]
        if opts.icount:
            line += ["-accel", "tcg"]
        else:
            line += ["-accel", "tcg,thread=" +
                     ("multi" if opts.parallel else "single")]
        line += ["-smp", str(1 if opts.icount else opts.smp)]
        line += ["-m", str(opts.mem)]
        if opts.share:
            line += ["-fsdev", f"local,id=share,path={opts.share},"
                               "security_model=none",
                     "-device", "virtio-9p-pci,fsdev=share,mount_tag=share"]
        if opts.icount:
            line += ICOUNT
            append.append(ICOUNT_APPEND)
        line += ["-chardev", f"file,id=klog,path={self.console_log}",
                 "-serial", "chardev:klog",
                 "-device", "virtio-serial-pci",
                 "-chardev", f"file,id=verdict,path=/dev/fd/{verdict_fd}",
                 "-device", "virtserialport,chardev=verdict,name=verdict"]
        line += ["-chardev", f"socket,id=monitor,fd={monitor_fd}",
                 "-mon", "chardev=monitor,mode=control"]
        if opts.shell:
            line += ["-chardev", "stdio,id=out,signal=off",
                     "-device", "virtconsole,chardev=out,name=out"]
        else:
            line += ["-chardev", f"file,id=out,path=/dev/fd/{out_fd}",
                     "-device", "virtserialport,chardev=out,name=out"]
        append += opts.append
        line += ["-kernel", str(self.kernel.image),
                 "-initrd", str(self.initrd), "-append", " ".join(append)]
        return line + opts.qemu

    def run(self):
        """Run to the end or to the time limit; an Outcome."""
        terminal = sys.stdin.isatty() and termios.tcgetattr(0)
        out_r, out_w = os.pipe()
        verdict_r, verdict_w = os.pipe()
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            self.command_line(out_w, verdict_w, theirs.fileno()),
            stdin=None if self.opts.shell else subprocess.DEVNULL,
            pass_fds=(out_w, verdict_w, theirs.fileno()),
            preexec_fn=_die_with_parent)
        os.close(out_w)
        os.close(verdict_w)
        theirs.close()
        before = None
        try:
            outcome = self._follow(process, out_r, verdict_r)
            if outcome.timed_out:
                before = len(self._read_log())
                self._ask_why(process, ours, outcome)
        finally:
            process.kill()
            process.wait()
            os.close(out_r)
            os.close(verdict_r)
            ours.close()
            # QEMU has left it raw, unless it ended well.
            if terminal:
                termios.tcsetattr(0, termios.TCSANOW, terminal)
        log = self._read_log()
        outcome.log = log[:before]
        outcome.answer = "" if before is None else log[before:]
        return outcome

    def _read_log(self):
        if not self.console_log.exists():
            return ""
        return self.console_log.read_text(errors="replace")

    def _ask_why(self, process, connection, outcome):
        """Let a VM that does not end say where it is, and die of that."""
        monitor = Monitor(connection)
        try:
            outcome.state = [
                line for command in STATE
                for line in monitor.human(command).splitlines()
                if TELLING.match(line)]
            monitor.execute("inject-nmi")
            process.wait(LAST_WORDS)
        except MonitorError as error:
            outcome.state.append(f"QEMU's monitor: {error}")
        except subprocess.TimeoutExpired:
            outcome.state.append("the kernel does not take an NMI")
        finally:
            monitor.close()

    def _follow(self, process, out_fd, verdict_fd):
        outcome = Outcome()
        verdict = b""
        limit = self.opts.timeout
        deadline = limit and time.monotonic() + limit
        with selectors.DefaultSelector() as selector:
            selector.register(out_fd, selectors.EVENT_READ)
            selector.register(verdict_fd, selectors.EVENT_READ)
            while selector.get_map():
                left = deadline and deadline - time.monotonic()
                if deadline and left <= 0:
                    outcome.timed_out = True
                    break
                for key, _ in selector.select(left):
                    data = os.read(key.fd, 65536)
                    if not data:
                        selector.unregister(key.fd)
                    elif key.fd == out_fd:
                        sys.stdout.buffer.write(data)
                        sys.stdout.buffer.flush()
                    else:
                        verdict += data
        _read_verdict(verdict.decode(errors="replace"), outcome)
        return outcome


def _read_verdict(text, outcome):
    for line in text.splitlines():
        word, _, value = line.partition(" ")
        if word == "started":
            outcome.started = True
        elif word == "exit" and value.isdigit():
            outcome.status = int(value)
