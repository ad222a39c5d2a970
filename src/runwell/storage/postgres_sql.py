"""The relational seam on PostgreSQL: SQLAlchemy's asyncio engine over asyncpg."""

import asyncio
import random
from typing import Final, TypeVar

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from runwell.model.errors import InvalidInput, RunwellError
from runwell.storage.postgres_session import DRIVER_ERRORS, connect, unavailable
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.sql import Work, migrate

T = TypeVar("T")

CONNECTIONS: Final = 5
TRIES: Final = 5
"""How often a write is tried that PostgreSQL gave up for the sake of another."""

_GIVEN_UP: Final = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_NO_TEXT: Final = frozenset({"22021", "22P05"})  # NUL, for one
_MIGRATION_LOCK: Final = 0x52756E78  # "Runx"
_LOCK: Final = text(
    "SELECT pg_advisory_xact_lock(CAST(:lock AS bigint) << 32 | oid::bigint) FROM pg_namespace WHERE nspname = current_schema()"
)


class PostgresSql:
    """`Sql` in a database of its own or a journal's; the tables are made or brought up to date at the first use.

    Writes run side by side, each statement on what was committed before it (READ COMMITTED): work that decides by what
    it read locks it (`with_for_update`). A read sees one moment. Work that is given up for another's sake is done again.
    """

    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url
        self._engine: AsyncEngine | None = None
        self._migrating: asyncio.Task[None] | None = None

    async def read(self, work: Work[T]) -> T:
        await self._migrated()
        return await self._do(work, writes=False)

    async def write(self, work: Work[T]) -> T:
        await self._migrated()
        for number in range(1, TRIES):
            try:
                return await self._do(work, writes=True)
            except DBAPIError:
                await asyncio.sleep(random.uniform(0, 0.01 * 2**number))
        return await self._do(work, writes=True, last=True)

    async def close(self) -> None:
        """Close the connections. The next use opens new ones."""
        engine, self._engine, self._migrating = self._engine, None, None
        if engine is not None:
            await engine.dispose()

    async def _migrated(self) -> None:
        task = self._migrating
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._migrating = asyncio.ensure_future(self._do(_migrate, writes=True, last=True))
        if not task.done():
            await asyncio.shield(task)

    async def _do(self, work: Work[T], *, writes: bool, last: bool = False) -> T:
        """Do the work in a transaction. Raises `DBAPIError` when it was given up and may be tried again."""
        try:
            async with self._opened().connect() as connection:
                if not writes:
                    await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                async with connection.begin():
                    return await connection.run_sync(work)
        except DBAPIError as exc:
            if getattr(exc.orig, "sqlstate", None) in _GIVEN_UP and writes and not last:
                raise
            raise self._translated(exc) from exc
        except (*DRIVER_ERRORS, PoolTimeout) as exc:
            raise unavailable(self._url, exc) from exc

    def _translated(self, exc: DBAPIError) -> RunwellError:
        if getattr(exc.orig, "sqlstate", None) in _NO_TEXT:
            return InvalidInput("a text cannot be stored", hint="PostgreSQL's text holds no NUL character")
        return unavailable(self._url, exc.orig or exc)

    def _opened(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = create_async_engine(
                "postgresql+asyncpg://", async_creator=self._connect, pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=True
            )
        return self._engine

    async def _connect(self) -> asyncpg.Connection:
        return await connect(self._url)


def _migrate(connection: Connection) -> None:
    """Migrate, one process after the other."""
    connection.execute(_LOCK, {"lock": _MIGRATION_LOCK})
    migrate(connection)
