"""Stored connections in SQL: settings in plain, credentials sealed."""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from runwell.model.errors import NotFound, Refused
from runwell.model.ids import new_id
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.model.vault import CallLimits, StoredConnection
from runwell.ports.secrets import OpenConnection
from runwell.ports.vault import ConnectionSettings, Credentials, Names
from runwell.storage.sealing import Place, Sealer
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.sql_secrets import fresh, later, mine, refuse_more, refuse_outdated, rows_of, value_needed
from runwell.storage.tables import connection as connections


class SqlConnections:
    """`ConnectionStore` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql, sealer: Sealer) -> None:
        self._sql = sql
        self._sealer = sealer

    async def page(self, scope: Scope, names: Names) -> list[StoredConnection]:
        return await self._sql.read(lambda connection: [_shown(row) for row in rows_of(connection, connections, scope, names)])

    async def get(self, scope: Scope, connection_id: str) -> StoredConnection:
        return await self._sql.read(lambda connection: _shown(_row(connection, scope, connection_id)))

    async def create(
        self, scope: Scope, actor: str, name: str, type: str, settings: ConnectionSettings, credentials: Credentials
    ) -> StoredConnection:
        def work(connection: Connection) -> StoredConnection:
            connection_id = new_id("con")
            refuse_more(connection, connections, scope)
            place = Place("connection", scope.org_id, scope.project_id, connection_id, settings.origins)
            values = {"connection_id": connection_id, "name": name, "type": type, **fresh(scope, actor)}
            if not insert_ignoring(connection, connections, **values, **self._kept(place, settings, credentials)):
                raise Refused(f"there is a connection {name!r} already", hint="change that one, or choose another name")
            return _shown(_row(connection, scope, connection_id))

        return await self._sql.write(work)

    async def change(
        self, scope: Scope, connection_id: str, revision: int, settings: ConnectionSettings, credentials: Credentials | None
    ) -> StoredConnection:
        def work(connection: Connection) -> StoredConnection:
            row = _row(connection, scope, connection_id, lock=True)
            refuse_outdated(row, (revision,))
            if credentials is None and row.sealed is not None and settings.origins != tuple(row.origins):
                raise value_needed("/api_key" if row.config["has_api_key"] else "/secret_headers")
            secret = self._credentials(row) if credentials is None else credentials
            place = Place("connection", scope.org_id, scope.project_id, connection_id, settings.origins)
            values = {**self._kept(place, settings, secret), **later(row)}
            connection.execute(update(connections).where(_one(scope, connection_id)).values(values))
            return _shown(_row(connection, scope, connection_id))

        return await self._sql.write(work)

    async def delete(self, scope: Scope, connection_id: str) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(delete(connections).where(_one(scope, connection_id))).rowcount != 1:
                raise _missing(connection_id)

        await self._sql.write(work)

    async def open(self, scope: Scope, name: str) -> OpenConnection | None:
        found = select(connections).where(mine(connections, scope), connections.c.name == name)
        row = await self._sql.read(lambda connection: connection.execute(found).one_or_none())
        if row is None:
            return None
        secret = self._credentials(row)
        return OpenConnection(
            connection_id=row.connection_id,
            name=row.name,
            type=row.type,
            base_url=row.config["base_url"],
            headers=row.config["headers"],
            secret_headers=secret.headers,
            api_key=secret.api_key,
            origins=tuple(row.origins),
            limits=_limits(row),
        )

    async def types(self, scope: Scope) -> dict[str, str]:
        found = select(connections.c.name, connections.c.type).where(mine(connections, scope))
        return await self._sql.read(lambda connection: {row.name: row.type for row in connection.execute(found)})

    def _kept(self, place: Place, settings: ConnectionSettings, secret: Credentials) -> dict[str, Any]:
        config = {
            "base_url": settings.base_url,
            "headers": settings.headers,
            "secret_headers": sorted(secret.headers),
            "has_api_key": secret.api_key is not None,
            "limits": msgspec.to_builtins(settings.limits),
        }
        sealed = self._sealer.seal(place, msgspec.json.encode(secret)) if secret.any else None
        return {"config": config, "origins": list(settings.origins), "sealed": sealed}

    def _credentials(self, row: Any) -> Credentials:
        if row.sealed is None:
            return Credentials()
        place = Place("connection", row.org_id, row.project_id, row.connection_id, tuple(row.origins))
        return msgspec.json.decode(self._sealer.open(place, row.sealed), type=Credentials)


def _one(scope: Scope, connection_id: str) -> ColumnElement[bool]:
    return and_(mine(connections, scope), connections.c.connection_id == connection_id)


def _row(connection: Connection, scope: Scope, connection_id: str, *, lock: bool = False) -> Any:
    found = select(connections).where(_one(scope, connection_id))
    row = connection.execute(found.with_for_update() if lock else found).one_or_none()
    if row is None:
        raise _missing(connection_id)
    return row


def _missing(connection_id: str) -> NotFound:
    return NotFound(f"there is no connection {connection_id!r}")


def _limits(row: Any) -> CallLimits:
    return msgspec.convert(row.config.get("limits") or {}, CallLimits)


def _shown(row: Any) -> StoredConnection:
    return StoredConnection(
        id=row.connection_id,
        name=row.name,
        type=row.type,
        base_url=row.config["base_url"],
        headers=row.config["headers"],
        secret_headers=tuple(row.config["secret_headers"]),
        limits=_limits(row),
        has_secret=row.sealed is not None,
        allowed_origins=tuple(row.origins),
        revision=row.revision,
        created_by=row.created_by,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )
