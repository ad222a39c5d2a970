"""What a journal in PostgreSQL says, whoever has it open: its owner, or somebody who only looks."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from runwell.model.errors import JournalUnavailable
from runwell.model.events import Event, decode_event
from runwell.model.generation import RAW_FIELDS
from runwell.model.run import RunRow, TaskView
from runwell.model.statuses import RunStatus
from runwell.ports.journal import ALL_EVENTS, ALL_RUNS, Blobs, EventFilter, Kept, RunFilter
from runwell.storage import postgres_queries as queries
from runwell.storage.outcome import closed
from runwell.storage.payloads import NOTHING, hydrate, is_cut
from runwell.storage.postgres_session import DRIVER_ERRORS, pool, unavailable
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.records import decode_row
from runwell.storage.tasks import task_view

T = TypeVar("T")
Query = Callable[[Any], Awaitable[T]]

READERS: Final = 4
ACQUIRE_S: Final = 30.0
"""How long a query waits for a connection."""


class PostgresReaders:
    """Up to `READERS` connections that can only read, opened when they are wanted."""

    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url
        self._pool: Any = None

    async def open(self) -> None:
        self._pool = await pool(self._url, READERS, default_transaction_read_only="on")

    async def run(self, query: Query[T]) -> T:
        """Return the query's result. Raises `JournalUnavailable`."""
        try:
            async with self._pool.acquire(timeout=ACQUIRE_S) as connection:
                return await query(connection)
        except DRIVER_ERRORS as exc:
            raise unavailable(self._url, exc) from exc

    async def close(self) -> None:
        """Wait for the queries under way and close the connections."""
        await self._pool.close()


class PostgresReading(ABC):
    """`JournalReader` by `query`."""

    def __init__(self, blobs: Blobs | None) -> None:
        self._blobs = blobs

    @abstractmethod
    async def query(self, query: Query[T]) -> T:
        """Return the result of a read-only query. Raises `JournalUnavailable`."""

    async def read(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
        return await self._events(await self.query(lambda connection: queries.records(connection, run_id, after, limit)))

    async def events(
        self, run_id: str, wanted: EventFilter = ALL_EVENTS, *, limit: int, after: int = 0, before: int | None = None
    ) -> list[Event]:
        records = await self.query(lambda connection: queries.some_records(connection, run_id, wanted, limit, after, before))
        return await self._events(records, RAW_FIELDS if wanted.lean else NOTHING)

    async def row(self, run_id: str) -> RunRow | None:
        found = await self.query(lambda connection: queries.row(connection, run_id))
        return None if found is None else decode_row(found)

    async def live(self) -> list[RunRow]:
        return [decode_row(found) for found in await self.query(queries.live)]

    async def rows(
        self, wanted: RunFilter = ALL_RUNS, *, limit: int = 50, before: str | None = None, after: str | None = None
    ) -> list[RunRow]:
        found = await self.query(lambda connection: queries.rows(connection, wanted, limit, before, after))
        return [decode_row(record) for record in found]

    async def status_counts(self, wanted: RunFilter = ALL_RUNS) -> dict[RunStatus, int]:
        return await self.query(lambda connection: queries.status_counts(connection, wanted))

    async def oldest(self, wanted: RunFilter = ALL_RUNS, *, limit: int, after: str | None = None) -> list[RunRow]:
        return [decode_row(found) for found in await self.query(lambda connection: queries.oldest(connection, wanted, limit, after))]

    async def tail(self, after: int, *, workflow_id: str | None = None, limit: int = 1_000) -> list[Kept]:
        found = await self.query(lambda connection: queries.tail(connection, after, workflow_id, limit))
        events = await self._events([record for _, record in found])
        return [Kept(position, event) for (position, _), event in zip(found, events, strict=True)]

    async def position(self) -> int:
        return await self.query(queries.last_position)

    async def find(self, prefix: str) -> list[str]:
        return await self.query(lambda connection: queries.find(connection, prefix))

    async def pending_tasks(
        self,
        *,
        wanted: RunFilter = ALL_RUNS,
        run_id: str | None = None,
        task_id: str | None = None,
        limit: int | None = None,
        after: tuple[str, int] | None = None,
    ) -> list[TaskView]:
        found = await self.query(lambda connection: queries.task_records(connection, wanted, run_id, task_id, limit, after))
        events = await self._events([record for record, _ in found])
        return [task_view(event, slug) for event, (_, slug) in zip(events, found, strict=True)]

    async def run_of_task(self, task_id: str) -> str | None:
        return await self.query(lambda connection: queries.run_of_task(connection, task_id))

    async def _events(self, records: Sequence[str], without: frozenset[str] = NOTHING) -> list[Event]:
        """Decode the records; on a thread when payloads have to be read from the disk."""
        if any(map(is_cut, records)):
            return await asyncio.to_thread(lambda: [decode_event(hydrate(record, self._payload, without)) for record in records])
        return [decode_event(record) for record in records]

    def _payload(self, ref: str) -> bytes:
        if self._blobs is None:
            raise JournalUnavailable(f"the payload {ref!r} is outside of the journal", hint="open the journal with its payload store")
        return self._blobs.get(ref)


class PostgresView(PostgresReading):
    """`JournalReader` of a journal that another process may own. Nothing is made, and nothing that is kept changes."""

    def __init__(self, url: DatabaseUrl, *, blobs: Blobs | None) -> None:
        super().__init__(blobs)
        self._url = url
        self._readers: PostgresReaders | None = None

    async def open(self) -> bool:
        """Return whether there is a journal. Raises `JournalUnavailable`."""
        readers = PostgresReaders(self._url)
        await readers.open()
        self._readers = readers
        return await self.query(queries.is_made)

    async def close(self) -> None:
        """Idempotent."""
        readers, self._readers = self._readers, None
        if readers is not None:
            await readers.close()

    async def query(self, query: Query[T]) -> T:
        if self._readers is None:
            raise closed()
        return await self._readers.run(query)


class PostgresDocuments:
    """`Documents` of a database, for a process that only looks into it."""

    def __init__(self, journal: PostgresReading) -> None:
        self._journal = journal

    async def by_hash(self, document_hash: str) -> bytes | None:
        return await self._journal.query(lambda connection: queries.document(connection, document_hash))
