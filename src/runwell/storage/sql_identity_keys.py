"""API keys in SQL."""

import hmac
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select, update

from runwell.model.errors import InvalidInput, NotFound
from runwell.model.identity import READ_ONLY, ApiKey
from runwell.model.principal import Principal
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.clock import Clock
from runwell.ports.identity import KnownKey, NewKey, Stretch, Window
from runwell.storage.records import check_names
from runwell.storage.sql import Sql
from runwell.storage.sql_identity_projects import Foundation, moment, no_project, stretch_of, within
from runwell.storage.tables import api_key, project

_TOUCH_MS = 60_000
_NO_HASH = "0" * 64
"""What the secret of an unknown key is compared with."""

_KNOWN = select(api_key, project.c.archived_at).join(project, project.c.project_id == api_key.c.project_id)


class SqlKeys:
    """`Keys` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql, clock: Clock, foundation: Foundation) -> None:
        self._sql, self._clock, self._foundation = sql, clock, foundation

    async def find(self, key_id: str, secret_hash: str) -> KnownKey | None:
        now = self._clock.now()
        return await self._sql.read(lambda connection: _find(connection, key_id, secret_hash, now))

    async def touch(self, key_id: str) -> None:
        now = self._clock.now()
        stale = or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at <= now - _TOUCH_MS)
        await self._sql.write(
            lambda connection: connection.execute(update(api_key).where(api_key.c.key_id == key_id, stale).values(last_used_at=now))
        )

    async def create(self, scope: Scope, actor: str, key: NewKey) -> ApiKey:
        check_names(key.name)
        await self._foundation.lay()
        now = self._clock.now()
        return await self._sql.write(lambda connection: _create(connection, scope, actor, key, now))

    async def all(self, scope: Scope, window: Window) -> Stretch:
        return await self._sql.read(lambda connection: _all(connection, scope, window))

    async def revoke(self, scope: Scope, key_id: str) -> ApiKey:
        now = self._clock.now()
        return await self._sql.write(lambda connection: _revoke(connection, scope, key_id, now))


def _find(connection: Connection, key_id: str, secret_hash: str, now: int) -> KnownKey | None:
    found = connection.execute(_KNOWN.where(api_key.c.key_id == key_id)).one_or_none()
    right = hmac.compare_digest((_NO_HASH if found is None else found.secret_hash).encode(), secret_hash.encode())
    if found is None or not right or found.revoked_at is not None or (found.expires_at is not None and found.expires_at <= now):
        return None
    scopes = frozenset(found.scopes)
    principal = Principal(
        scope=Scope(found.org_id, found.project_id),
        actor=found.key_id,
        permissions=scopes if found.archived_at is None else scopes & READ_ONLY,
    )
    return KnownKey(principal=principal, last_used_at=found.last_used_at)


def _create(connection: Connection, scope: Scope, actor: str, key: NewKey, now: int) -> ApiKey:
    if connection.execute(select(project.c.project_id).where(within(scope))).one_or_none() is None:
        raise no_project(scope.project_id)
    maker = connection.execute(select(api_key.c.expires_at).where(api_key.c.key_id == actor)).one_or_none()
    end = _end(key.expires_at, None if maker is None else maker.expires_at)
    connection.execute(
        api_key.insert().values(
            key_id=key.key_id,
            org_id=scope.org_id,
            project_id=scope.project_id,
            name=key.name,
            secret_hash=key.secret_hash,
            scopes=list(key.scopes),
            created_by=actor,
            created_at=now,
            expires_at=end,
        )
    )
    return _view(_one(connection, scope, key.key_id))


def _end(wanted: int | None, makers: int | None) -> int | None:
    """Return when the key ends; one that a key made does not outlive it."""
    if makers is not None and wanted is not None and wanted > makers:
        raise InvalidInput(
            "the key would outlive the key that makes it", hint=f"let it expire at {rfc3339(makers)} or before, or make it as a user"
        )
    return makers if wanted is None else wanted


def _all(connection: Connection, scope: Scope, window: Window) -> Stretch:
    mine = select(api_key).where(api_key.c.org_id == scope.org_id, api_key.c.project_id == scope.project_id)
    found = stretch_of(connection, mine, api_key.c.key_id, window)
    return Stretch([_view(row) for row in found.items], found.more)


def _revoke(connection: Connection, scope: Scope, key_id: str, now: int) -> ApiKey:
    _one(connection, scope, key_id)
    connection.execute(update(api_key).where(api_key.c.key_id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=now))
    return _view(_one(connection, scope, key_id))


def _one(connection: Connection, scope: Scope, key_id: str) -> Row[Any]:
    mine = and_(api_key.c.org_id == scope.org_id, api_key.c.project_id == scope.project_id, api_key.c.key_id == key_id)
    found = connection.execute(select(api_key).where(mine)).one_or_none()
    if found is None:
        raise NotFound(f"there is no API key {key_id!r}")
    return found


def _view(found: Row[Any]) -> ApiKey:
    return ApiKey(
        id=found.key_id,
        name=found.name,
        project_id=found.project_id,
        scopes=tuple(found.scopes),
        created_by=found.created_by,
        created_at=rfc3339(found.created_at),
        expires_at=moment(found.expires_at),
        revoked_at=moment(found.revoked_at),
        last_used_at=moment(found.last_used_at),
    )
