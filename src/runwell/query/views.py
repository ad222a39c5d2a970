"""Saved views, as their readers see them."""

import msgspec

from runwell.model.errors import InvalidQuery, Problem
from runwell.model.principal import Principal
from runwell.model.saved_views import SavedView, ViewSettings
from runwell.ports.views import Reader, SavedViews
from runwell.query.cursors import Cursor, read_cursor, write_cursor
from runwell.search.fields import UnknownField, field_named
from runwell.search.parser import parse


class ViewPage(msgspec.Struct, frozen=True, kw_only=True):
    """Saved views, oldest first: one's own, and those that others share."""

    data: list[SavedView]
    next_cursor: str | None = None
    prev_cursor: str | None = None


def reader_of(caller: Principal) -> Reader:
    """Return what a caller may do with views: keep private ones, with `workflow:write` shared ones; an admin tidies up."""
    may = caller.permissions
    return Reader(scope=caller.scope, actor=caller.actor, shares="workflow:write" in may, moderates="admin" in may)


def see_that_it_works(view: ViewSettings, now: int) -> None:
    """See that the view's search can be read, and that it sorts by fields. Raises `InvalidQuery`, which says where the mistake is."""
    try:
        parse(view.query, now)
    except InvalidQuery as exc:
        exc.problems = tuple(msgspec.structs.replace(problem, pointer="/query") for problem in exc.problems)
        raise
    problems = tuple(problem for index, text in enumerate(view.sort) if (problem := _problem_of_sort(text, f"/sort/{index}")))
    if problems:
        raise InvalidQuery(f"{problems[0].pointer}: {problems[0].message}", hint=problems[0].hint, problems=problems)


def _problem_of_sort(text: str, pointer: str) -> Problem | None:
    name = text.removeprefix("-")
    try:
        field_named(name)
    except UnknownField as exc:
        start = len(text) - len(name)
        return Problem(code="INVALID_QUERY", message=exc.message, pointer=pointer, hint=exc.hint, position=start, length=len(name))
    return None


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
