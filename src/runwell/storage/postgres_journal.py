"""The journal in PostgreSQL: one session that owns and writes, commits that many appends share, a pool that reads.

Appends are checked and encoded on the event loop's thread; `postgres_commit` carries them from there.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import ClassVar, TypeVar

from runwell.model.events import Event
from runwell.model.removals import Removals
from runwell.model.run import RunRow
from runwell.ports.journal import Blobs, Cached
from runwell.ports.probe import Probe, no_probe
from runwell.storage import postgres_queries as queries
from runwell.storage.deleted import Deleted, ids_of, pieces
from runwell.storage.outcome import closed, failed
from runwell.storage.postgres_batch import Append
from runwell.storage.postgres_claims import Claims
from runwell.storage.postgres_commit import PostgresCommit
from runwell.storage.postgres_deletion import EVENTS, Deletion
from runwell.storage.postgres_owner import PATIENCE_S, Owner
from runwell.storage.postgres_reading import PostgresReaders, PostgresReading, Query
from runwell.storage.postgres_session import DRIVER_ERRORS, unavailable
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.records import decode_row, encode_append

T = TypeVar("T")


class PostgresJournal(PostgresReading):
    """`Journal` in a PostgreSQL database, which it owns while it is open.

    Large payloads go to `blobs`; without it they stay in the database. `patience_s` is how long `open` waits for
    the session of a process that has just died to end.
    """

    commit_type: ClassVar[type[PostgresCommit]] = PostgresCommit
    claims_type: ClassVar[type[Claims]] = Claims

    def __init__(self, url: DatabaseUrl, *, blobs: Blobs | None, probe: Probe = no_probe, patience_s: float = PATIENCE_S) -> None:
        super().__init__(blobs)
        self._url, self._probe, self._patience_s = url, probe, patience_s
        self._owner: Owner | None = None
        self._commit: PostgresCommit | None = None
        self._readers: PostgresReaders | None = None
        self._closing: asyncio.Task[None] | None = None
        self._claims = self.claims_type()
        self._place = 0  # of the last append that was submitted, in the order of all
        self._deleted = Deleted()

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
        self._deleted.load(await queries.removals(owner.connection))
        readers = PostgresReaders(self._url)
        await readers.open()
        self._readers = readers

    async def close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        commit, owner, readers = self._commit, self._owner, self._readers
        self._commit = None
        if commit is None or owner is None or readers is None:
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
        self._deleted.check(row, expected)
        claim = self._claims.claim(row.run_id, expected)
        encoded = encode_append(expected, events, row)
        self._claims.advance(claim, row.seq)
        self._place += 1
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._commit.add(Append(self._place, claim, expected, tuple(events), encoded, row, future))
        return future

    # What can be had again

    async def cached(self, key: str) -> Cached | None:
        found = await self.query(lambda connection: queries.cached(connection, bytes.fromhex(key)))
        return None if found is None else Cached(decode_row(found[0]), (await self._events([found[1]]))[0])

    async def cached_step(self, key: str) -> Event | None:
        found = await self.query(lambda connection: queries.cached_step(connection, bytes.fromhex(key)))
        return None if found is None else (await self._events([found]))[0]

    # Deleting

    async def delete_runs(self, workflow_id: str) -> int:
        commit, deletion = self._deleting()
        async with self._deleted.taking(workflow_id) as close:
            await commit.settled()
            await deletion.begin(workflow_id)
            close()
            await commit.settled()
            return await deletion.delete(workflow_id)

    async def delete_ended(self, run_ids: Collection[str]) -> int:
        commit, deletion = self._deleting()
        ended = await deletion.ended(run_ids)
        with self._deleted.ended(ended):
            await commit.settled()
            count = 0
            for piece in pieces(ended, EVENTS):
                count += await deletion.delete_ended(piece)
                if self._deleted.add_runs(piece):
                    await deletion.name_no_runs()
                    self._deleted.name_none()
            if count:
                await deletion.sweep()
        return count

    def removals(self) -> Removals:
        return self._deleted.removals

    async def removed(self, removals: Removals) -> None:
        _, deletion = self._deleting()
        await deletion.forget_removals(ids_of(removals))
        self._deleted.forget(removals)

    def _deleting(self) -> tuple[PostgresCommit, Deletion]:
        commit, owner = self._commit, self._owner
        if commit is None or owner is None:
            raise closed()
        if (refusal := owner.refusal) is not None:
            raise refusal
        return commit, Deletion(self._url, owner.epoch)

    # Reading, on the pool's connections

    async def query(self, query: Query[T]) -> T:
        if self._readers is None or self._owner is None:
            raise closed()
        if self._owner.is_over and (refusal := self._owner.refusal) is not None:
            raise refusal
        return await self._readers.run(query)
