"""Looking into a data directory that another process may own: no lock is taken, and nothing that is kept changes.

Where nobody owns it, SQLite leaves its shared memory and an empty log beside the database; the next owner clears them away.
"""

import asyncio
import sqlite3
from functools import partial
from pathlib import Path
from typing import TypeVar

from runwell.ports.journal import Blobs
from runwell.storage.database import DATABASE_FILE, open_onlooker
from runwell.storage.durable import refuse_obstacle
from runwell.storage.outcome import closed
from runwell.storage.reader import Query, Readers
from runwell.storage.sqlite_reading import SqliteReading
from runwell.storage.sqlite_store import not_opened

T = TypeVar("T")


class SqliteView(SqliteReading):
    """`JournalReader` of a data directory, for a process other than its owner; empty where there is no journal yet."""

    def __init__(self, data_dir: Path, *, blobs: Blobs | None) -> None:
        super().__init__(blobs)
        self._path = data_dir / DATABASE_FILE
        self._readers: Readers | None = None

    async def open(self) -> None:
        """Raises `JournalUnavailable` when what is there is no journal that this Runwell can read."""
        try:
            refuse_obstacle(self._path.parent)
            self._readers = await asyncio.to_thread(Readers, partial(open_onlooker, self._path), 1)
        except (OSError, sqlite3.Error) as exc:
            raise not_opened(self._path, exc) from exc

    async def close(self) -> None:
        """Idempotent."""
        readers, self._readers = self._readers, None
        if readers is not None:
            await readers.close()

    async def query(self, query: Query[T]) -> T:
        if self._readers is None:
            raise closed()
        return await self._readers.run(query)
