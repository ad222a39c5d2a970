"""Spans of time that figures are asked for, and the buckets in which they come: local minutes to months, on every clock.

A bucket lasts from one local boundary to the next, so a day on which the clocks change has 23 or 25 hours. The first and
the last bucket are cut by the span.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from runwell.model.analytics import Granularity
from runwell.model.errors import InvalidInput
from runwell.model.times import from_rfc3339

MOST_BUCKETS: Final = 1_500
DEFAULT_WINDOW: Final = "7d"

_UNITS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_WINDOW: Final = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
_LONGEST_MS: Final = 3_660 * 86_400_000
_EARLIEST: Final = 0
_LATEST: Final = from_rfc3339("2200-01-01T00:00:00Z")
_FINEST: Final[tuple[tuple[int, Granularity], ...]] = (
    (2 * _UNITS["h"], "minute"),
    (7 * _UNITS["d"], "hour"),
    (92 * _UNITS["d"], "day"),
    (731 * _UNITS["d"], "week"),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


class Moments(NamedTuple):
    """From `begin` on and before `end`, in ms since 1970."""

    begin: int
    end: int


def span_of(window: str | None, start: str | None, end: str | None, now: int) -> Moments:
    """Return the span: the window that ends now, or from one moment (RFC 3339) to another, which is now by default.

    Raises `InvalidInput`.
    """
    if window is not None and (start is not None or end is not None):
        raise InvalidInput("`window` does not go together with `from` and `to`", hint="leave one of them out")
    if start is None and end is not None:
        raise InvalidInput("`to` needs a `from`", hint="give `from` as well, like from=2026-06-01T00:00:00Z")
    if start is None:
        return Moments(max(now + 1 - _window_ms(DEFAULT_WINDOW if window is None else window), _EARLIEST), now + 1)
    return _between(_moment("from", start), now + 1 if end is None else _moment("to", end))


def _between(begin: int, end: int) -> Moments:
    if begin >= end:
        raise InvalidInput("`from` is not before `to`", hint="`to` is now unless it is given, and is itself left out")
    if end - begin > _LONGEST_MS:
        raise InvalidInput("the span is longer than ten years", hint="bring `from` and `to` closer together")
    return Moments(begin, end)


def _window_ms(window: str) -> int:
    found = _WINDOW.fullmatch(window)
    ms = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < ms <= _LONGEST_MS:
        raise InvalidInput(
            f"{window[:40]!r} is no window", hint="write 1h, 24h, 7d, 30d or 90d: a number and m, h, d or w, ten years at most"
        )
    return ms


def _moment(name: str, text: str) -> int:
    try:
        moment = from_rfc3339(text)
    except InvalidInput as exc:
        raise InvalidInput(f"`{name}`: {exc.message}", hint=exc.hint) from exc
    if not _EARLIEST <= moment <= _LATEST:
        raise InvalidInput(f"`{name}`: {text!r} is out of reach", hint="moments are between 1970 and 2200")
    return moment


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone. Raises `InvalidInput`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise InvalidInput(f"there is no time zone {name!r}", hint="name it as in the IANA database: Europe/Berlin, UTC") from exc


def fitting(span: Moments) -> Granularity:
    """Return the granularity that gives a chart of this span some dozens to some hundred buckets."""
    return next((granularity for longest, granularity in _FINEST if span.end - span.begin <= longest), "month")


def bucket_starts(span: Moments, granularity: Granularity, zone: tzinfo) -> tuple[int, ...]:
    """Return where buckets start, ascending; the first is where the span begins. Raises `InvalidInput` for more than `MOST_BUCKETS`."""
    starts = [span.begin]
    for start in _boundaries(span.begin, granularity, zone):
        if start >= span.end:
            break
        if len(starts) == MOST_BUCKETS:
            hint = f"at most {MOST_BUCKETS}: take a coarser `granularity` (minute, hour, day, week, month) or a shorter span"
            raise InvalidInput(f"the span has too many buckets of a {granularity}", hint=hint)
        starts.append(start)
    return tuple(starts)


def _boundaries(begin: int, granularity: Granularity, zone: tzinfo) -> Iterator[int]:
    """Yield local boundaries after `begin`, ascending, without end."""
    last = begin
    steps = (
        _minutes(begin) if granularity == "minute" else _hours(begin, zone) if granularity == "hour" else _days(begin, granularity, zone)
    )
    for moment in steps:
        if moment > last:  # where a local day does not exist, two boundaries meet
            last = moment
            yield moment


def _minutes(begin: int) -> Iterator[int]:
    moment = begin - begin % _UNITS["m"]
    while True:
        moment += _UNITS["m"]
        yield moment


def _hours(begin: int, zone: tzinfo) -> Iterator[int]:
    """Go from full hour to full hour; where clocks change by half an hour, one lasts longer."""
    moment = begin - begin % _UNITS["m"]
    while True:
        moment += (60 - _local(moment, zone).minute) * _UNITS["m"]
        if _local(moment, zone).minute == 0:
            yield moment


def _days(begin: int, granularity: Granularity, zone: tzinfo) -> Iterator[int]:
    day = _local(begin, zone).date()
    if granularity == "week":
        day -= timedelta(days=day.weekday())
    elif granularity == "month":
        day = day.replace(day=1)
    while True:
        day += timedelta(days=1 if granularity == "day" else 7 if granularity == "week" else 32)
        if granularity == "month":
            day = day.replace(day=1)
        yield (datetime(day.year, day.month, day.day, tzinfo=zone) - _EPOCH) // _MS


def _local(moment: int, zone: tzinfo) -> datetime:
    return (_EPOCH + moment * _MS).astimezone(zone)
