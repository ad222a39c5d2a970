"""ClickHouse's engine comes into this process: chdb's library, without what it does to the process.

Its import and its start replace the handlers of eight signals, and loading it takes long. So the handlers are put back
exactly as they were, and the library's file is read beforehand: reading lets other threads run, loading does not. It blocks
SIGPIPE in the importing thread only, which is a worker. The real-time signals are left to it: its threads ask each other
for stack traces with one.
"""

import ctypes
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_REPLACED: Final = [
    *(signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV, signal.SIGTSTP, signal.SIGSYS),
]
_ROOM: Final = 1_024
"""More than a `struct sigaction` takes on any system; its contents are not looked at."""


def import_engine() -> None:
    """Import chdb, which takes long: to be called in a worker thread. Later calls cost nothing."""
    _read_ahead()
    with handlers_kept():
        import chdb  # noqa: F401, PLC0415 - heavy, and only for who keeps runs in this process


def _read_ahead() -> None:
    spec = find_spec("chdb")
    chunk = bytearray(1 << 20)
    for folder in spec.submodule_search_locations or () if spec else ():
        for library in Path(folder).glob("_chdb*.so"):
            with library.open("rb", buffering=0) as file:
                while file.readinto(chunk):
                    pass


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Put the handlers back as the C library had them: Python's `signal` may be used in the main thread only, and knows less.

    Only those that the engine replaces: meanwhile, the main thread may set others.
    """
    libc = ctypes.CDLL(None)
    kept = {}
    for number in _REPLACED:
        action = ctypes.create_string_buffer(_ROOM)
        if libc.sigaction(number, None, action) == 0:
            kept[number] = action
    try:
        yield
    finally:
        for number, action in kept.items():
            libc.sigaction(number, action, None)
