"""Opaque cursors: where a page begins, bound to whose list it is of.

A cursor is unreadable on purpose, not secret: it names a place, and every list looks at that place within the
caller's scope only. Its digest over the list (scope, kind, filters) refuses a cursor of another list, and a
damaged one.
"""

import base64
import binascii
import hashlib
from typing import Any, Final, Literal

import msgspec

from runwell.model.errors import InvalidInput

Direction = Literal["next", "prev"]

_DIGEST: Final = 12
_HINT: Final = "take `next_cursor` or `prev_cursor` of an answer as it is, with the same filters; or start without a cursor"


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """`place` is the last (or, backwards, the first) entry that was seen."""

    direction: Direction
    place: tuple[str | int, ...]


def write_cursor(cursor: Cursor, *about: Any) -> str:
    """Return the cursor as text; `about` is what the list is of: its scope, its kind and its filters."""
    content = msgspec.msgpack.encode(cursor)
    return base64.urlsafe_b64encode(_digest(content, about) + content).rstrip(b"=").decode()


def read_cursor(text: str, *about: Any) -> Cursor:
    """Return what `write_cursor` wrote for the same list. Raises `InvalidInput`."""
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
        digest, content = raw[:_DIGEST], raw[_DIGEST:]
        if digest != _digest(content, about):
            raise InvalidInput("the cursor is damaged or of another list", hint=_HINT)
        return msgspec.msgpack.decode(content, type=Cursor)
    except (binascii.Error, UnicodeEncodeError, msgspec.MsgspecError) as exc:
        raise InvalidInput("the cursor is none of this server's", hint=_HINT) from exc


def gone() -> InvalidInput:
    """Return the error for a cursor whose place is not there any more."""
    return InvalidInput("the cursor leads to nothing that is still there", hint="list again from the start, without a cursor")


def _digest(content: bytes, about: tuple[Any, ...]) -> bytes:
    return hashlib.sha256(content + b"\0" + msgspec.json.encode(about)).digest()[:_DIGEST]
