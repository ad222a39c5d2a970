"""Analytics as tables: a row for all runs, and one for each group."""

from runwell.model.analytics import (
    FEWEST_ENDED,
    CostRow,
    CostSpent,
    CountRow,
    CreditsConsumed,
    CreditsRow,
    DurationRow,
    ExecutionDuration,
    Group,
    LiveRuns,
    RunsCount,
    StatusCount,
    StepLatency,
    StepsExecuted,
    StepsRow,
    StepsSummary,
    StepsSummaryRow,
    StepTypeCount,
    SuccessRate,
    SuccessRow,
    TokensRow,
    TokensUsed,
)
from runwell.model.run import SET_APART
from runwell.model.run_query import All
from runwell.model.scope import Scope
from runwell.model.statuses import RUN_LABELS, TERMINAL, RunStatus
from runwell.model.usage import credits, usd
from runwell.ports.analytics import Percentiles, StepFigures, UsageFigures
from runwell.ports.journal import JournalReader, RunFilter
from runwell.query.analytics import Figures, Wanted, parted
from runwell.query.figure_searches import ENDED, EVER, LIVE, TIMED, status_is, step_type_is, within
from runwell.search.show import show

_NOTHING = UsageFigures()
Statuses = dict[RunStatus, int]


def _executed(step: StepFigures) -> int:
    return sum(count for status, count in step.statuses.items() if status != "skipped")


def _not_begun(found: list[StepFigures] | None) -> dict[str, int]:
    return next((step.statuses for step in found or () if not step.type), {})


async def live_runs(journal: JournalReader, scope: Scope, workflow_id: str | None, environment: str | None) -> LiveRuns:
    """Return how many runs have not ended, from the journal's own rows."""
    wanted = RunFilter(scope=scope, workflow_id=workflow_id, environment=environment, testing=environment in SET_APART, statuses=LIVE)
    counts = await journal.status_counts(wanted)
    narrowed = (EVER, *within(workflow_id, environment))
    statuses = [
        StatusCount(status=status, label=RUN_LABELS[status], count=counts.get(status, 0), search=show(All((*narrowed, status_is(status)))))
        for status in LIVE
    ]
    return LiveRuns(count=sum(counts.values()), statuses=statuses, search=show(All((*narrowed, status_is(*LIVE)))))


async def runs_count(figures: Figures, wanted: Wanted) -> RunsCount:
    """Return how many runs there are, by status."""

    def row(found: Statuses | None, group: Group | None) -> CountRow:
        counts = found or {}
        statuses = [
            StatusCount(status=status, label=RUN_LABELS[status], count=counts[status], search=wanted.search(status_is(status), group=group))
            for status in RunStatus
            if status in counts
        ]
        return CountRow(runs=sum(counts.values()), statuses=statuses, search=wanted.search(group=group), group=group)

    return RunsCount(**(await parted(figures, wanted, figures.analytics.statuses)).table(row))


async def success_rate(figures: Figures, wanted: Wanted) -> SuccessRate:
    """Return how many of the runs that ended succeeded."""

    def row(found: Statuses | None, group: Group | None) -> SuccessRow:
        counts = found or {}
        ended, succeeded = sum(counts.get(status, 0) for status in TERMINAL), counts.get(RunStatus.SUCCEEDED, 0)
        rate = None if ended < FEWEST_ENDED else succeeded / ended
        return SuccessRow(ended=ended, succeeded=succeeded, success_rate=rate, search=wanted.search(ENDED, group=group), group=group)

    return SuccessRate(**(await parted(figures, wanted, figures.analytics.statuses)).table(row))


async def execution_duration(figures: Figures, wanted: Wanted) -> ExecutionDuration:
    """Return how long runs took that have ended."""

    def row(found: Percentiles | None, group: Group | None) -> DurationRow:
        return DurationRow(
            count=found.count if found else 0,
            mean_ms=round(found.total_ms / found.count) if found else None,
            p50_ms=found.p50_ms if found else None,
            p90_ms=found.p90_ms if found else None,
            p95_ms=found.p95_ms if found else None,
            p99_ms=found.p99_ms if found else None,
            search=wanted.search(TIMED, group=group),
            group=group,
        )

    return ExecutionDuration(**(await parted(figures, wanted, figures.analytics.durations)).table(row))


