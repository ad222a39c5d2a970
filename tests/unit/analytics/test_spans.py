"""Windows, moments and buckets on clocks that change."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwell.model.analytics import Granularity
from runwell.model.errors import InvalidInput
from runwell.model.times import from_rfc3339, rfc3339
from runwell.query.spans import MOST_BUCKETS, Moments, bucket_starts, fitting, span_of, zone_of

NOW = from_rfc3339("2026-06-12T03:23:45.678Z")
HOUR, DAY = 3_600_000, 86_400_000
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia", "Asia/Beirut")


def starts(begin: str, end: str, granularity: Granularity, zone: str) -> list[str]:
    return [rfc3339(start) for start in bucket_starts(Moments(from_rfc3339(begin), from_rfc3339(end)), granularity, ZoneInfo(zone))]


def test_a_window_ends_with_this_very_moment() -> None:
    assert span_of("24h", None, None, NOW) == Moments(NOW + 1 - DAY, NOW + 1)
    assert span_of(None, None, None, NOW) == Moments(NOW + 1 - 7 * DAY, NOW + 1)
    assert span_of("90m", None, None, NOW).begin == NOW + 1 - 90 * 60_000
    assert span_of("2w", None, None, NOW).begin == NOW + 1 - 14 * DAY
    assert span_of(None, "2026-06-01T00:00:00+02:00", None, NOW) == Moments(from_rfc3339("2026-05-31T22:00:00Z"), NOW + 1)
    assert span_of(None, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", NOW).end == from_rfc3339("2026-02-01T00:00:00Z")


@pytest.mark.parametrize("window", ["", "0d", "-1d", "7", "d", "7 d", "7days", "1.5h", "99999w", "٣d", "1e3d", "01h"])
def test_nonsense_is_no_window(window: str) -> None:
    with pytest.raises(InvalidInput, match="window") as caught:
        span_of(window, None, None, NOW)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-06-02T00:00:00Z", "2026-06-01T00:00:00Z", "not before"),
        ("2026-06-01T00:00:00Z", "2026-06-01T00:00:00Z", "not before"),
        ("2027-06-01T00:00:00Z", None, "not before"),
        (None, "2026-06-01T00:00:00Z", "needs a `from`"),
        ("yesterday", None, "`from`"),
        ("2026-06-01", None, "time zone"),
        ("2026-06-01T00:00:00", None, "time zone"),
        ("2026-06-01T00:00:00Z", "soon", "`to`"),
        ("0001-01-01T00:00:00Z", None, "out of reach"),
        ("2026-06-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "out of reach"),
        ("1980-01-01T00:00:00Z", None, "ten years"),
    ],
)
def test_bad_moments_are_refused(start: str | None, end: str | None, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        span_of(None, start, end, NOW)
    assert caught.value.hint


def test_a_window_and_moments_exclude_each_other() -> None:
    with pytest.raises(InvalidInput, match="window"):
        span_of("7d", "2026-06-01T00:00:00Z", None, NOW)


@pytest.mark.parametrize("name", ["Mars/Olympus", "Europe", "../etc/passwd", "/etc/passwd", "", "x" * 400, "europe\x00"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="time zone") as caught:
        zone_of(name)
    assert "Europe/Berlin" in (caught.value.hint or "")


def test_days_follow_the_clocks_of_their_zone() -> None:
    spring = starts("2026-03-28T10:00:00+01:00", "2026-03-31T00:00:00+02:00", "day", "Europe/Berlin")
    assert spring == ["2026-03-28T09:00:00.000Z", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"]  # 23 hours
    autumn = starts("2026-10-25T00:00:00+02:00", "2026-10-27T00:00:00+01:00", "day", "Europe/Berlin")
    assert autumn == ["2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"]  # 25 hours
    assert len(starts("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", "hour", "Europe/Berlin")) == 25
    assert len(starts("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "hour", "Europe/Berlin")) == 23


def test_hours_weeks_and_months_are_local() -> None:
    assert starts("2026-06-01T00:10:00Z", "2026-06-01T02:00:00Z", "hour", "Asia/Kolkata") == [
        "2026-06-01T00:10:00.000Z",
        "2026-06-01T00:30:00.000Z",
        "2026-06-01T01:30:00.000Z",
    ]
    assert starts("2026-06-03T00:00:00Z", "2026-06-16T00:00:00Z", "week", "UTC") == [
        "2026-06-03T00:00:00.000Z",
        "2026-06-08T00:00:00.000Z",
        "2026-06-15T00:00:00.000Z",
    ]
    assert starts("2026-01-31T12:00:00Z", "2026-04-01T00:00:00Z", "month", "Europe/Berlin") == [
        "2026-01-31T12:00:00.000Z",
        "2026-01-31T23:00:00.000Z",
        "2026-02-28T23:00:00.000Z",
        "2026-03-31T22:00:00.000Z",
    ]


def test_where_clocks_change_by_half_an_hour_one_hour_lasts_longer() -> None:
    found = starts("2026-04-04T14:00:00Z", "2026-04-04T17:30:00Z", "hour", "Australia/Lord_Howe")
    assert found == ["2026-04-04T14:00:00.000Z", "2026-04-04T15:30:00.000Z", "2026-04-04T16:30:00.000Z"]


def test_a_day_that_never_was_has_no_bucket() -> None:
    found = starts("2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00", "day", "Pacific/Apia")
    assert found == ["2011-12-29T10:00:00.000Z", "2011-12-30T10:00:00.000Z"]  # the 29th and the 31st


@given(
    begin=st.integers(from_rfc3339("2005-01-01T00:00:00Z"), NOW),
    length=st.integers(1, 60 * DAY),
    zone=st.sampled_from(ZONES),
    granularity=st.sampled_from(("hour", "day", "week", "month")),
)
def test_each_bucket_begins_at_a_local_boundary_and_holds_none(begin: int, length: int, zone: str, granularity: Granularity) -> None:
    span = Moments(begin, begin + length)
    found = bucket_starts(span, granularity, ZoneInfo(zone))
    assert found[0] == begin
    assert all(one < other for one, other in pairwise((*found, span.end)))
    names = [_name(start, granularity, zone) for start in found]
    for (start, end), name in zip(pairwise((*found, span.end)), names, strict=True):
        assert _name(end - 1, granularity, zone) == name or (granularity == "hour" and end - start != HOUR)
    if granularity != "hour":  # an hour comes twice when clocks are put back
        assert len(set(names)) == len(names)


def _name(ms: int, granularity: Granularity, zone: str) -> str:
    local = datetime.fromtimestamp(ms / 1000, ZoneInfo(zone))
    if granularity == "week":
        return f"{local.date() - timedelta(days=local.weekday())}"
    return local.strftime({"hour": "%Y-%m-%d %H", "day": "%Y-%m-%d"}.get(granularity, "%Y-%m"))


def test_too_many_buckets_are_refused() -> None:
    span = Moments(NOW - 30 * DAY, NOW)
    with pytest.raises(InvalidInput, match="too many buckets of a minute") as caught:
        bucket_starts(span, "minute", ZoneInfo("UTC"))
    assert "granularity" in (caught.value.hint or "")
    whole = Moments(from_rfc3339("2026-01-01T00:00:00Z"), from_rfc3339("2026-01-01T00:00:00Z") + MOST_BUCKETS * 60_000)
    assert len(bucket_starts(whole, "minute", ZoneInfo("UTC"))) == MOST_BUCKETS


@pytest.mark.parametrize(
    ("days", "granularity"), [(1 / 24, "minute"), (1, "hour"), (7, "hour"), (30, "day"), (90, "day"), (365, "week"), (3_000, "month")]
)
def test_the_granularity_fits_the_span(days: float, granularity: Granularity) -> None:
    span = Moments(NOW - int(days * DAY), NOW)
    assert fitting(span) == granularity
    assert len(bucket_starts(span, granularity, ZoneInfo("Europe/Berlin"))) <= 170
