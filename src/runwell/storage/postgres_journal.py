"""The journal in PostgreSQL: one session that owns and writes, commits that many appends share, a pool that reads.

Appends are checked and encoded on the event loop's thread; `postgres_commit` carries them from there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Final, TypeVar

from runwell.model.errors import JournalUnavailable
from runwell.model.events import Event, decode_event
from runwell.model.run import RunRow, TaskView
from runwell.model.scope import Scope
from runwell.ports.journal import ALL_RUNS, Blobs, Kept, RunFilter
from runwell.ports.probe import Probe, no_probe
from runwell.storage import postgres_queries as queries
from runwell.storage.outcome import closed, failed
from runwell.storage.payloads import hydrate, is_cut
from runwell.storage.postgres_batch import Append
from runwell.storage.postgres_claims import Claims
from runwell.storage.postgres_commit import PostgresCommit
from runwell.storage.postgres_owner import PATIENCE_S, Owner
from runwell.storage.postgres_session import DRIVER_ERRORS, pool, unavailable
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.records import decode_row, encode_append
from runwell.storage.tasks import task_view

T = TypeVar("T")
Query = Callable[[Any], Awaitable[T]]

READERS: Final = 4
ACQUIRE_S: Final = 30.0
"""How long a query waits for a connection."""


class PostgresJournal:
    """`Journal` in a PostgreSQL database, which it owns while it is open.

    Large payloads go to `blobs`; without it they stay in the database. `patience_s` is how long `open` waits for
    the session of a process that has just died to end.
    """

    commit_type: ClassVar[type[PostgresCommit]] = PostgresCommit
    claims_type: ClassVar[type[Claims]] = Claims

    def __init__(self, url: DatabaseUrl, *, blobs: Blobs | None, probe: Probe = no_probe, patience_s: float = PATIENCE_S) -> None:
        self._url, self._blobs, self._probe, self._patience_s = url, blobs, probe, patience_s
        self._owner: Owner | None = None
        self._commit: PostgresCommit | None = None
        self._readers: Any = None
        self._closing: asyncio.Task[None] | None = None
        self._claims = self.claims_type()
        self._place = 0  # of the last append that was submitted, in the order of all

    async def open(self) -> None:
        if self._owner is not None:
            return
        owner = Owner(self._url, self._patience_s)
        await owner.open()
        try:
            await self._take_stock(owner)
        except DRIVER_ERRORS as exc:
            await owner.close()
            raise unavailable(self._url, exc) from exc
        except BaseException:
            await owner.close()
            raise
        owner.regained = self._claims.doubt
        self._commit = self.commit_type(owner, self._claims, self._blobs, self._probe)
        self._owner, self._closing = owner, None

    async def _take_stock(self, owner: Owner) -> None:
        last_rid, claims = await queries.live_claims(owner.connection)
        self._claims = self.claims_type(last_rid)
        for claim in claims:
            self._claims.add(claim)
        self._place = await queries.last_position(owner.connection)
        self._readers = await pool(self._url, READERS, default_transaction_read_only="on")

    async def close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        commit, owner, readers = self._commit, self._owner, self._readers
        self._commit = None
        if commit is None or owner is None:
            return
        owner.hurry()
        await commit.drain()
        self._owner = self._readers = None
        try:
            await readers.close()
        finally:
            await owner.close()

    # Appending, on the loop's thread

    def append(self, expected: int, events: Sequence[Event], row: RunRow) -> "asyncio.Future[int]":
        if self._commit is None or self._owner is None:
            return failed(closed())
        if (refusal := self._owner.refusal) is not None:
            return failed(refusal)
        claim = self._claims.claim(row.run_id, expected)
        encoded = encode_append(expected, events, row)
        self._claims.advance(claim, row.seq)
        self._place += 1
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._commit.add(Append(self._place, claim, expected, tuple(events), encoded, row, future))
        return future

    # Reading, on the pool's connections

    async def read(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
        return await self._events(await self._query(lambda connection: queries.records(connection, run_id, after, limit)))

    async def row(self, run_id: str) -> RunRow | None:
        found = await self._query(lambda connection: queries.row(connection, run_id))
        return None if found is None else decode_row(found)

    async def live(self) -> list[RunRow]:
        return [decode_row(found) for found in await self._query(queries.live)]

    async def rows(
        self, wanted: RunFilter = ALL_RUNS, *, limit: int = 50, before: str | None = None, after: str | None = None
    ) -> list[RunRow]:
        found = await self._query(lambda connection: queries.rows(connection, wanted, limit, before, after))
        return [decode_row(record) for record in found]

    async def tail(self, after: int, *, workflow_id: str | None = None, limit: int = 1_000) -> list[Kept]:
        found = await self._query(lambda connection: queries.tail(connection, after, workflow_id, limit))
        events = await self._events([record for _, record in found])
        return [Kept(position, event) for (position, _), event in zip(found, events, strict=True)]

    async def position(self) -> int:
        return await self._query(queries.last_position)

    async def find(self, prefix: str) -> list[str]:
        return await self._query(lambda connection: queries.find(connection, prefix))

    async def pending_tasks(
        self,
        *,
        scope: Scope | None = None,
        run_id: str | None = None,
        task_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> list[TaskView]:
        found = await self._query(lambda connection: queries.task_records(connection, scope, run_id, task_id, limit, after))
        events = await self._events([record for record, _ in found])
        return [task_view(event, slug) for event, (_, slug) in zip(events, found, strict=True)]

    async def _events(self, records: Sequence[str]) -> list[Event]:
        """Decode the records; on a thread when payloads have to be read from the disk."""
        if any(map(is_cut, records)):
            return await asyncio.to_thread(lambda: [decode_event(hydrate(record, self._payload)) for record in records])
        return [decode_event(record) for record in records]

    def _payload(self, ref: str) -> bytes:
        if self._blobs is None:
            raise JournalUnavailable(f"the payload {ref!r} is outside of the journal", hint="open the journal with its payload store")
        return self._blobs.get(ref)

    async def _query(self, query: Query[T]) -> T:
        if self._readers is None or self._owner is None:
            raise closed()
        if self._owner.is_over and (refusal := self._owner.refusal) is not None:
            raise refusal
        try:
            async with self._readers.acquire(timeout=ACQUIRE_S) as connection:
                return await query(connection)
        except DRIVER_ERRORS as exc:
            raise unavailable(self._url, exc) from exc
