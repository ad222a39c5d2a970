"""Figures about many runs: what the analytics answer. Each row and bucket has the search that yields its runs."""

from typing import Literal

import msgspec

from runwell.model.statuses import RunStatus

Granularity = Literal["minute", "hour", "day", "week", "month"]
GroupBy = Literal["workflow", "model", "version", "trigger"]

FEWEST_ENDED = 3
"""A success rate of fewer runs says nothing."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs the figures are of: those that began from `start` on and before `end`; one not yet started counts by its creation.

    `behind_ms`: there only when something may be missing, which happened up to so long ago.
    """

    start: str
    end: str
    behind_ms: int | msgspec.UnsetType = msgspec.UNSET


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the runs of a row have in common. A version is given with its workflow."""

    workflow_id: str | None = None
    version: int | None = None
    model: str | None = None
    trigger: str | None = None


class StatusCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the runs have this status."""

    status: RunStatus
    label: str
    count: int
    search: str


class LiveRuns(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs have not ended, now."""

    count: int
    statuses: list[StatusCount]
    search: str


class CountRow(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs there are, by status."""

    runs: int
    statuses: list[StatusCount]
    search: str
    group: Group | None = None


class SuccessRow(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the runs that ended succeeded. `success_rate`, from 0 to 1, is null under `fewest` ended runs.

    `search` yields the runs that ended.
    """

    ended: int
    succeeded: int
    success_rate: float | None
    search: str
    group: Group | None = None


class StepTypeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many steps of a type were executed; `statuses` counts skipped ones, too. `search` yields the `runs` with any step of the type."""

    type: str
    executed: int
    statuses: dict[str, int]
    runs: int
    search: str


class StepsRow(msgspec.Struct, frozen=True, kw_only=True):
    """How many steps the runs executed. `search` yields the runs, those without steps too.

    `not_begun` counts, by status, steps that were skipped or failed before they began: these have no type, and are not executed.
    """

    executed: int
    not_begun: dict[str, int]
    types: list[StepTypeCount]
    search: str
    group: Group | None = None


class StepLatency(msgspec.Struct, frozen=True, kw_only=True):
    """How long the steps of a type took, in ms, from their start to their end, waits and retries included.

    `timed` of the `executed` steps have ended; percentiles are of these, and null without any.
    """

    type: str
    executed: int
    failed: int
    timed: int
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None
    runs: int
    search: str


class StepsSummaryRow(msgspec.Struct, frozen=True, kw_only=True):
    """Count, failures and latency of the executed steps, by type; `not_begun` as for `StepsRow`. `search` yields the runs."""

    not_begun: dict[str, int]
    types: list[StepLatency]
    search: str
    group: Group | None = None


class DurationRow(msgspec.Struct, frozen=True, kw_only=True):
    """How long runs took, in ms, from start to end. Percentiles are exact: the duration that so many are at or below.

    `search` yields the `count` runs that have a duration. Null without any.
    """

    count: int
    mean_ms: int | None
    p50_ms: int | None
    p90_ms: int | None
    p95_ms: int | None
    p99_ms: int | None
    search: str
    group: Group | None = None


class CreditsRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the runs consumed, in credits, as decimal."""

    runs: int
    credits: str
    search: str
    group: Group | None = None


class TokensRow(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of model calls. Cached ones are part of the input, reasoning ones of the output. A group by model has that model's own."""

    runs: int
    tokens: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    generations: int
    search: str
    group: Group | None = None


class CostRow(msgspec.Struct, frozen=True, kw_only=True):
    """What model calls cost in US dollars, as decimal. A group by model has that model's own.

    `cache_hits`: results that were had from the cache instead, and what these had cost, and taken, when they were made; none in a
    group by model.
    """

    runs: int
    cost_usd: str
    cache_hits: int = 0
    saved_cost_usd: str = "0"
    saved_ms: int = 0
    search: str
    group: Group | None = None


class RunsBucket(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that began from `start` on and before `end`, by status."""

    start: str
    end: str
    runs: int
    statuses: dict[RunStatus, int]
    search: str


class UsageBucket(msgspec.Struct, frozen=True, kw_only=True):
    """What the runs that began from `start` on and before `end` used."""

    start: str
    end: str
    runs: int
    steps: int
    generations: int
    tokens: int
    input_tokens: int
    output_tokens: int
    cost_usd: str
    credits: str
    search: str
    cache_hits: int = 0
    saved_cost_usd: str = "0"
    saved_ms: int = 0


class RunsSeries(msgspec.Struct, frozen=True, kw_only=True):
    """Every bucket, empty ones too. The first and the last may be cut short by the span."""

    buckets: list[RunsBucket]
    group: Group | None = None


class UsageSeries(msgspec.Struct, frozen=True, kw_only=True):
    """Every bucket, empty ones too. The first and the last may be cut short by the span."""

    buckets: list[UsageBucket]
    group: Group | None = None


class RunsCount(Span, frozen=True, kw_only=True):
    """`groups` are those with the most runs; `groups_left_out` have fewer. Without `group_by` there are none."""

    total: CountRow
    groups: list[CountRow] = []
    groups_left_out: int = 0


class SuccessRate(Span, frozen=True, kw_only=True):
    """`groups` are those with the most runs; `groups_left_out` have fewer."""

    fewest: int = FEWEST_ENDED
    total: SuccessRow
    groups: list[SuccessRow] = []
    groups_left_out: int = 0


class StepsExecuted(Span, frozen=True, kw_only=True):
    """`groups` are those with the most runs; `groups_left_out` have fewer."""

    total: StepsRow
    groups: list[StepsRow] = []
    groups_left_out: int = 0


class StepsSummary(Span, frozen=True, kw_only=True):
    """`groups` are those with the most runs; `groups_left_out` have fewer."""

    total: StepsSummaryRow
    groups: list[StepsSummaryRow] = []
    groups_left_out: int = 0


class ExecutionDuration(Span, frozen=True, kw_only=True):
    """`groups` are those with the most runs; `groups_left_out` have fewer."""

    total: DurationRow
    groups: list[DurationRow] = []
    groups_left_out: int = 0


class CreditsConsumed(Span, frozen=True, kw_only=True):
    """`metered` is false as long as nothing is metered: then `credits` is 0, whatever was used."""

    metered: bool = False
    total: CreditsRow
    groups: list[CreditsRow] = []
    groups_left_out: int = 0


class TokensUsed(Span, frozen=True, kw_only=True):
    """`groups` are those with the most runs; `groups_left_out` have fewer."""

    total: TokensRow
    groups: list[TokensRow] = []
    groups_left_out: int = 0


class CostSpent(Span, frozen=True, kw_only=True):
    """`groups` are those with the most runs; `groups_left_out` have fewer."""

    total: CostRow
    groups: list[CostRow] = []
    groups_left_out: int = 0


class RunsTimeseries(Span, frozen=True, kw_only=True):
    """Runs over time: one series, or with `group_by` one for each of the groups with the most runs."""

    granularity: Granularity
    tz: str
    series: list[RunsSeries]
    groups_left_out: int = 0


class UsageTimeseries(Span, frozen=True, kw_only=True):
    """Usage over time: one series, or with `group_by` one for each of the groups with the most runs."""

    granularity: Granularity
    tz: str
    series: list[UsageSeries]
    groups_left_out: int = 0
