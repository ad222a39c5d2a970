"""A mark of what a project's stored connections and secrets are, to be had without asking the database each time.

Only this process changes them: it owns the tables as it owns the journal.
"""

import asyncio
from typing import TypeVar

from sqlalchemy import Connection, select

from runwell.model.canonical import content_hash
from runwell.model.scope import Scope
from runwell.storage.sql import Sql, Work
from runwell.storage.sql_secrets import mine
from runwell.storage.tables import connection as connections
from runwell.storage.tables import secret as secrets

T = TypeVar("T")


class VaultMarks:
    """An `Sql` for the stores of connections and secrets: after each of their writes, marks are made anew.

    `environment` is what the process's environment adds to every mark.
    """

    def __init__(self, sql: Sql, environment: str = "") -> None:
        self._sql, self._environment = sql, environment
        self._marks: dict[Scope, asyncio.Future[str]] = {}

    async def of(self, scope: Scope) -> str:
        """Return the scope's mark: another one after anything was added, changed or deleted. Many who ask at once make one read."""
        mark = self._marks.get(scope)
        if mark is None or (mark.done() and (mark.cancelled() or mark.exception() is not None)):
            mark = self._marks[scope] = asyncio.ensure_future(self._made(scope))
        return await asyncio.shield(mark)

    async def _made(self, scope: Scope) -> str:
        return content_hash([self._environment, await self._sql.read(lambda connection: _revisions(connection, scope))])

    async def read(self, work: Work[T]) -> T:
        return await self._sql.read(work)

    async def write(self, work: Work[T]) -> T:
        try:
            return await self._sql.write(work)
        finally:
            self._marks.clear()  # also those that are being read: they may have begun before

    async def close(self) -> None:
        await self._sql.close()


def _revisions(connection: Connection, scope: Scope) -> list[tuple[str, int]]:
    """Return every connection's and secret's id and revision. A new one has a new id, whatever its name."""
    found = []
    for table, key in ((connections, connections.c.connection_id), (secrets, secrets.c.secret_id)):
        found += [(row[0], row[1]) for row in connection.execute(select(key, table.c.revision).where(mine(table, scope)).order_by(key))]
    return found
