"""Runs one command and ends all that comes of it when whoever started this is gone, killed or not.

    python -I -S reaper.py FD COMMAND ARG...

This process leads a group (it was started in a session of its own) to which the command and its children belong, and
has the reading end of a pipe, FD, whose other end only whoever started it holds: when that closes, the group is ended.
The same happens when the command ends: its children do not outlive it. Standard library only; imports nothing of ours.
"""

import os
import select
import signal
import subprocess
import sys
import time

GRACE_S = 2.0
NOT_FOUND = 127


def main(lifeline: int, command: list[str]) -> int:
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # not ignored: the command would inherit that
    try:
        child = subprocess.Popen(command)
    except OSError as exc:
        os.write(2, f"cannot run {command[0]!r}: {exc.strerror}\n".encode())
        return NOT_FOUND
    _let_go_of_streams()
    watch = select.poll()  # not select: descriptors of a busy server are beyond what it takes
    for descriptor in (lifeline, awake):
        watch.register(descriptor, select.POLLIN)
    while child.poll() is None:
        if any(descriptor == lifeline for descriptor, _ in watch.poll()):
            break
        os.read(awake, 4_096)
    _end_group(child)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _let_go_of_streams() -> None:
    """The command's end of input and output must not be held open here."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def _end_group(child: "subprocess.Popen[bytes]") -> None:
    """Ask the group to end, then end it, this process last."""
    os.killpg(0, signal.SIGTERM)
    until = time.monotonic() + GRACE_S
    while time.monotonic() < until and (child.poll() is None or _has_others()):
        time.sleep(0.01)
    if child.poll() is None or _has_others():
        os.killpg(0, signal.SIGKILL)


def _has_others() -> bool:
    """Whether anybody else is in the group. Where that cannot be told, somebody is."""
    try:
        names = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return True
    me = os.getpid()
    return any(_group_of(int(name)) == me for name in names if int(name) != me)


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return -1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
