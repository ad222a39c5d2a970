"""One process owns a data directory: an advisory lock on `<directory>/runwell.lock`.

`flock` belongs to the open file, so a second owner within the same process is refused as well, and
the kernel lets go when the process dies, however it dies. The file's text only serves the message.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from runwell.model.errors import DataDirectoryBusy
from runwell.model.times import rfc3339
from runwell.storage.durable import make_directory

LOCK_FILE: Final = "runwell.lock"


class DirectoryLock:
    """The ownership of one data directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the directory, creating it (for this user only) when missing.

        Raises `DataDirectoryBusy` when anybody has it, `OSError` when it cannot be made or written.
        """
        make_directory(self._directory)
        fd = os.open(self._directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(fd, f"pid {os.getpid()} since {rfc3339(int(time.time() * 1000))}\n")
        except BlockingIOError as exc:
            raise _busy(self._directory, _read_and_close(fd)) from exc
        except OSError:
            os.close(fd)
            raise
        self._fd = fd

    def release(self) -> None:
        """Give the directory up. Idempotent."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        try:
            os.ftruncate(fd, 0)
        finally:
            os.close(fd)


def _write(fd: int, text: str) -> None:
    os.ftruncate(fd, 0)
    os.pwrite(fd, text.encode(), 0)


def _read_and_close(fd: int) -> str:
    try:
        return os.pread(fd, 200, 0).decode(errors="replace").strip()
    finally:
        os.close(fd)


def _busy(directory: Path, holder: str) -> DataDirectoryBusy:
    return DataDirectoryBusy(
        f"the data directory {str(directory)!r} is in use by another Runwell ({holder or 'pid not known yet'})",
        hint="stop that process, or choose another directory with --data-dir or RUNWELL_DATA_DIR; to look, `runwell runs list` works",
    )
