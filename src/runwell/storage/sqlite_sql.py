"""The relational seam on the journal's SQLite file: its writer's transactions, its readers' connections."""

import asyncio
import sqlite3
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from runwell.model.errors import JournalUnavailable
from runwell.storage.sql import Work, migrate
from runwell.storage.sqlite_journal import SqliteJournal

T = TypeVar("T")


class SqliteSql:
    """`Sql` beside an open journal; the tables are made or brought up to date at the first use."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        self._faces: dict[int, tuple[sqlite3.Connection, Connection]] = {}
        self._migrating: asyncio.Task[None] | None = None

    async def read(self, work: Work[T]) -> T:
        await self._migrated()
        return await self._journal.query(lambda raw: self._do(raw, work))

    async def write(self, work: Work[T]) -> T:
        await self._migrated()
        return await self._journal.transact(lambda raw: self._do(raw, work))

    async def close(self) -> None:
        """Its connections are the journal's."""

    async def _migrated(self) -> None:
        task = self._migrating
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._migrating = asyncio.ensure_future(self._journal.transact(lambda raw: self._do(raw, migrate)))
        if not task.done():
            await asyncio.shield(task)

    def _do(self, raw: sqlite3.Connection, work: Work[T]) -> T:
        try:
            return work(self._face(raw))
        except DBAPIError as exc:
            if isinstance(exc.orig, sqlite3.Error):
                raise JournalUnavailable(f"the database did not answer: {exc.orig}", hint="see `runwell doctor`") from exc
            raise

    def _face(self, raw: sqlite3.Connection) -> Connection:
        """Return SQLAlchemy's view of a connection, made once."""
        known = self._faces.get(id(raw))
        if known is None or known[0] is not raw:
            engine = create_engine("sqlite://", creator=lambda: _Lent(raw), poolclass=StaticPool)
            known = self._faces[id(raw)] = (raw, engine.connect())
        return known[1]


class _Lent:
    """A connection whose transactions are its owner's to begin and end."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...
