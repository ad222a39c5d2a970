"""The journal on SQLite: one file, one writer thread, commits that many appends share.

Appends are checked and encoded on the event loop's thread; `group_commit` carries them from there.
"""

import asyncio
import sqlite3
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeVar

from runwell.model.events import Event, TaskCreated
from runwell.model.removals import Removals
from runwell.model.run import RunRow
from runwell.model.statuses import TERMINAL
from runwell.ports.journal import Blobs, Cached
from runwell.ports.probe import Probe, no_probe
from runwell.storage import sqlite_deletion as deletion
from runwell.storage import sqlite_queries as queries
from runwell.storage.database import Synchronous
from runwell.storage.deleted import Deleted, ids_of, pieces
from runwell.storage.group_commit import GroupCommit
from runwell.storage.outcome import closed, failed
from runwell.storage.positions import Position, Positions
from runwell.storage.reader import Query
from runwell.storage.records import decode_row, encode_append
from runwell.storage.sqlite_reading import SqliteReading
from runwell.storage.sqlite_store import SqliteStore, open_store
from runwell.storage.tasks import task_changes
from runwell.storage.writer import CHECKPOINT_BYTES, Work

T = TypeVar("T")


class SqliteJournal(SqliteReading):
    """`Journal` in a data directory, which it owns while it is open.

    Large payloads go to `blobs`; without it they stay in the database. `checkpoint_bytes` is how much
    is logged before the log is copied into the database.
    """

    group_type: ClassVar[type[GroupCommit]] = GroupCommit

    def __init__(
        self,
        data_dir: Path,
        *,
        blobs: Blobs | None,
        synchronous: Synchronous = "FULL",
        probe: Probe = no_probe,
        checkpoint_bytes: int = CHECKPOINT_BYTES,
    ) -> None:
        self._open_store = partial(open_store, data_dir, synchronous, probe, checkpoint_bytes)
        super().__init__(blobs)
        self._probe = probe
        self._store: SqliteStore | None = None
        self._group: GroupCommit | None = None
        self._closing: asyncio.Task[None] | None = None
        self._positions = Positions(self._look_up, 0)
        self._deleted = Deleted()

    async def open(self) -> None:
        if self._store is not None:
            return
        store = await self._open_store()
        try:
            last_rid, positions = await store.readers.run(queries.live_positions)
            last = await store.readers.run(queries.last_position)
            self._deleted.load(await store.readers.run(deletion.removals))
        except BaseException:
            await store.close()
            raise
        self._positions = Positions(self._look_up, last_rid)
        for position in positions:
            self._positions.add(position)
        self._group = self.group_type(store.writer, self._positions, self._blobs, self._probe, last)
        self._store, self._closing = store, None

    async def close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        group, store = self._group, self._store
        self._group = None
        if group is None or store is None:
            return
        await group.drain()
        self._store = None
        await store.close()

    # Appending, on the loop's thread

    def append(self, expected: int, events: Sequence[Event], row: RunRow) -> "asyncio.Future[int]":
        if self._group is None:
            return failed(closed())
        self._deleted.check(row, expected)
        try:
            position = self._positions.claim(row.run_id, expected)
        except sqlite3.Error as exc:
            return failed(exc)
        encoded = encode_append(expected, events, row)
        self._positions.advance(position, row.seq)
        return self._group.add(position, encoded, row, _task_changes(position, events, row))

    def _look_up(self, short: str) -> Position | None:
        return queries.position(self._opened().lookup, short)

    # What can be had again

    async def cached(self, key: str) -> Cached | None:
        def read(connection: sqlite3.Connection) -> Cached | None:
            found = queries.cached(connection, bytes.fromhex(key))
            return None if found is None else Cached(decode_row(found[0]), self._event(found[1]))

        return await self.query(read)

    async def cached_step(self, key: str) -> Event | None:
        def read(connection: sqlite3.Connection) -> Event | None:
            found = queries.cached_step(connection, bytes.fromhex(key))
            return None if found is None else self._event(found)

        return await self.query(read)

    # Deleting

    async def delete_runs(self, workflow_id: str) -> int:
        group = self._group
        if group is None:
            raise closed()
        async with self._deleted.taking(workflow_id) as close:
            await group.settled()
            await self.transact(lambda connection: deletion.begin(connection, workflow_id))
            close()
            await group.settled()
            count = 0
            while deleted := await self.transact(lambda connection: deletion.delete_some(connection, workflow_id)):
                count += deleted
            await self._clear_away(True)
        return count

    async def delete_ended(self, run_ids: Collection[str]) -> int:
        group = self._group
        if group is None:
            raise closed()
        ended = await self.query(lambda connection: deletion.ended(connection, run_ids))
        count = 0
        with self._deleted.ended(ended):
            await group.settled()
            for piece in pieces(ended, deletion.EVENTS):
                count += await self.transact(partial(deletion.delete_ended, run_ids=piece))
                if self._deleted.add_runs(piece):
                    await self.transact(deletion.name_no_runs)
                    self._deleted.name_none()
        await self._clear_away(count > 0)
        return count

    def removals(self) -> Removals:
        return self._deleted.removals

    async def removed(self, removals: Removals) -> None:
        await self.transact(partial(deletion.forget_removals, ids=ids_of(removals)))
        self._deleted.forget(removals)

    async def _clear_away(self, thorough: bool) -> None:
        """Let go of payloads of runs that are gone; `thorough`: of their entries in the order of commits and of the log, too."""
        place: int | None = 0
        while thorough and place is not None:
            place = await self.transact(partial(deletion.sweep, after=place))
        if self._blobs is not None:
            await self.transact(partial(deletion.remove_payloads, blobs=self._blobs))
        if thorough:
            await self._opened().writer.empty_log()

    # For others who keep things in the same file

    async def query(self, query: Query[T]) -> T:
        return await self._opened().readers.run(query)

    async def transact(self, work: Work[T]) -> T:
        """Do `work` in a transaction of its own on the writer's thread. Raises what it raises, `JournalUnavailable` for SQLite's."""
        return await self._opened().writer.run(work)

    def _opened(self) -> SqliteStore:
        if self._store is None:
            raise closed()
        return self._store


def _task_changes(position: Position, events: Sequence[Event], row: RunRow) -> dict[str, Event | None]:
    if position.tasks is None and not any(isinstance(event.data, TaskCreated) for event in events):
        return {}
    tasks = position.tasks or {}
    changes = task_changes(tasks, events, row.status in TERMINAL)
    position.tasks = tasks or None
    return changes
