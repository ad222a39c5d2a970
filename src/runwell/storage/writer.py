"""The one thread that writes to the database and checkpoints its log.

Work comes through a queue and is done in order, each in a transaction of its own; the outcome goes
back to the event loop with one `call_soon_threadsafe`. The thread shares no other state.

A checkpoint copies the write-ahead log into the database, so that the log starts again from its
beginning. Its file keeps its size, on purpose: a commit into blocks that the file already has is twice as
fast as one that extends it. So the file grows past its size at the last checkpoint only when as much has
been logged anew, and that is when the next one is due: at once when there is much, else as soon as there
is nothing else to do. Each round that adds a little; a file that grew long is cut, but not to nothing.
"""

import asyncio
import contextlib
import functools
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from runwell.model.errors import JournalUnavailable
from runwell.ports.probe import Probe
from runwell.storage.database import BUSY_MS

CHECKPOINT_BYTES: Final = 4 * 1024 * 1024
"""How much is logged before a checkpoint is due in a quiet moment. Three times that more and it no longer waits for one."""

LOG_KEPT: Final = 2
"""How many times `CHECKPOINT_BYTES` the file keeps when the log starts again; SQLite cuts what is more (`journal_size_limit`)."""

_QUIET_S: Final = 0.05

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
Done = Callable[[Any, Exception | None], None]


class _Item(NamedTuple):
    work: Work[Any]
    done: Done
    alone: bool = False  # outside of a transaction


class Writer:
    """Owns the writing connection from `start` to `stop`."""

    def __init__(self, connection: sqlite3.Connection, log_file: Path, probe: Probe, checkpoint_bytes: int = CHECKPOINT_BYTES) -> None:
        connection.execute(f"PRAGMA journal_size_limit={LOG_KEPT * checkpoint_bytes}")
        self._connection = connection
        self._log_file = log_file
        self._probe = probe
        self._checkpoint_bytes = checkpoint_bytes
        self._mark = checkpoint_bytes
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="runwell-journal-writer", daemon=True)
        self._thread.start()

    def put(self, work: Work[Any], done: Done) -> None:
        """Do `work` in a transaction, then call `done(result, error)` on the loop's thread."""
        self._queue.put(_Item(work, done))

    async def run(self, work: Work[T]) -> T:
        """Return what `work` returns, once it is durable. Raises what it raises, `JournalUnavailable` for SQLite's errors."""
        future: asyncio.Future[T] = self._loop.create_future()
        self.put(work, functools.partial(_resolve, future))
        return await future

    async def empty_log(self) -> None:
        """Move the whole log into the database and cut it, so that nothing deleted is left there; put off while somebody reads."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(_Item(_cut_log, functools.partial(_resolve, future), alone=True))
        await future

    async def stop(self) -> None:
        """Do what is queued, move the whole log into the database and close the connection."""
        self._queue.put(None)
        await self._stopped
        self._thread.join()

    def _run(self) -> None:
        overdue = 0
        while (item := self._next(quiet_work=overdue > 0)) is not None:
            result, error = self._do_alone(item.work) if item.alone else self._transact(item.work)
            self._post(item.done, result, error)
            overdue = self._log_size() - self._mark
            if overdue > 3 * self._checkpoint_bytes:
                overdue = self._checkpoint()
        self._close()
        self._post(self._stopped.set_result, None)

    def _next(self, quiet_work: bool) -> _Item | None:
        if quiet_work:
            try:
                return self._queue.get(timeout=_QUIET_S)
            except queue.Empty:
                self._checkpoint()
        return self._queue.get()

    def _transact(self, work: Work[Any]) -> tuple[Any, Exception | None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            result = work(self._connection)
            self._probe("journal.before_commit")
            self._connection.execute("COMMIT")
            self._probe("journal.after_commit")
        except Exception as exc:
            self._roll_back()
            return None, exc
        return result, None

    def _do_alone(self, work: Work[Any]) -> tuple[Any, Exception | None]:
        try:
            return work(self._connection), None
        except Exception as exc:
            return None, exc

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # SQLite has rolled back by itself, or the next BEGIN says what is wrong
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._fence()

    def _fence(self) -> None:
        """Write over what a commit left in the log whose fsync failed: whole as it is, it would count after a crash."""
        self._connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'failed_commits'")

    def _log_size(self) -> int:
        try:
            return os.stat(self._log_file).st_size
        except OSError:
            return 0

    def _checkpoint(self) -> int:
        """Copy what no reader holds back; return 0, for nothing is overdue now."""
        try:
            busy, logged, copied = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error:
            busy, logged, copied = 1, 0, 0  # the log is whole, and the next attempt goes on from here
        complete = not busy and logged == copied
        size = self._log_size()
        kept = min(max(size, self._checkpoint_bytes), LOG_KEPT * self._checkpoint_bytes)
        self._mark = kept if complete else size + self._checkpoint_bytes
        return 0

    def _close(self) -> None:
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error:
            pass  # the log stays and is read at the next opening
        finally:
            self._connection.close()

    def _post(self, callback: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed over our head: nobody waits for the outcome
            self._loop.call_soon_threadsafe(callback, *args)


def _cut_log(connection: sqlite3.Connection) -> None:
    """Readers hold a place in the log for the time of a query: the last one may take its time, and others must not wait for it."""
    connection.execute("PRAGMA busy_timeout=500")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")


def _resolve(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if isinstance(error, sqlite3.Error | OSError):
        unavailable = JournalUnavailable(f"the change could not be made durable: {error}", hint="free disk space or mend the disk")
        unavailable.__cause__ = error
        future.set_exception(unavailable)
    elif error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
