"""stdout and stderr that tell when they cannot take what is written.

A pipe whose reader went away and a disk that is full are told as `OutputLost`, which no library on the way
knows and takes for its own affair. Standard streams that are closed at the start lead to nowhere, for
otherwise the next file to be opened, such as the journal, would get their number, and what is printed.
"""

import errno
import io
import os
import sys
from typing import Any, Final, NoReturn

from runwell.cli.exit_codes import Exit

_NUMBERS: Final = {"stdin": 0, "stdout": 1, "stderr": 2}


class OutputLost(Exception):
    """What was printed could not be written; its cause is the system's error."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output could not be written: {error.strerror}")
        self.reader_left = error.errno == errno.EPIPE


class _Outlet(io.FileIO):
    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except BlockingIOError:
            raise
        except OSError as exc:
            raise OutputLost(exc) from exc


def watch_output() -> None:
    """Make this process's stdout and stderr raise `OutputLost`."""
    for name, fd in _NUMBERS.items():
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
            setattr(sys, name, open(fd, "r+" if fd == 0 else "w", closefd=False))  # noqa: SIM115 - for as long as the process lives
    sys.stdout = _watched(sys.stdout, sys.stdout.isatty())
    sys.stderr = _watched(sys.stderr, True)


def _watched(stream: Any, by_line: bool) -> io.TextIOWrapper:
    outlet = io.BufferedWriter(_Outlet(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(outlet, encoding=stream.encoding, errors=stream.errors, line_buffering=by_line)


def flush_output() -> None:
    """Write what is still held back. Raises `OutputLost`."""
    sys.stdout.flush()
    sys.stderr.flush()


def end_without_output(lost: OutputLost) -> NoReturn:
    """End the process: quietly when a reader went away, as `head` does, else with a message where that can be written."""
    for name in ("stdout", "stderr"):
        try:
            if name == "stderr" and not lost.reader_left:
                sys.stderr.write(f"error: {lost}\n")
            getattr(sys, name).flush()
        except OutputLost:
            os.dup2(os.open(os.devnull, os.O_WRONLY), _NUMBERS[name])  # Python itself flushes once more at the end
    sys.exit(Exit.CLOSED_PIPE if lost.reader_left else Exit.OUTPUT_LOST)
