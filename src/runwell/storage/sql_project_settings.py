"""Parts of projects' settings in SQL, each under a key of its own."""

from collections.abc import Callable, Container
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Connection, Row, select, update

from runwell.model.errors import NotFound, Outdated
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.ports.clock import Clock
from runwell.ports.project_settings import SettingsRecord
from runwell.storage.sql import Sql
from runwell.storage.sql_identity_projects import lay_foundation, within
from runwell.storage.tables import project

T = TypeVar("T", bound=msgspec.Struct)


class SqlProjectSettings(Generic[T]):
    """`ProjectSettings` on SQLite and PostgreSQL. `changed` is told the project and what holds in it, once that is durable."""

    def __init__(
        self, sql: Sql, clock: Clock, key: str, kind: type[T], changed: Callable[[Scope, T], None] = lambda scope, value: None
    ) -> None:
        self._sql, self._clock, self._key, self._kind, self._changed = sql, clock, key, kind, changed

    async def get(self, scope: Scope) -> SettingsRecord[T]:
        if scope == DEFAULT_SCOPE:
            await self._sql.write(lambda connection: lay_foundation(connection, self._clock.now()))
        found = await self._sql.read(lambda connection: _project(connection, scope))
        return SettingsRecord(_value(found.settings, self._key, self._kind), found.revision)

    async def put(self, scope: Scope, value: T, revisions: Container[int]) -> SettingsRecord[T]:
        await self.get(scope)
        revision = await self._sql.write(lambda connection: self._put(connection, scope, value, revisions))
        self._changed(scope, value)
        return SettingsRecord(value, revision)

    def _put(self, connection: Connection, scope: Scope, value: T, revisions: Container[int]) -> int:
        found = _project(connection, scope, locked=True)
        if found.revision not in revisions:
            raise Outdated("the settings were changed meanwhile", hint="GET them again, and send their ETag as If-Match")
        settings = {**found.settings, self._key: msgspec.to_builtins(value)}
        changed = update(project).where(within(scope)).values(settings=settings, revision=found.revision + 1)
        connection.execute(changed)
        return int(found.revision) + 1


async def all_settings(sql: Sql, key: str, kind: type[T]) -> dict[Scope, T]:
    """Return what every project has under the key that has something."""
    wanted = select(project.c.org_id, project.c.project_id, project.c.settings)
    rows = await sql.read(lambda connection: connection.execute(wanted).all())
    return {Scope(row.org_id, row.project_id): _value(row.settings, key, kind) for row in rows if key in row.settings}


def _project(connection: Connection, scope: Scope, *, locked: bool = False) -> Row[Any, Any]:
    wanted = select(project.c.settings, project.c.revision).where(within(scope))
    found = connection.execute(wanted.with_for_update() if locked else wanted).one_or_none()
    if found is None:
        raise NotFound("there is no such project")
    return found


def _value(settings: dict[str, Any], key: str, kind: type[T]) -> T:
    return msgspec.convert(settings.get(key, {}), kind)
