"""Pages of lists that go by id, newest first."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

from runwell.ports.evaluations import Span
from runwell.query.cursors import Cursor, gone, read_cursor, write_cursor


class HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=HasId)

_ID: Final = re.compile("[a-z]{2,5}_[0-9a-f]{32}")


def places_in(at: Cursor, count: int) -> tuple[int, ...]:
    """Return the numbers at which a page begins. Raises `InvalidInput` for a cursor that holds others."""
    numbers = tuple(part for part in at.place if isinstance(part, int) and 0 <= part < 2**31)
    if len(numbers) != count or len(at.place) != count:
        raise gone()
    return numbers


def _id_in(at: Cursor) -> str:
    match at.place:
        case (str(place),) if _ID.fullmatch(place):
            return place
    raise gone()


async def id_page(
    fetch: Callable[[Span], Awaitable[list[T]]], limit: int, cursor: str | None, *about: Any
) -> tuple[list[T], dict[str, str | None]]:
    """Return a page and its `next_cursor` and `prev_cursor`. Raises `InvalidInput` for a cursor of another list."""
    at = None if cursor is None else read_cursor(cursor, *about)
    place = None if at is None else _id_in(at)
    back = at is not None and at.direction == "prev"
    found = await fetch(Span(limit=limit + 1, after=place if back else None, before=None if back else place))
    more = len(found) > limit
    data = found[-limit:] if back else found[:limit]
    onwards, backwards = (True, more) if back else (more, at is not None)
    return data, {
        "next_cursor": write_cursor(Cursor("next", (data[-1].id,)), *about) if data and onwards else None,
        "prev_cursor": write_cursor(Cursor("prev", (data[0].id,)), *about) if data and backwards else None,
    }
