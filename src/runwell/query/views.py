"""Saved views, as their readers see them."""

import msgspec

from runwell.model.principal import Principal
from runwell.model.saved_views import SavedView
from runwell.ports.views import Reader, SavedViews
from runwell.query.cursors import Cursor, read_cursor, write_cursor


class ViewPage(msgspec.Struct, frozen=True, kw_only=True):
    """Saved views, oldest first: one's own, and those that others share."""

    data: list[SavedView]
    next_cursor: str | None = None
    prev_cursor: str | None = None


def reader_of(caller: Principal) -> Reader:
    """Return what a caller may do with views: keep private ones, with `workflow:write` shared ones; an admin tidies up."""
    may = caller.permissions
    return Reader(scope=caller.scope, actor=caller.actor, shares="workflow:write" in may, moderates="admin" in may)


async def list_views(views: SavedViews, reader: Reader, limit: int, cursor: str | None) -> ViewPage:
    """Return a page of the views that the reader sees. Raises `InvalidInput` for a cursor of another list."""
    about = ("views", reader.scope, reader.actor)
    at = None if cursor is None else read_cursor(cursor, *about)
    place = None if at is None else str(at.place[0])
    back = at is not None and at.direction == "prev"
    found = await views.page(reader, limit + 1, after=None if back else place, before=place if back else None)
    more = len(found) > limit
    data = found[-limit:] if back else found[:limit]
    onwards, backwards = (True, more) if back else (more, at is not None)
    return ViewPage(
        data=data,
        next_cursor=write_cursor(Cursor("next", (data[-1].id,)), *about) if data and onwards else None,
        prev_cursor=write_cursor(Cursor("prev", (data[0].id,)), *about) if data and backwards else None,
    )
