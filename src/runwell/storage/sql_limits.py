"""The limits of projects in SQL: a part of each project's settings."""

from collections.abc import Callable, Container
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, and_, select, update

from runwell.model.errors import NotFound, Outdated
from runwell.model.limits import Limits
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.ports.clock import Clock
from runwell.ports.limits import LimitsRecord
from runwell.storage.sql import Sql
from runwell.storage.sql_identity_projects import lay_foundation
from runwell.storage.tables import project

_KEY: Final = "limits"


class SqlLimitSettings:
    """`LimitSettings` on SQLite and PostgreSQL. `changed` is told the project and its limits once they are durable."""

    def __init__(self, sql: Sql, clock: Clock, changed: Callable[[str, Limits], None]) -> None:
        self._sql, self._clock, self._changed = sql, clock, changed

    async def get(self, scope: Scope) -> LimitsRecord:
        if scope == DEFAULT_SCOPE:
            await self._sql.write(lambda connection: lay_foundation(connection, self._clock.now()))
        found = await self._sql.read(lambda connection: _project(connection, scope))
        return LimitsRecord(_limits(found.settings), found.revision)

    async def put(self, scope: Scope, limits: Limits, revisions: Container[int]) -> LimitsRecord:
        await self.get(scope)
        kept = await self._sql.write(lambda connection: put_limits(connection, scope, limits, revisions))
        self._changed(scope.project_id, limits)
        return kept


async def all_limits(sql: Sql) -> dict[str, Limits]:
    """Return the limits of every project that has some."""
    rows = await sql.read(lambda connection: connection.execute(select(project.c.project_id, project.c.settings)).all())
    return {row.project_id: _limits(row.settings) for row in rows if _KEY in row.settings}


def put_limits(connection: Connection, scope: Scope, limits: Limits, revisions: Container[int]) -> LimitsRecord:
    found = _project(connection, scope, locked=True)
    if found.revision not in revisions:
        raise Outdated("the settings were changed meanwhile", hint="GET them again, and send their ETag as If-Match")
    settings = {**found.settings, _KEY: msgspec.to_builtins(limits)}
    revision = found.revision + 1
    connection.execute(update(project).where(project.c.project_id == scope.project_id).values(settings=settings, revision=revision))
    return LimitsRecord(limits, revision)


def _project(connection: Connection, scope: Scope, *, locked: bool = False) -> Row[Any, Any]:
    wanted = select(project.c.settings, project.c.revision).where(
        and_(project.c.org_id == scope.org_id, project.c.project_id == scope.project_id)
    )
    found = connection.execute(wanted.with_for_update() if locked else wanted).one_or_none()
    if found is None:
        raise NotFound("there is no such project")
    return found


def _limits(settings: dict[str, Any]) -> Limits:
    return msgspec.convert(settings.get(_KEY, {}), Limits)
