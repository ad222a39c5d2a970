"""Analytics: figures about many runs, each with the search that yields its runs."""

from typing import Annotated

from fastapi import Depends, Query

from runwell.api.answers import Answer, answers
from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_routes import Environment
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
from runwell.query import figure_series, figure_tables
from runwell.query.analytics import Chart, Figures, Wanted
from runwell.query.finding import find_workflow
from runwell.query.spans import DEFAULT_WINDOW, bucket_starts, fitting, span_of, zone_of

routes = router("analytics")

_TEXT = r"^[^\x00]+$"
Window = Annotated[
    str | None,
    Query(
        max_length=40,
        pattern=_TEXT,
        description=f"The time before now: a number and m, h, d or w. {DEFAULT_WINDOW} unless `from` is given.",
        examples=["30d"],
    ),
]
From = Annotated[
    str | None,
    Query(
        alias="from",
        max_length=60,
        pattern=_TEXT,
        description="Runs that began from then on (RFC 3339).",
        examples=["2026-06-01T00:00:00Z"],
    ),
]
To = Annotated[
    str | None,
    Query(max_length=60, pattern=_TEXT, description="Runs that began before then; now by default.", examples=["2026-07-01T00:00:00Z"]),
]
By = Annotated[GroupBy | None, Query(description="Part the runs into groups. A run that called several models is in the group of each.")]
OfWorkflow = Annotated[
    str | None, Query(alias="workflow", min_length=1, max_length=200, pattern=_TEXT, description="Only of this workflow: its id or slug.")
]
Grain = Annotated[Granularity | None, Query(description="How long a bucket is; by default as it fits the span.")]
Zone = Annotated[
    str,
    Query(
        max_length=64, pattern=_TEXT, description="Whose hours, days, weeks and months buckets are (IANA name).", examples=["Europe/Berlin"]
    ),
]


async def _figures(server: Server) -> Figures:
    return Figures(server.run_store.analytics, server.projection)


Read = Annotated[Figures, Depends(_figures)]


async def _wanted(
    caller: Caller,
    server: Server,
    window: Window = None,
    start: From = None,
    to: To = None,
    group_by: By = None,
    workflow: OfWorkflow = None,
    environment: Environment = None,
) -> Wanted:
    span = span_of(window, start, to, server.now())
    workflow_id = None if workflow is None else await find_workflow(server.definitions, caller.scope, workflow)
    return Wanted(scope=caller.scope, span=span, workflow_id=workflow_id, environment=environment, group_by=group_by)


async def _chart(wanted: Annotated[Wanted, Depends(_wanted)], granularity: Grain = None, tz: Zone = "UTC") -> Chart:
    chosen = granularity or fitting(wanted.span)
    return Chart(granularity=chosen, tz=tz, starts=bucket_starts(wanted.span, chosen, zone_of(tz)))


Asked = Annotated[Wanted, Depends(_wanted)]
Drawn = Annotated[Chart, Depends(_chart)]


@routes.get("/v1/analytics/live-runs", responses=answers(LiveRuns, "How many runs have not ended."))
@needs("workflow:read")
async def get_live_runs(caller: Caller, server: Server, workflow: OfWorkflow = None, environment: Environment = None) -> Answer:
    """Return how many runs have not ended now, by status. It is counted where runs are kept first, and is never behind."""
    workflow_id = None if workflow is None else await find_workflow(server.definitions, caller.scope, workflow)
    return Answer(await figure_tables.live_runs(server.journal, caller.scope, workflow_id, environment))


@routes.get("/v1/analytics/runs-count", responses=answers(RunsCount, "How many runs there are."))
@needs("workflow:read")
async def get_runs_count(wanted: Asked, figures: Read) -> Answer:
    """Return how many runs began in the span, by status."""
    return Answer(await figure_tables.runs_count(figures, wanted))


@routes.get("/v1/analytics/success-rate", responses=answers(SuccessRate, "How many of the runs succeeded."))
@needs("workflow:read")
async def get_success_rate(wanted: Asked, figures: Read) -> Answer:
    """Return which share of the runs that began in the span and have ended succeeded. It is null when fewer than three have ended.

    Runs that were stopped have ended, too: they lower the rate.
    """
    return Answer(await figure_tables.success_rate(figures, wanted))


@routes.get("/v1/analytics/steps-executed", responses=answers(StepsExecuted, "How many steps were executed."))
@needs("workflow:read")
async def get_steps_executed(wanted: Asked, figures: Read) -> Answer:
    """Return how many steps the runs executed that began in the span, by type and status. Steps that never began do not count."""
    return Answer(await figure_tables.steps_executed(figures, wanted))


@routes.get("/v1/analytics/credits-consumed", responses=answers(CreditsConsumed, "The credits that were consumed."))
@needs("workflow:read")
async def get_credits_consumed(wanted: Asked, figures: Read) -> Answer:
    """Return the credits that the runs consumed that began in the span. Nothing is metered yet: `metered` is false, credits are 0."""
    return Answer(await figure_tables.credits_consumed(figures, wanted))


@routes.get("/v1/analytics/tokens-used", responses=answers(TokensUsed, "The tokens that were used."))
@needs("workflow:read")
async def get_tokens_used(wanted: Asked, figures: Read) -> Answer:
    """Return the tokens of the model calls of the runs that began in the span."""
    return Answer(await figure_tables.tokens_used(figures, wanted))


@routes.get("/v1/analytics/cost", responses=answers(CostSpent, "What model calls cost."))
@needs("workflow:read")
async def get_cost(wanted: Asked, figures: Read) -> Answer:
    """Return what the model calls cost of the runs that began in the span, in US dollars."""
    return Answer(await figure_tables.cost_spent(figures, wanted))


@routes.get("/v1/analytics/execution-duration", responses=answers(ExecutionDuration, "How long runs took."))
@needs("workflow:read")
async def get_execution_duration(wanted: Asked, figures: Read) -> Answer:
    """Return how long the runs took, from start to end, that began in the span and have ended: count, mean and percentiles."""
    return Answer(await figure_tables.execution_duration(figures, wanted))


@routes.get("/v1/analytics/steps-summary", responses=answers(StepsSummary, "How steps did, by type."))
@needs("workflow:read")
async def get_steps_summary(wanted: Asked, figures: Read) -> Answer:
    """Return count, failures and latency percentiles of the executed steps of the runs that began in the span, by type."""
    return Answer(await figure_tables.steps_summary(figures, wanted))


@routes.get("/v1/analytics/runs-timeseries", responses=answers(RunsTimeseries, "Runs over time."))
@needs("workflow:read")
async def get_runs_timeseries(wanted: Asked, chart: Drawn, figures: Read) -> Answer:
    """Return how many runs began in each bucket of the span, by their status now; empty ones are there, too."""
    return Answer(await figure_series.runs_timeseries(figures, wanted, chart))


@routes.get("/v1/analytics/usage-timeseries", responses=answers(UsageTimeseries, "Usage over time."))
@needs("workflow:read")
async def get_usage_timeseries(wanted: Asked, chart: Drawn, figures: Read) -> Answer:
    """Return steps, tokens, cost and credits of the runs that began in each bucket of the span. Empty buckets are there, too."""
    return Answer(await figure_series.usage_timeseries(figures, wanted, chart))
