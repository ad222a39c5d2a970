"""Moments: integer milliseconds since 1970 inside, RFC 3339 in UTC at the borders."""

from datetime import UTC, datetime, timedelta
from typing import Final

from runwell.model.errors import InvalidInput

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(ms: int) -> str:
    """Return `2026-06-12T03:23:00.000Z` for milliseconds since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> int:
    """Return milliseconds since 1970. A moment without an offset is refused: it would be a guess."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise InvalidInput(f"{text!r} is no moment", hint="write it as 2026-06-12T03:23:00Z") from exc
    if moment.tzinfo is None:
        raise InvalidInput(f"{text!r} has no time zone", hint="end it with Z or an offset like +02:00")
    return (moment - _EPOCH) // timedelta(milliseconds=1)
