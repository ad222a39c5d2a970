"""Dates in a search, absolute and relative."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from runwell.model.errors import InvalidQuery, Problem
from runwell.search.values import BadValue, read_duration

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)


class Today(NamedTuple):
    """What relative dates are relative to."""

    now: int
    zone: tzinfo = UTC


class Span(NamedTuple):
    """From the first ms to the last one: a day, or a moment. `is_ago`: it was said as an age (`-7d`)."""

    first: int
    last: int
    is_ago: bool = False


def read_date(text: str, now: int, zone: tzinfo = UTC) -> int:
    """Return the ms at which the time that the text means begins. Raises `InvalidQuery`."""
    try:
        return span(text, Today(now, zone)).first
    except BadValue as exc:
        raise InvalidQuery(exc.message, hint=exc.hint, problems=(Problem(code="BAD_VALUE", message=exc.message, hint=exc.hint),)) from exc


def span(text: str, today: Today) -> Span:
    """Return when the text means. Raises `BadValue`."""
    try:
        found = _span(text, today)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise BadValue(f"{text!r} is no date", "write it as 2026-11-20, 2026-11-20T10:00, today, yesterday, -7d or -2h")
    return found


def _span(text: str, today: Today) -> Span | None:
    word = text.lower()
    if word == "now":
        return Span(today.now, today.now)
    if word in ("today", "yesterday", "tomorrow"):
        here = _moment(today.now).astimezone(today.zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        return _day(here + timedelta(days=("yesterday", "today", "tomorrow").index(word) - 1), today.zone)
    if _DAY.fullmatch(text):
        return _day(datetime.fromisoformat(text), today.zone)
    if _MOMENT.fullmatch(text):
        moment = datetime.fromisoformat(text)
        at = _ms(moment if moment.tzinfo else moment.replace(tzinfo=today.zone))
        return Span(at, at)
    ago = read_duration(text[1:]) if text[:1] in ("-", "+") else None
    if ago is None:
        return None
    at = today.now - ago if text[0] == "-" else today.now + ago
    _moment(at)
    return Span(at, at, is_ago=text[0] == "-")


def _day(start: datetime, zone: tzinfo) -> Span:
    """A day has 24 hours but where the clocks change."""
    return Span(_ms(start.replace(tzinfo=zone)), _ms((start + timedelta(days=1)).replace(tzinfo=zone)) - 1)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS


def _moment(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def date_text(ms: int) -> str:
    return _moment(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
