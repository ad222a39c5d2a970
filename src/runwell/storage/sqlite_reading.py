"""What a SQLite journal says, whoever has it open: its owner, or somebody who only looks."""

import sqlite3
from abc import ABC, abstractmethod
from typing import TypeVar

from runwell.model.errors import JournalUnavailable
from runwell.model.events import Event, decode_event
from runwell.model.generation import RAW_FIELDS
from runwell.model.run import RunRow, TaskView
from runwell.model.statuses import RunStatus
from runwell.ports.journal import ALL_EVENTS, ALL_RUNS, Blobs, EventFilter, Kept, RunFilter
from runwell.storage import sqlite_queries as queries
from runwell.storage.payloads import NOTHING, hydrate
from runwell.storage.reader import Query
from runwell.storage.tasks import task_view

T = TypeVar("T")


class SqliteReading(ABC):
    """`JournalReader` by `query`."""

    def __init__(self, blobs: Blobs | None) -> None:
        self._blobs = blobs

    @abstractmethod
    async def query(self, query: Query[T]) -> T:
        """Return the result of a read-only query. Raises `JournalUnavailable`."""

    async def read(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
        return await self.query(lambda connection: [self._event(record) for record in queries.records(connection, run_id, after, limit)])

    async def events(
        self, run_id: str, wanted: EventFilter = ALL_EVENTS, *, limit: int, after: int = 0, before: int | None = None
    ) -> list[Event]:
        def read(connection: sqlite3.Connection) -> list[Event]:
            records = queries.some_records(connection, run_id, wanted, limit, after, before)
            return [self._event(record, RAW_FIELDS if wanted.lean else NOTHING) for record in records]

        return await self.query(read)

    async def row(self, run_id: str) -> RunRow | None:
        return await self.query(lambda connection: queries.row(connection, run_id))

    async def live(self) -> list[RunRow]:
        return await self.query(queries.live)

    async def rows(
        self, wanted: RunFilter = ALL_RUNS, *, limit: int = 50, before: str | None = None, after: str | None = None
    ) -> list[RunRow]:
        return await self.query(lambda connection: queries.rows(connection, wanted, limit, before, after))

    async def status_counts(self, wanted: RunFilter = ALL_RUNS) -> dict[RunStatus, int]:
        return await self.query(lambda connection: queries.status_counts(connection, wanted))

    async def oldest(self, wanted: RunFilter = ALL_RUNS, *, limit: int, after: str | None = None) -> list[RunRow]:
        return await self.query(lambda connection: queries.oldest(connection, wanted, limit, after))

    async def tail(self, after: int, *, workflow_id: str | None = None, limit: int = 1_000) -> list[Kept]:
        return await self.query(
            lambda connection: [
                Kept(position, self._event(record)) for position, record in queries.tail(connection, after, workflow_id, limit)
            ]
        )

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
        def read(connection: sqlite3.Connection) -> list[TaskView]:
            records = queries.task_records(connection, wanted, run_id, task_id, limit, after)
            return [task_view(self._event(record), slug) for record, slug in records]

        return await self.query(read)

    async def run_of_task(self, task_id: str) -> str | None:
        return await self.query(lambda connection: queries.run_of_task(connection, task_id))

    def _event(self, record: str, without: frozenset[str] = NOTHING) -> Event:
        return decode_event(hydrate(record, self._payload, without))

    def _payload(self, ref: str) -> bytes:
        if self._blobs is None:
            raise JournalUnavailable(f"the payload {ref!r} is outside of the journal", hint="open the journal with its payload store")
        return self._blobs.get(ref)
