"""Appends of many runs share a transaction in PostgreSQL: what is submitted while one is in flight makes the next.

A failed commit fails its whole batch and everything submitted meanwhile, for that stands on events that
do not exist. When the connection is lost during a commit, its outcome is asked for before it is told (`Owner.has`).
"""

import asyncio
from typing import ClassVar, Final

import asyncpg

from runwell.model.errors import JournalUnavailable
from runwell.ports.journal import Blobs
from runwell.ports.probe import Probe
from runwell.storage.postgres_batch import Append, PostgresBatch
from runwell.storage.postgres_claims import Claims
from runwell.storage.postgres_owner import Owner

_SPOILT: Final = (TimeoutError, asyncpg.InternalClientError, JournalUnavailable)
"""After these the connection is not used again: it may still be at it, does not know its own state, or is not the owner's."""


class PostgresCommit:
    """All methods belong to the event loop's thread."""

    batch_type: ClassVar[type[PostgresBatch]] = PostgresBatch

    def __init__(self, owner: Owner, claims: Claims, blobs: Blobs | None, probe: Probe) -> None:
        self._owner, self._claims, self._blobs, self._probe = owner, claims, blobs, probe
        self._pending = self.batch_type()
        self._writing: asyncio.Task[None] | None = None
        self._done = 0  # commits with an outcome
        self._outcome = asyncio.Condition()

    def add(self, append: Append) -> None:
        """Add an append, which is durable when its future is done."""
        self._pending.add(append)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._run(), name="runwell-journal-writer")

    async def drain(self) -> None:
        """Wait until everything that was added has its outcome; nothing may be added meanwhile."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def settled(self) -> None:
        """Wait until everything that was added before has its outcome, whatever is added meanwhile."""
        if self._writing is None:
            return
        goal = self._done + 1 + (len(self._pending) > 0)
        async with self._outcome:
            await self._outcome.wait_for(lambda: self._done >= goal or self._writing is None)

    def _swapped(self) -> PostgresBatch:
        batch, self._pending = self._pending, self.batch_type()
        return batch

    async def _run(self) -> None:
        try:
            while len(self._pending):
                await self._commit(self._swapped())
                await self._tell()
        finally:
            self._writing = None
            await self._tell()

    async def _tell(self) -> None:
        self._done += 1
        async with self._outcome:
            self._outcome.notify_all()

    async def _commit(self, batch: PostgresBatch) -> None:
        self._probe("journal.before_handover")
        try:
            await self._write(batch)
        except BaseException as exc:
            self._fail(batch, exc)
            if not isinstance(exc, Exception):
                raise
        else:
            batch.succeed(self._claims)
        self._probe("journal.after_resolve")

    def _fail(self, batch: PostgresBatch, cause: BaseException) -> None:
        batch.fail(self._claims, cause)
        self._swapped().fail(self._claims, cause)

    async def _write(self, batch: PostgresBatch) -> None:
        connection = self._owner.connection
        try:
            await batch.check(connection, self._claims)
            if len(batch):
                await batch.write(connection, self._owner.epoch, self._blobs, self._probe)
        except Exception as exc:
            if isinstance(exc, _SPOILT) or (not connection.is_closed() and connection.is_in_transaction()):
                connection.terminate()
            in_doubt = batch.committing and connection.is_closed()
            if not (in_doubt and await self._owner.has(batch.last_place, connection)):
                raise
