"""Opaque cursors over lists in the order of ids."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Final

from fastapi import Query

from runwell.model.errors import InvalidInput
from runwell.ports.identity import Stretch, Window

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` or `prev_cursor` of an answer before.")]

_PLACE: Final = re.compile(r"([ab]):([a-z]{3}_[0-9a-f]{20,32})")


def window(limit: int, cursor: str | None) -> Window:
    """Return the stretch that a cursor names. Raises `InvalidInput`."""
    if cursor is None:
        return Window(limit=limit)
    try:
        place = _PLACE.fullmatch(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii"))
    except ValueError:
        place = None
    if place is None:
        raise InvalidInput("the cursor is not one of ours", hint="begin again without a cursor")
    return Window(limit=limit, after=place[2]) if place[1] == "a" else Window(limit=limit, before=place[2])


def cursors(asked: Window, stretch: Stretch) -> dict[str, str | None]:
    """Return `next_cursor` and `prev_cursor` of the answer."""
    ids = [item.id for item in stretch.items]
    onwards = stretch.more if asked.before is None else True
    back = stretch.more if asked.before is not None else asked.after is not None
    return {
        "next_cursor": _cursor("a", ids[-1]) if ids and onwards else None,
        "prev_cursor": _cursor("b", ids[0]) if ids and back else None,
    }


def _cursor(direction: str, place: str) -> str:
    return urlsafe_b64encode(f"{direction}:{place}".encode()).rstrip(b"=").decode()
