"""Analytics from records in memory: a fake for tests of what stands on it, and the measure that the store's figures are held to."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Final

import msgspec

from runwell.model.run import SET_APART
from runwell.model.run_record import RunRecord, StepRecord
from runwell.model.statuses import RunStatus
from runwell.model.usage import NO_USAGE, Usage
from runwell.ports.analytics import Cell, FiguresAsked, Groups, Percentiles, StepFigures, UsageFigures

_SKIPPED: Final = "skipped"


class MemoryAnalytics:
    """`Analytics` over the records that `kept` returns, of each run only the newest."""

    def __init__(self, kept: Callable[[], Iterable[RunRecord]] = tuple) -> None:
        self._kept = kept

    async def groups(self, asked: FiguresAsked, limit: int) -> Groups:
        counts = Counter(group for record in self._asked(asked) for group in _groups(asked, record))
        ordered = sorted(counts, key=lambda group: (-counts[group], group))
        return Groups(most=tuple(ordered[:limit]), count=len(ordered))

    async def statuses(self, asked: FiguresAsked) -> dict[Cell, dict[RunStatus, int]]:
        return {cell: dict(Counter(record.status for record in records)) for cell, records in self._cells(asked)}

    async def usage(self, asked: FiguresAsked) -> dict[Cell, UsageFigures]:
        return {cell: _usage(records, cell.group if asked.group_by == "model" else None) for cell, records in self._cells(asked)}

    async def durations(self, asked: FiguresAsked) -> dict[Cell, Percentiles]:
        found = {cell: _percentiles([record.duration_ms for record in records]) for cell, records in self._cells(asked)}
        return {cell: percentiles for cell, percentiles in found.items() if percentiles is not None}

    async def steps(self, asked: FiguresAsked) -> dict[Cell, list[StepFigures]]:
        found = {cell: _steps(records) for cell, records in self._cells(asked)}
        return {cell: figures for cell, figures in found.items() if figures}

    def _cells(self, asked: FiguresAsked) -> Iterator[tuple[Cell, list[RunRecord]]]:
        cells: dict[Cell, list[RunRecord]] = defaultdict(list)
        for record in self._asked(asked):
            bucket = max((start for start in asked.buckets if start <= record.begun_at), default=asked.begin)
            for group in _groups(asked, record):
                if asked.groups is None or group in asked.groups:
                    cells[Cell(bucket, group)].append(record)
        yield from cells.items()

    def _asked(self, asked: FiguresAsked) -> list[RunRecord]:
        runs: dict[str, RunRecord] = {}
        for record in (*self._kept(), *asked.newer):
            if record.run_id not in runs or runs[record.run_id].rev <= record.rev:
                runs[record.run_id] = record
        return [record for record in runs.values() if is_counted(asked, record)]


def is_counted(asked: FiguresAsked, record: RunRecord) -> bool:
    """Return whether the run is one of those that are asked about, whatever its group."""
    return (
        record.scope == asked.scope
        and not asked.removals.has(record)
        and asked.begin <= record.begun_at < asked.end
        and record.archived_at is None
        and (record.environment not in SET_APART if asked.environment is None else record.environment == asked.environment)
        and asked.workflow_id in (None, record.workflow_id)
    )


def _groups(asked: FiguresAsked, record: RunRecord) -> set[str]:
    if asked.group_by == "model":
        return {made.model for made in record.generations}
    if asked.group_by == "version":
        return {f"{record.workflow_id}/{record.version}"}
    return {"" if asked.group_by is None else record.workflow_id if asked.group_by == "workflow" else record.trigger}


def _usage(records: Sequence[RunRecord], model: str | None) -> UsageFigures:
    used = [record.usage if model is None else _of_model(record, model) for record in records]
    figures = UsageFigures(runs=len(records), steps=sum(len(_executed(record)) for record in records), usage=reduce(add, used, NO_USAGE))
    if model is not None:
        return figures
    saved = {name: sum(getattr(record, name) for record in records) for name in ("cache_hits", "saved_nanos", "saved_ms")}
    return msgspec.structs.replace(figures, **saved)


def _of_model(record: RunRecord, model: str) -> Usage:
    calls = [made.usage for made in record.generations if made.model == model]
    return msgspec.structs.replace(reduce(add, calls, NO_USAGE), generations=len(calls))


def _executed(record: RunRecord) -> list[StepRecord]:
    return [step for step in record.steps if step.type and step.status != _SKIPPED]


def _percentiles(durations: Iterable[int | None]) -> Percentiles | None:
    known = sorted(duration for duration in durations if duration is not None)
    if not known:
        return None
    p50, p90, p95, p99 = (known[min(int(level * len(known)), len(known) - 1)] for level in (0.5, 0.9, 0.95, 0.99))
    return Percentiles(count=len(known), total_ms=sum(known), p50_ms=p50, p90_ms=p90, p95_ms=p95, p99_ms=p99)


def _steps(records: Sequence[RunRecord]) -> list[StepFigures]:
    by_type: dict[str, list[tuple[str, StepRecord]]] = defaultdict(list)
    for record in records:
        for step in record.steps:
            by_type[step.type].append((record.run_id, step))
    return [
        StepFigures(
            type=step_type,
            statuses=dict(Counter(step.status for _, step in found)),
            runs=len({run_id for run_id, _ in found}),
            latency=_percentiles(step.duration_ms for _, step in found if step.status != _SKIPPED),
        )
        for step_type, found in sorted(by_type.items())
    ]
