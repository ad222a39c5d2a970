"""What a value means: numbers, dates, durations and money, from text and back."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final, NamedTuple

from runwell.model.usage import usd

MAX_INTEGER: Final = 2**63 - 1

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_UNITS: Final = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_PART: Final = r"(\d{1,15}(?:\.\d{1,9})?)(ms|[wdhms])"
_DURATION: Final = re.compile(f"(?:{_PART})+", re.ASCII)
_PARTS: Final = re.compile(_PART, re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)
_MONEY: Final = re.compile(r"\$?(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})", re.ASCII)


class BadValue(Exception):
    """The text is no such value."""

    def __init__(self, message: str, hint: str) -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


class Today(NamedTuple):
    """What relative dates are relative to."""

    now: int
    zone: tzinfo = UTC


class Span(NamedTuple):
    """From the first ms to the last one: a day, or a moment. `is_ago`: it was said as an age (`-7d`)."""

    first: int
    last: int
    is_ago: bool = False


def number(text: str) -> int | float | None:
    """Return the number that the text is; None when it is none, or beyond all floats."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        value: int | float = int(text) if text.lstrip("+-").isdigit() else float(text)
        return value if abs(float(value)) != float("inf") else None
    except (ValueError, OverflowError):
        return None


def integer(text: str) -> int:
    value = number(text.removeprefix("v"))
    if value is None or value != int(value):
        raise BadValue(f"{text!r} is no whole number", "write it as 3")
    if abs(value) > MAX_INTEGER:
        raise BadValue(f"{text!r} is too large", f"numbers go up to {MAX_INTEGER}")
    return int(value)


def boolean(text: str) -> bool:
    word = text.lower()
    if word not in ("true", "false", "yes", "no"):
        raise BadValue(f"{text!r} is neither true nor false", "write true or false")
    return word in ("true", "yes")


def duration(text: str) -> int:
    """Return ms."""
    ms = _duration(text)
    if ms is None:
        raise BadValue(f"{text!r} is no duration", "write it with units: 2s, 1m30s, 500ms, 2h")
    if ms > MAX_INTEGER:
        raise BadValue(f"{text!r} is too long", "write a shorter one")
    return ms


def _duration(text: str) -> int | None:
    if not _DURATION.fullmatch(text):
        return None
    return round(sum(Decimal(amount) * _UNITS[unit] for amount, unit in _PARTS.findall(text)))


def money(text: str) -> int:
    """Return billionths of a US dollar."""
    found = _MONEY.fullmatch(text)
    if found is None:
        raise BadValue(f"{text!r} is no amount of US dollars", "write it as 0.01, with at most nine digits behind the point")
    return int(Decimal(found[1]) * 1_000_000_000)


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
    ago = _duration(text[1:]) if text[:1] in ("-", "+") else None
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


def duration_text(ms: int) -> str:
    parts = []
    for unit in ("h", "m", "s", "ms"):
        count, ms = divmod(ms, _UNITS[unit])
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) or "0s"


def money_text(nanos: int) -> str:
    return usd(nanos)
