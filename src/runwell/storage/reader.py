"""Read-only connections on threads of their own, so that no read blocks the event loop."""

import asyncio
import queue
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from runwell.model.errors import JournalUnavailable

T = TypeVar("T")
Query = Callable[[sqlite3.Connection], T]


class Readers:
    """A pool of `size` connections; a query sees everything that was durable when it began."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], size: int = 2) -> None:
        self._executor = ThreadPoolExecutor(size, "runwell-journal-reader")
        self._connections: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for _ in range(size):
            self._connections.put(connect())

    async def run(self, query: Query[T]) -> T:
        """Return the query's result. Raises `JournalUnavailable` when the database cannot be read."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, query)

    def _run(self, query: Query[T]) -> T:
        connection = self._connections.get()
        try:
            return query(connection)
        except sqlite3.Error as exc:
            raise JournalUnavailable(f"the journal could not be read: {exc}", hint="see `runwell doctor`") from exc
        finally:
            self._connections.put(connection)

    async def close(self) -> None:
        """Wait for the queries under way and close the connections."""
        await asyncio.to_thread(self._executor.shutdown)
        while not self._connections.empty():
            self._connections.get().close()
