"""Holds, in SQL."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, select

from runwell.model.retention import Hold
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.clock import Clock
from runwell.storage.sql import Sql
from runwell.storage.tables import hold as table

PIECE: Final = 500
"""So many ids go into one statement."""

T = TypeVar("T")


class SqlHolds:
    """`Holds` on SQLite and PostgreSQL. Their guard is this process's: one process owns the journal."""

    def __init__(self, sql: Sql, clock: Clock) -> None:
        self._sql, self._clock = sql, clock
        self.guard = asyncio.Lock()

    async def put(self, scope: Scope, workflow_id: str, run_id: str | None, *, reason: str, by: str) -> Hold:
        subject, now = run_id or workflow_id, self._clock.now()
        values = {"workflow_id": workflow_id, "reason": reason, "held_by": by, "held_at": now}

        def work(connection: Connection) -> None:
            connection.execute(delete(table).where(_mine(scope), table.c.subject == subject))
            connection.execute(table.insert().values(org_id=scope.org_id, project_id=scope.project_id, subject=subject, **values))

        await self._sql.write(work)
        return Hold(run_id=run_id, workflow_id=workflow_id, reason=reason, by=by, at=rfc3339(now))

    async def remove(self, scope: Scope, subject: str) -> None:
        gone = delete(table).where(_mine(scope), table.c.subject == subject)
        await self._sql.write(lambda connection: connection.execute(gone).rowcount)

    async def page(self, scope: Scope, limit: int, after: str | None = None) -> list[Hold]:
        wanted = select(table).where(_mine(scope)).order_by(table.c.subject).limit(limit)
        if after is not None:
            wanted = wanted.where(table.c.subject > after)
        return [_hold(row) for row in await self._sql.read(lambda connection: connection.execute(wanted).all())]

    async def held(self, scope: Scope, workflow_ids: Collection[str]) -> list[Hold]:
        def work(connection: Connection) -> list[Hold]:
            found = []
            for some in _pieces(list(workflow_ids)):
                wanted = select(table).where(_mine(scope), table.c.workflow_id.in_(some)).order_by(table.c.subject)
                found += [_hold(row) for row in connection.execute(wanted)]
            return found

        return await self._sql.read(work)


def _mine(scope: Scope) -> ColumnElement[bool]:
    return and_(table.c.org_id == scope.org_id, table.c.project_id == scope.project_id)


def _hold(row: Row[Any]) -> Hold:
    run_id = row.subject if row.subject != row.workflow_id else None
    return Hold(run_id=run_id, workflow_id=row.workflow_id, reason=row.reason, by=row.held_by, at=rfc3339(row.held_at))


def _pieces(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), PIECE):
        yield values[start : start + PIECE]
