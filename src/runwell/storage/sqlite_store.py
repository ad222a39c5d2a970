"""The SQLite file of a data directory while it is open: its owner's lock, writer and readers."""

import asyncio
import contextlib
import sqlite3
from functools import partial
from pathlib import Path

from runwell.model.errors import JournalUnavailable
from runwell.ports.probe import Probe
from runwell.storage.database import DATABASE_FILE, Synchronous, open_reader, open_writer
from runwell.storage.lock import DirectoryLock
from runwell.storage.reader import Readers
from runwell.storage.writer import Writer


class SqliteStore:
    """Made by `open_store`. `lookup` is a connection for short reads on the event loop's thread."""

    def __init__(self, lock: DirectoryLock, writer: Writer, readers: Readers, lookup: sqlite3.Connection) -> None:
        self.writer, self.readers, self.lookup = writer, readers, lookup
        self._lock = lock

    async def close(self) -> None:
        """Do what is queued and give the directory up; the writer goes last, for the last to close checkpoints."""
        try:
            await self.readers.close()
            self.lookup.close()
            await self.writer.stop()
        finally:
            self._lock.release()


def not_opened(path: Path, error: Exception) -> JournalUnavailable:
    """Return the error that tells why there is no opening the database at `path`."""
    if isinstance(error, NotADirectoryError):
        return JournalUnavailable(
            f"the data directory {str(path.parent)!r} cannot be one: {error.filename!r} is a file",
            hint="choose a directory with --data-dir or RUNWELL_DATA_DIR, or move the file away",
        )
    return JournalUnavailable(
        f"the journal {str(path)!r} could not be opened: {error}",
        hint="check that its directory can be written and that the file is a whole Runwell journal",
    )


async def open_store(data_dir: Path, synchronous: Synchronous, probe: Probe, checkpoint_bytes: int) -> SqliteStore:
    """Take the directory and open its database, made when missing.

    Raises `DataDirectoryBusy`, and `JournalUnavailable` when it is no journal that this Runwell can use.
    """
    path = data_dir / DATABASE_FILE
    try:
        with contextlib.ExitStack() as undo:
            lock = DirectoryLock(data_dir)
            undo.callback(lock.release)
            await asyncio.to_thread(lock.acquire)
            connection = await asyncio.to_thread(open_writer, path, synchronous)
            undo.callback(connection.close)
            lookup = open_reader(path)
            undo.callback(lookup.close)
            readers = Readers(partial(open_reader, path))
            undo.pop_all()
    except (OSError, sqlite3.Error) as exc:
        raise not_opened(path, exc) from exc
    writer = Writer(connection, path.with_name(f"{path.name}-wal"), probe, checkpoint_bytes)
    return SqliteStore(lock, writer, readers, lookup)
