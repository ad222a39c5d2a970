"""Saved views in SQL."""

from collections.abc import Container
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from runwell.model.errors import NotFound, Refused
from runwell.model.ids import new_id
from runwell.model.saved_views import SavedView, ViewSettings
from runwell.model.times import rfc3339
from runwell.ports.views import Reader
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.sql_secrets import fresh, later, mine, refuse_outdated
from runwell.storage.tables import saved_view

MOST: Final = 200
"""As many views somebody keeps in a project at most."""


class SqlViews:
    """`SavedViews` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def page(self, reader: Reader, limit: int, *, after: str | None = None, before: str | None = None) -> list[SavedView]:
        return await self._sql.read(lambda connection: _page(connection, reader, limit, after, before))

    async def get(self, reader: Reader, view_id: str) -> SavedView:
        return await self._sql.read(lambda connection: _shown(_row(connection, reader, view_id)))

    async def create(self, reader: Reader, settings: ViewSettings) -> SavedView:
        def work(connection: Connection) -> SavedView:
            view_id = new_id("view")
            _refuse_more(connection, reader)
            _lay_down_default(connection, reader.actor, reader, settings)
            if not insert_ignoring(connection, saved_view, view_id=view_id, **_values(settings), **fresh(reader.scope, reader.actor)):
                raise _taken(settings)
            return _shown(_row(connection, reader, view_id))

        return await self._sql.write(work)

    async def change(self, reader: Reader, view_id: str, revisions: Container[int], settings: ViewSettings) -> SavedView:
        def work(connection: Connection) -> SavedView:
            row = _row(connection, reader, view_id, lock=True)
            _refuse_others(reader, row)
            refuse_outdated(row, revisions)
            if settings.name != row.name and _has(connection, row, settings.name):
                raise _taken(settings)
            _lay_down_default(connection, row.created_by, reader, settings)
            changes = {**_values(settings), **later(row)}
            connection.execute(update(saved_view).where(saved_view.c.view_id == view_id).values(changes))
            return _shown(_row(connection, reader, view_id, seen=saved_view.c.view_id == view_id))

        return await self._sql.write(work)

    async def delete(self, reader: Reader, view_id: str) -> None:
        def work(connection: Connection) -> None:
            _refuse_others(reader, _row(connection, reader, view_id, lock=True))
            connection.execute(delete(saved_view).where(saved_view.c.view_id == view_id))

        await self._sql.write(work)


def _seen_by(reader: Reader) -> ColumnElement[bool]:
    """The one place that says which views exist for somebody."""
    theirs = or_(saved_view.c.created_by == reader.actor, saved_view.c.visibility == "shared")
    return and_(mine(saved_view, reader.scope), theirs)


def _page(connection: Connection, reader: Reader, limit: int, after: str | None, before: str | None) -> list[SavedView]:
    found = select(saved_view).where(_seen_by(reader)).limit(limit)
    if before is not None:
        found = found.where(saved_view.c.view_id < before).order_by(saved_view.c.view_id.desc())
        return [_shown(row) for row in connection.execute(found)][::-1]
    if after is not None:
        found = found.where(saved_view.c.view_id > after)
    return [_shown(row) for row in connection.execute(found.order_by(saved_view.c.view_id))]


def _row(connection: Connection, reader: Reader, view_id: str, *, lock: bool = False, seen: ColumnElement[bool] | None = None) -> Any:
    found = select(saved_view).where(_seen_by(reader) if seen is None else seen, saved_view.c.view_id == view_id)
    row = connection.execute(found.with_for_update() if lock else found).one_or_none()
    if row is None:
        raise NotFound(f"there is no view {view_id!r}")
    return row


def _refuse_others(reader: Reader, row: Any) -> None:
    if row.created_by != reader.actor and not reader.moderates:
        raise Refused(f"the view {row.name!r} is somebody else's", hint="keep one of your own, or ask its owner or an admin")


def _refuse_more(connection: Connection, reader: Reader) -> None:
    theirs = and_(mine(saved_view, reader.scope), saved_view.c.created_by == reader.actor)
    if connection.execute(select(func.count()).select_from(saved_view).where(theirs)).scalar_one() >= MOST:
        raise Refused(f"you keep {MOST} views already", hint="delete one that is not needed any more")


def _has(connection: Connection, row: Any, name: str) -> bool:
    same = (saved_view.c.project_id == row.project_id, saved_view.c.created_by == row.created_by, saved_view.c.name == name)
    return connection.execute(select(saved_view.c.view_id).where(*same)).first() is not None


def _lay_down_default(connection: Connection, owner: str, reader: Reader, settings: ViewSettings) -> None:
    """Let no other view of the owner be the default, where this one is to be."""
    if settings.default:
        theirs = and_(mine(saved_view, reader.scope), saved_view.c.created_by == owner)
        connection.execute(update(saved_view).where(theirs).values(is_default=False))


def _taken(settings: ViewSettings) -> Refused:
    return Refused(f"there is a view {settings.name!r} already", hint="change that one, or choose another name")


def _values(settings: ViewSettings) -> dict[str, Any]:
    plain = msgspec.to_builtins(settings)
    return {**{name: plain[name] for name in ("name", "query", "columns", "sort", "visibility")}, "is_default": settings.default}


def _shown(row: Any) -> SavedView:
    return SavedView(
        id=row.view_id,
        name=row.name,
        query=row.query,
        columns=tuple(row.columns),
        sort=tuple(row.sort),
        visibility=row.visibility,
        default=row.is_default,
        owner=row.created_by,
        revision=row.revision,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )
