"""Browser sessions in SQL: by the hash of their token, with a sliding end."""

from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select, update

from runwell.model.errors import NotFound
from runwell.model.scope import Scope
from runwell.ports.clock import Clock
from runwell.ports.identity import SESSION_IDLE_MS, SESSION_MS, Visit
from runwell.storage.sql import Sql
from runwell.storage.sql_identity_projects import enterable, no_project, permissions_of
from runwell.storage.tables import project, session, user_account


class SqlSessions:
    """`Sessions` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql, clock: Clock) -> None:
        self._sql, self._clock = sql, clock

    async def start(self, user_id: str, token_hash: str, *, project_id: str | None = None, instead_of: str | None = None) -> Visit:
        now = self._clock.now()

        def start(connection: Connection) -> Visit:
            into = _project(connection, user_id, project_id)
            connection.execute(delete(session).where(or_(session.c.expires_at <= now, session.c.token_hash == (instead_of or ""))))
            entered = {"org_id": into.org_id, "project_id": into.project_id}
            kept = {"token_hash": token_hash, "user_id": user_id, "created_at": now, "expires_at": now + SESSION_IDLE_MS}
            connection.execute(session.insert().values(**kept, **entered))
            return _visit(connection, token_hash, now)

        return await self._sql.write(start)

    async def find(self, token_hash: str) -> Visit | None:
        now = self._clock.now()
        return await self._sql.read(lambda connection: _find(connection, token_hash, now))

    async def extend(self, token_hash: str) -> None:
        now = self._clock.now()

        def extend(connection: Connection) -> None:
            found = connection.execute(select(session).where(session.c.token_hash == token_hash)).one_or_none()
            if found is not None and found.expires_at > now:
                end = min(now + SESSION_IDLE_MS, found.created_at + SESSION_MS)
                connection.execute(update(session).where(session.c.token_hash == token_hash).values(expires_at=end))

        await self._sql.write(extend)

    async def switch(self, token_hash: str, project_id: str) -> Visit:
        now = self._clock.now()

        def switch(connection: Connection) -> Visit:
            into = _project(connection, _visit(connection, token_hash, now).user_id, project_id)
            moved = update(session).where(session.c.token_hash == token_hash)
            connection.execute(moved.values(org_id=into.org_id, project_id=into.project_id))
            return _visit(connection, token_hash, now)

        return await self._sql.write(switch)

    async def end(self, token_hash: str) -> None:
        await self._sql.write(lambda connection: connection.execute(delete(session).where(session.c.token_hash == token_hash)))


def _project(connection: Connection, user_id: str, project_id: str | None) -> Row[Any]:
    """Return the project to enter: the wanted one, or the user's first, rather one that is not archived."""
    wanted = enterable(user_id).order_by(project.c.project_id)
    found = connection.execute(wanted if project_id is None else wanted.where(project.c.project_id == project_id)).all()
    if not found:
        raise NotFound("there is no project that you may enter") if project_id is None else no_project(project_id)
    return next((row for row in found if row.archived_at is None), found[0])


def _visit(connection: Connection, token_hash: str, now: int) -> Visit:
    visit = _find(connection, token_hash, now)
    if visit is None:
        raise NotFound("the session has ended")
    return visit


def _find(connection: Connection, token_hash: str, now: int) -> Visit | None:
    enabled = select(session).join(user_account, user_account.c.user_id == session.c.user_id).where(user_account.c.disabled_at.is_(None))
    found = connection.execute(enabled.where(session.c.token_hash == token_hash, session.c.expires_at > now)).one_or_none()
    if found is None:
        return None
    scope = Scope(found.org_id, found.project_id)
    permissions = permissions_of(connection, found.user_id, scope)
    if permissions is None:
        return None
    return Visit(user_id=found.user_id, scope=scope, permissions=permissions, created_at=found.created_at, expires_at=found.expires_at)
