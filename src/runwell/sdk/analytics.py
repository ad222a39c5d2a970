"""`client.analytics`."""

from typing import Any, TypedDict, TypeVar, Unpack

from runwell.model.analytics import (
    CostSpent,
    CreditsConsumed,
    ExecutionDuration,
    Granularity,
    GroupBy,
    LiveRuns,
    RunsCount,
    RunsTimeseries,
    StepsExecuted,
    StepsSummary,
    SuccessRate,
    TokensUsed,
    UsageTimeseries,
)
from runwell.sdk.connection import Connection
from runwell.sdk.faces import Awaiting, Resource, Waiting, operation
from runwell.sdk.flow import Flow, ask
from runwell.sdk.request import request

T = TypeVar("T")


class Spanning(TypedDict, total=False):
    """Of which runs a figure is: those that began within `window` before now (`24h`, `30d`), or from `since` on and before `until`.

    Moments are RFC 3339 with an offset. Without all three it is the last 7 days. `group_by` parts the runs into groups.
    """

    window: str
    since: str
    until: str
    group_by: GroupBy
    workflow: str
    environment: str


class Charting(Spanning, total=False):
    """`granularity`: how long a bucket is; by default as it fits the span. `tz`: whose days (an IANA name)."""

    granularity: Granularity
    tz: str


class _Operations(Resource):
    @operation
    def live_runs(self, *, workflow: str | None = None, environment: str | None = None) -> Flow[LiveRuns]:
        """Return how many runs have not ended now, by status."""
        asked = request("GET", "analytics", "live-runs", query={"workflow": workflow, "environment": environment})
        return ask(self._connection, asked, LiveRuns)

    @operation
    def runs_count(self, **span: Unpack[Spanning]) -> Flow[RunsCount]:
        """Return how many runs began in the span, by status."""
        return _figure(self._connection, "runs-count", span, RunsCount)

    @operation
    def success_rate(self, **span: Unpack[Spanning]) -> Flow[SuccessRate]:
        """Return which share of the runs that have ended succeeded; None of fewer than three."""
        return _figure(self._connection, "success-rate", span, SuccessRate)

    @operation
    def steps_executed(self, **span: Unpack[Spanning]) -> Flow[StepsExecuted]:
        """Return how many steps the runs executed, by type and status."""
        return _figure(self._connection, "steps-executed", span, StepsExecuted)

    @operation
    def credits_consumed(self, **span: Unpack[Spanning]) -> Flow[CreditsConsumed]:
        """Return the credits that the runs consumed."""
        return _figure(self._connection, "credits-consumed", span, CreditsConsumed)

    @operation
    def tokens_used(self, **span: Unpack[Spanning]) -> Flow[TokensUsed]:
        """Return the tokens of the runs' model calls."""
        return _figure(self._connection, "tokens-used", span, TokensUsed)

    @operation
    def cost(self, **span: Unpack[Spanning]) -> Flow[CostSpent]:
        """Return what the runs' model calls cost."""
        return _figure(self._connection, "cost", span, CostSpent)

    @operation
    def execution_duration(self, **span: Unpack[Spanning]) -> Flow[ExecutionDuration]:
        """Return how long the runs took: mean and percentiles."""
        return _figure(self._connection, "execution-duration", span, ExecutionDuration)

    @operation
    def steps_summary(self, **span: Unpack[Spanning]) -> Flow[StepsSummary]:
        """Return count, failures and latency of the runs' steps, by type."""
        return _figure(self._connection, "steps-summary", span, StepsSummary)

    @operation
    def runs_timeseries(self, **chart: Unpack[Charting]) -> Flow[RunsTimeseries]:
        """Return how many runs began in each bucket of the span, by status."""
        return _figure(self._connection, "runs-timeseries", chart, RunsTimeseries)

    @operation
    def usage_timeseries(self, **chart: Unpack[Charting]) -> Flow[UsageTimeseries]:
        """Return steps, tokens, cost and credits of the runs that began in each bucket of the span."""
        return _figure(self._connection, "usage-timeseries", chart, UsageTimeseries)


def _figure(connection: Connection, name: str, asked: Spanning, kind: type[T]) -> Flow[T]:
    query: dict[str, Any] = {**asked}
    moments = {"from": query.pop("since", None), "to": query.pop("until", None)}
    return ask(connection, request("GET", "analytics", name, query=moments | query), kind)


class Analytics(_Operations, Waiting):
    """Figures about many runs, each with the search that yields its runs."""


class AsyncAnalytics(_Operations, Awaiting):
    """Figures about many runs, each with the search that yields its runs."""