async def credits_consumed(figures: Figures, wanted: Wanted) -> CreditsConsumed:
    """Return the credits that runs consumed."""

    def row(found: UsageFigures | None, group: Group | None) -> CreditsRow:
        used = found or _NOTHING
        return CreditsRow(runs=used.runs, credits=credits(used.credits_micro), search=wanted.search(group=group), group=group)

    return CreditsConsumed(**(await parted(figures, wanted, figures.analytics.usage)).table(row))


async def tokens_used(figures: Figures, wanted: Wanted) -> TokensUsed:
    """Return the tokens of model calls."""

    def row(found: UsageFigures | None, group: Group | None) -> TokensRow:
        used = (found or _NOTHING).usage
        return TokensRow(
            runs=(found or _NOTHING).runs,
            tokens=used.input_tokens + used.output_tokens,
            input_tokens=used.input_tokens,
            cached_tokens=used.cached_tokens,
            output_tokens=used.output_tokens,
            reasoning_tokens=used.reasoning_tokens,
            generations=used.generations,
            search=wanted.search(group=group),
            group=group,
        )

    return TokensUsed(**(await parted(figures, wanted, figures.analytics.usage)).table(row))


async def cost_spent(figures: Figures, wanted: Wanted) -> CostSpent:
    """Return what model calls cost."""

    def row(found: UsageFigures | None, group: Group | None) -> CostRow:
        used = found or _NOTHING
        return CostRow(
            runs=used.runs,
            cost_usd=usd(used.usage.cost_nanos),
            cache_hits=used.cache_hits,
            saved_cost_usd=usd(used.saved_nanos),
            saved_ms=used.saved_ms,
            search=wanted.search(group=group),
            group=group,
        )

    return CostSpent(**(await parted(figures, wanted, figures.analytics.usage)).table(row))


async def steps_executed(figures: Figures, wanted: Wanted) -> StepsExecuted:
    """Return how many steps were executed, by type and status."""

    def of_type(step: StepFigures, group: Group | None) -> StepTypeCount:
        search = wanted.search(step_type_is(step.type), group=group)
        return StepTypeCount(type=step.type, executed=_executed(step), statuses=step.statuses, runs=step.runs, search=search)

    def row(found: list[StepFigures] | None, group: Group | None) -> StepsRow:
        types = [of_type(step, group) for step in found or () if step.type]
        executed = sum(each.executed for each in types)
        return StepsRow(executed=executed, not_begun=_not_begun(found), types=types, search=wanted.search(group=group), group=group)

    return StepsExecuted(**(await parted(figures, wanted, figures.analytics.steps)).table(row))


async def steps_summary(figures: Figures, wanted: Wanted) -> StepsSummary:
    """Return count, failures and latency of steps, by type."""

    def of_type(step: StepFigures, group: Group | None) -> StepLatency:
        return StepLatency(
            type=step.type,
            executed=_executed(step),
            failed=step.statuses.get("failed", 0),
            timed=step.latency.count if step.latency else 0,
            p50_ms=step.latency.p50_ms if step.latency else None,
            p95_ms=step.latency.p95_ms if step.latency else None,
            p99_ms=step.latency.p99_ms if step.latency else None,
            runs=step.runs,
            search=wanted.search(step_type_is(step.type), group=group),
        )

    def row(found: list[StepFigures] | None, group: Group | None) -> StepsSummaryRow:
        types = [of_type(step, group) for step in found or () if step.type]
        return StepsSummaryRow(not_begun=_not_begun(found), types=types, search=wanted.search(group=group), group=group)

    return StepsSummary(**(await parted(figures, wanted, figures.analytics.steps)).table(row))
