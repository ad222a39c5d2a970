"""Figures about many runs, each with the search that yields its runs.

Every figure of a span is about the same runs: those that began in it. So the figures of one page agree with each other,
with the lists, and with the searches beside them.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypedDict, TypeVar

import msgspec

from runwell.model.analytics import Granularity, Group, GroupBy
from runwell.model.run_query import All, Compare
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.analytics import Analytics, Cell, FiguresAsked
from runwell.ports.projection import Projection
from runwell.query.figure_searches import begun, group_of, of_group, within
from runwell.query.spans import Moments
from runwell.search.show import show

T = TypeVar("T")
R = TypeVar("R")
Ask = Callable[[FiguresAsked], Awaitable[dict[Cell, T]]]

MOST_GROUPS: Final = 100
MOST_SERIES: Final = 20


class Figures(msgspec.Struct, frozen=True):
    """What figures are read from: the store, and what it has not yet."""

    analytics: Analytics
    projection: Projection


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs, and into which groups they are parted."""

    scope: Scope
    span: Moments
    workflow_id: str | None = None
    environment: str | None = None
    group_by: GroupBy | None = None

    def search(self, *conditions: Compare, group: Group | None = None, span: Moments | None = None) -> str:
        """Return the search for those of the runs, or of the group's, for which the conditions hold."""
        named = {condition.field for condition in of_group(group)}
        asked = [condition for condition in within(self.workflow_id, self.environment) if condition.field not in named]
        return show(All((*begun(*(span or self.span)), *asked, *of_group(group), *conditions)))


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """How a series is parted: where its buckets start. `tz` is the zone's name."""

    granularity: Granularity
    tz: str
    starts: tuple[int, ...]


class SpanFields(TypedDict):
    start: str
    end: str
    behind_ms: int | msgspec.UnsetType


class TableFields(SpanFields, Generic[R]):
    total: R
    groups: list[R]
    groups_left_out: int


class Parted(msgspec.Struct, Generic[T], frozen=True):
    """Figures of all runs, and of each group. What has no runs has no figures: None."""

    total: T | None
    groups: list[tuple[Group, T | None]]
    left_out: int
    span: SpanFields

    def table(self, row: Callable[[T | None, Group | None], R]) -> TableFields[R]:
        """Return the fields of a table with such rows."""
        groups = [row(found, group) for group, found in self.groups]
        return {"total": row(self.total, None), "groups": groups, "groups_left_out": self.left_out, **self.span}


class Series(msgspec.Struct, Generic[T], frozen=True):
    """Figures of each bucket with its span, of all runs or of each group."""

    lines: list[tuple[Group | None, list[tuple[Moments, T | None]]]]
    left_out: int
    span: SpanFields


async def parted(figures: Figures, wanted: Wanted, ask: Ask[T]) -> Parted[T]:
    """Return the figures of all runs, and of the groups with the most."""
    asked = await _asked(figures, wanted)
    total = await ask(asked)
    names, left_out = await _groups(figures, wanted, asked, MOST_GROUPS)
    found = await ask(_of_groups(wanted, asked, names)) if names else {}
    by = wanted.group_by
    groups = [] if by is None else [(group_of(by, name), found.get(Cell(asked.begin, name))) for name in names]
    return Parted(total.get(Cell(asked.begin, "")), groups, left_out, _span(figures, wanted))


async def series(figures: Figures, wanted: Wanted, chart: Chart, ask: Ask[T]) -> Series[T]:
    """Return the figures of every bucket, of all runs or of the groups with the most."""
    asked = await _asked(figures, wanted)
    names, left_out = await _groups(figures, wanted, asked, MOST_SERIES)
    by = wanted.group_by
    found = await ask(msgspec.structs.replace(_of_groups(wanted, asked, names), buckets=chart.starts)) if names or by is None else {}
    buckets = _buckets(wanted, chart)
    lines: list[tuple[Group | None, list[tuple[Moments, T | None]]]] = [
        (None if by is None else group_of(by, name), [(bucket, found.get(Cell(bucket.begin, name))) for bucket in buckets])
        for name in (names if by is not None else ("",))
    ]
    return Series(lines, left_out, _span(figures, wanted))


async def _asked(figures: Figures, wanted: Wanted) -> FiguresAsked:
    await figures.projection.catch_up()
    return FiguresAsked(
        scope=wanted.scope,
        begin=wanted.span.begin,
        end=wanted.span.end,
        workflow_id=wanted.workflow_id,
        environment=wanted.environment,
        newer=figures.projection.overlay(),
        removals=figures.projection.removals(),
    )


def _of_groups(wanted: Wanted, asked: FiguresAsked, names: tuple[str, ...]) -> FiguresAsked:
    by = wanted.group_by
    return asked if by is None else msgspec.structs.replace(asked, group_by=by, groups=names)


async def _groups(figures: Figures, wanted: Wanted, asked: FiguresAsked, limit: int) -> tuple[tuple[str, ...], int]:
    if wanted.group_by is None:
        return (), 0
    found = await figures.analytics.groups(msgspec.structs.replace(asked, group_by=wanted.group_by), limit)
    return found.most, found.count - len(found.most)


def _buckets(wanted: Wanted, chart: Chart) -> list[Moments]:
    return [Moments(*edges) for edges in zip(chart.starts, (*chart.starts[1:], wanted.span.end), strict=True)]


def _span(figures: Figures, wanted: Wanted) -> SpanFields:
    lag = figures.projection.lag()
    behind = msgspec.UNSET if lag.complete else round(lag.seconds * 1000)
    return {"start": rfc3339(wanted.span.begin), "end": rfc3339(wanted.span.end), "behind_ms": behind}
