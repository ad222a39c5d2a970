"""Stored secrets in SQL, sealed."""

import time
from collections.abc import Container
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update

from runwell.model.errors import InvalidInput, NotFound, Outdated, Problem, Refused
from runwell.model.ids import new_id
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.model.vault import StoredSecret
from runwell.ports.secrets import Secret
from runwell.ports.vault import Names
from runwell.storage.sealing import Place, Sealer
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.tables import secret

MOST: Final = 1_000
"""As many secrets, and as many connections, a project has at most."""


class SqlSecrets:
    """`SecretStore` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql, sealer: Sealer) -> None:
        self._sql = sql
        self._sealer = sealer

    async def page(self, scope: Scope, names: Names) -> list[StoredSecret]:
        return await self._sql.read(lambda connection: [_shown(row) for row in rows_of(connection, secret, scope, names)])

    async def get(self, scope: Scope, secret_id: str) -> StoredSecret:
        return await self._sql.read(lambda connection: _shown(_row(connection, scope, secret_id)))

    async def create(self, scope: Scope, actor: str, name: str, value: str, origins: tuple[str, ...]) -> StoredSecret:
        def work(connection: Connection) -> StoredSecret:
            secret_id = new_id("sec")
            refuse_more(connection, secret, scope)
            place = Place("secret", scope.org_id, scope.project_id, secret_id, origins)
            sealed = self._sealer.seal(place, value.encode())
            values = {"secret_id": secret_id, "name": name, "origins": list(origins), "sealed": sealed, **fresh(scope, actor)}
            if not insert_ignoring(connection, secret, **values):
                raise Refused(f"there is a secret {name!r} already", hint="change that one, or choose another name")
            return _shown(_row(connection, scope, secret_id))

        return await self._sql.write(work)

    async def change(
        self, scope: Scope, secret_id: str, revisions: Container[int], value: str | None, origins: tuple[str, ...] | None
    ) -> StoredSecret:
        def work(connection: Connection) -> StoredSecret:
            row = _row(connection, scope, secret_id, lock=True)
            refuse_outdated(row, revisions)
            wanted = tuple(row.origins) if origins is None else origins
            if value is None and wanted != tuple(row.origins):
                raise value_needed("/value")
            content = self._sealer.open(_place(row), row.sealed) if value is None else value.encode()
            place = Place("secret", scope.org_id, scope.project_id, secret_id, wanted)
            values = {"origins": list(wanted), "sealed": self._sealer.seal(place, content), **later(row)}
            connection.execute(update(secret).where(_one(scope, secret_id)).values(values))
            return _shown(_row(connection, scope, secret_id))

        return await self._sql.write(work)

    async def delete(self, scope: Scope, secret_id: str) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(delete(secret).where(_one(scope, secret_id))).rowcount != 1:
                raise _missing(secret_id)

        await self._sql.write(work)

    async def open(self, scope: Scope, name: str) -> Secret | None:
        found = select(secret).where(mine(secret, scope), secret.c.name == name)
        row = await self._sql.read(lambda connection: connection.execute(found).one_or_none())
        if row is None:
            return None
        return Secret(name=name, value=self._sealer.open(_place(row), row.sealed).decode(), origins=tuple(row.origins))


def mine(table: Table, scope: Scope) -> ColumnElement[bool]:
    return and_(table.c.org_id == scope.org_id, table.c.project_id == scope.project_id)


def rows_of(connection: Connection, table: Table, scope: Scope, names: Names) -> list[Any]:
    """Return the rows of a stretch, in the order of names."""
    found = select(table).where(mine(table, scope)).limit(names.limit)
    if names.before is not None:
        found = found.where(table.c.name < names.before).order_by(table.c.name.desc())
        return list(connection.execute(found))[::-1]
    if names.after is not None:
        found = found.where(table.c.name > names.after)
    return list(connection.execute(found.order_by(table.c.name)))


def refuse_more(connection: Connection, table: Table, scope: Scope) -> None:
    if connection.execute(select(func.count()).select_from(table).where(mine(table, scope))).scalar_one() >= MOST:
        raise Refused(f"this project has {MOST} {table.name}s already", hint="delete one that is not needed any more")


def refuse_outdated(row: Any, revisions: Container[int]) -> None:
    if row.revision not in revisions:
        raise Outdated("it was changed meanwhile", hint="get it again, and send the ETag of that answer")


def fresh(scope: Scope, actor: str) -> dict[str, Any]:
    """Return what every new row holds."""
    now = int(time.time() * 1000)
    moments = {"created_at": now, "updated_at": now}
    return {"org_id": scope.org_id, "project_id": scope.project_id, "revision": 1, "created_by": actor, **moments}


def later(row: Any) -> dict[str, Any]:
    """Return what every change of a row changes."""
    return {"revision": row.revision + 1, "updated_at": int(time.time() * 1000)}


def value_needed(pointer: str) -> InvalidInput:
    """Return the error for new origins without the secret: whoever may change them need not know it, and must not learn it so."""
    message = "new origins need the secret again: it was given for the old ones, and is sealed to them"
    problem = Problem(code="secret_needed", message=message, pointer=pointer, hint="send it along")
    return InvalidInput(message, hint="send it along", problems=(problem,))


def _one(scope: Scope, secret_id: str) -> ColumnElement[bool]:
    return and_(mine(secret, scope), secret.c.secret_id == secret_id)


def _row(connection: Connection, scope: Scope, secret_id: str, *, lock: bool = False) -> Any:
    found = select(secret).where(_one(scope, secret_id))
    row = connection.execute(found.with_for_update() if lock else found).one_or_none()
    if row is None:
        raise _missing(secret_id)
    return row


def _missing(secret_id: str) -> NotFound:
    return NotFound(f"there is no secret {secret_id!r}")


def _place(row: Any) -> Place:
    return Place("secret", row.org_id, row.project_id, row.secret_id, tuple(row.origins))


def _shown(row: Any) -> StoredSecret:
    return StoredSecret(
        id=row.secret_id,
        name=row.name,
        allowed_origins=tuple(row.origins),
        revision=row.revision,
        created_by=row.created_by,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )
