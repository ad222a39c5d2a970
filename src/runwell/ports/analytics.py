"""Figures about many runs, from the run store. Exact, whatever was written how often, and never behind the lists.

A run that `begun` within the span counts: by its start, or by its creation as long as it has not started. Archived runs
never count; trial runs and evaluation runs (environments `testing` and `evaluation`) do only when that environment is asked for.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from runwell.model.analytics import GroupBy
from runwell.model.removals import NO_REMOVALS, Removals
from runwell.model.run_record import RunRecord
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus
from runwell.model.usage import NO_USAGE, Usage


class FiguresAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Of which runs, and how they are parted.

    `begin` to `end` (excluded), in ms. `buckets` are the buckets' starts, ascending, the first being `begin`; empty for
    none. `group_by`: into which groups; with `groups` only into these. `newer` and `removals`: as in `RunsAsked`.
    """

    scope: Scope
    begin: int
    end: int
    buckets: tuple[int, ...] = ()
    group_by: GroupBy | None = None
    groups: tuple[str, ...] | None = None
    workflow_id: str | None = None
    environment: str | None = None
    newer: Sequence[RunRecord] = ()
    removals: Removals = NO_REMOVALS


class Cell(NamedTuple):
    """A bucket's start (`begin` when there are none) and a group: a workflow's id, `id/version`, a model, a trigger, or empty.

    A run that called several models is in the cell of each. What has no runs has no cell.
    """

    bucket: int
    group: str


class Groups(msgspec.Struct, frozen=True):
    """The groups with the most runs, and how many there are in all."""

    most: tuple[str, ...]
    count: int


class UsageFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What runs used. In a group by model, `usage` is of that model's calls. `steps`: those that began, and were not skipped then.

    `cache_hits`: results that were had from the cache, and what they saved; none in a group by model, for no model was called.
    """

    runs: int = 0
    steps: int = 0
    usage: Usage = NO_USAGE
    cache_hits: int = 0
    saved_nanos: int = 0
    saved_ms: int = 0
    credits_micro: int = 0


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Of `count` durations in ms: their sum, and those at place `int(q * count)` when they are sorted. `count` is at least 1."""

    count: int
    total_ms: int
    p50_ms: int
    p90_ms: int
    p95_ms: int
    p99_ms: int


class StepFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of one type: how many by status, in how many runs, and how long those took that were executed and have ended.

    The type is empty for steps that never began.
    """

    type: str
    statuses: dict[str, int]
    runs: int
    latency: Percentiles | None


class Analytics(Protocol):
    """Every call raises `RunStoreUnavailable`, and `SearchTooLarge` when it would take more than it may."""

    async def groups(self, asked: FiguresAsked, limit: int) -> Groups:
        """Return the groups of `asked.group_by`, most runs first, then by name."""
        ...

    async def statuses(self, asked: FiguresAsked) -> dict[Cell, dict[RunStatus, int]]:
        """Return how many runs there are, by status."""
        ...

    async def usage(self, asked: FiguresAsked) -> dict[Cell, UsageFigures]:
        """Return what runs used."""
        ...

    async def durations(self, asked: FiguresAsked) -> dict[Cell, Percentiles]:
        """Return how long runs took that have ended."""
        ...

    async def steps(self, asked: FiguresAsked) -> dict[Cell, list[StepFigures]]:
        """Return the steps, skipped ones too, by type and ordered by it."""
        ...
