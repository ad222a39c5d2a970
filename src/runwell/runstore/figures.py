"""Analytics in SQL: from what is asked to queries over `run_facts`, and from their rows to figures.

Every query reads from `facts`: the store's rows, less those of runs that came newer with the question, and these runs.
So what is newer counts in exactly the same way.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from runwell.model.run import SET_APART
from runwell.model.run_record import RunRecord
from runwell.model.statuses import RunStatus, StepStatus
from runwell.model.usage import Usage
from runwell.ports.analytics import Cell, FiguresAsked, Percentiles, StepFigures, UsageFigures
from runwell.runstore.facts import COLUMNS, newer_facts
from runwell.runstore.leaving_out import none_of
from runwell.runstore.tenancy import within

TENANT: Final = "tenant = sipHash64({scope_org:String}, {scope_project:String})"
"""What the table is ordered by; `within` tells exactly."""

CLOCK_SLACK_MS: Final = 86_400_000
"""A clock may have been set back by this much between a run's creation and its start."""

_USED: Final = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost_nanos")
_SAVED: Final = ("cache_hits", "saved_nanos", "saved_ms")
_QUANTILES: Final = "quantilesExact(0.5, 0.9, 0.95, 0.99)"

_NO_RUN: Final = "run NOT IN (SELECT toUUID(arrayJoin(?)))"
_TIMED: Final = "took >= 0 AND became != 'skipped'"

_GROUPS: Final = {
    None: ("", "''"),
    "workflow": ("workflow_id", "toString(workflow_id)"),
    "version": ("workflow_id version", "concat(workflow_id, '/', toString(version))"),
    "trigger": ("trigger", "toString(trigger)"),
    "model": ("model.name", "toString(model_name)"),
}
"""From group to the columns that it needs, and what makes its name of them."""


class Question(msgspec.Struct, frozen=True):
    """SQL and the parameters that are bound."""

    sql: str
    parameters: dict[str, Any]


def groups_question(asked: FiguresAsked, limit: int) -> Question:
    """Rows are `(group, runs, groups in all)`."""
    source, parameters = _source(asked, ())
    sql = f"SELECT cell_group, count() AS runs, count() OVER () AS every FROM {source} GROUP BY cell_group ORDER BY runs DESC, cell_group"
    return Question(f"{sql} LIMIT {int(limit)}", parameters)


def statuses_question(asked: FiguresAsked) -> Question:
    source, parameters = _source(asked, ("status",))
    return Question(f"SELECT cell, cell_group, status, count() FROM {source} GROUP BY cell, cell_group, status", parameters)


def usage_question(asked: FiguresAsked) -> Question:
    own = asked.group_by == "model"
    names = [f"model.{name}" for name in ("calls", *_USED)] if own else ["generation_count", *_USED, *_SAVED]
    source, parameters = _source(asked, ("step_type", "step_status", *names))
    sums = ", ".join(f"sum({_plain(name)})" for name in names)
    executed = "sum(arrayCount((kind, became) -> kind != '' AND became != 'skipped', step_type, step_status))"
    return Question(f"SELECT cell, cell_group, count(), {executed}, {sums} FROM {source} GROUP BY cell, cell_group", parameters)


def durations_question(asked: FiguresAsked) -> Question:
    source, parameters = _source(asked, ("duration_ms",))
    figures = f"count(), sum(duration_ms), {_QUANTILES}(duration_ms)"
    return Question(f"SELECT cell, cell_group, {figures} FROM {source} WHERE duration_ms >= 0 GROUP BY cell, cell_group", parameters)


def steps_question(asked: FiguresAsked) -> Question:
    source, parameters = _source(asked, ("step_type", "step_status", "step_ms"))
    statuses = ", ".join(f"countIf(became = '{status.value}')" for status in StepStatus)
    sql = f"""
        SELECT cell, cell_group, type, countIf(nth = 1), {statuses},
            countIf({_TIMED}), sumIf(took, {_TIMED}), {_QUANTILES.replace("Exact", "ExactIf")}(took, {_TIMED})
        FROM {source}
        ARRAY JOIN step_type AS type, step_status AS became, step_ms AS took, arrayEnumerateUniq(step_type) AS nth
        GROUP BY cell, cell_group, type ORDER BY type
    """
    return Question(sql, parameters)


def statuses_of(rows: Sequence[Sequence[Any]]) -> dict[Cell, dict[RunStatus, int]]:
    found: dict[Cell, dict[RunStatus, int]] = {}
    for bucket, group, status, count in rows:
        found.setdefault(Cell(bucket, group), {})[RunStatus(status)] = count
    return found


def usage_of(rows: Sequence[Sequence[Any]]) -> dict[Cell, UsageFigures]:
    return {
        Cell(bucket, group): UsageFigures(
            runs=runs,
            steps=steps,
            usage=Usage(generations=generations, **dict(zip(_USED, map(int, used), strict=False))),
            **dict(zip(_SAVED, map(int, used[len(_USED) :]), strict=False)),
        )
        for bucket, group, runs, steps, generations, *used in rows
    }


def durations_of(rows: Sequence[Sequence[Any]]) -> dict[Cell, Percentiles]:
    return {Cell(bucket, group): _percentiles(count, total, levels) for bucket, group, count, total, levels in rows}


def steps_of(rows: Sequence[Sequence[Any]]) -> dict[Cell, list[StepFigures]]:
    found: dict[Cell, list[StepFigures]] = {}
    for bucket, group, step_type, runs, *counts, timed, total, levels in rows:
        latency = _percentiles(timed, total, levels) if timed else None
        statuses = {status.value: count for status, count in zip(StepStatus, counts, strict=True) if count}
        figures = StepFigures(type=step_type, statuses=statuses, runs=runs, latency=latency)
        found.setdefault(Cell(bucket, group), []).append(figures)
    return found


def _percentiles(count: int, total: int, levels: Sequence[int]) -> Percentiles:
    p50, p90, p95, p99 = map(int, levels)
    return Percentiles(count=count, total_ms=int(total), p50_ms=p50, p90_ms=p90, p95_ms=p95, p99_ms=p99)


def _source(asked: FiguresAsked, columns: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return a subquery with `cell`, `cell_group` and the columns, and its parameters. Those of models lose their dot."""
    of_group, group = _GROUPS[asked.group_by]
    needed = [name for name in COLUMNS if name in {"begun_at", *of_group.split(), *columns}]
    facts, parameters = _facts(asked, needed)
    parting = [name for name in needed if name.startswith("model.")]
    joined = f"ARRAY JOIN {', '.join(f'`{name}` AS {_plain(name)}' for name in parting)}" if parting else ""
    shown = ", ".join(_plain(name) for name in columns)
    bucket = "roundDown(begun_at, {buckets:Array(Int64)})" if asked.buckets else "{begin:Int64}"
    if asked.buckets:
        parameters["buckets"] = list(asked.buckets)
    chosen = ""
    if asked.groups is not None:
        chosen, parameters["groups"] = "WHERE has({groups:Array(String)}, cell_group)", list(asked.groups)
    sql = f"SELECT {bucket} AS cell, {group} AS cell_group{', ' if shown else ''}{shown} FROM ({facts}) {joined} {chosen}"
    return f"({sql})", parameters


def _plain(name: str) -> str:
    return name.replace(".", "_")


def _facts(asked: FiguresAsked, columns: Sequence[str]) -> tuple[str, dict[str, Any]]:
    newer, hidden = _newer(asked)
    mine, scope = within(asked.scope)
    parameters: dict[str, Any] = {**scope, "begin": asked.begin, "end": asked.end, "before": asked.end + CLOCK_SLACK_MS}
    conditions = [TENANT, mine, "begun_at >= {begin:Int64}", "begun_at < {end:Int64}", "created_at < {before:Int64}", "NOT archived"]
    if asked.environment is None:
        conditions.append("NOT has({apart:Array(String)}, environment)")
        parameters["apart"] = list(SET_APART)
    else:
        conditions.append("environment = {environment:String}")
        parameters["environment"] = asked.environment
    if asked.workflow_id is not None:
        conditions.append("workflow_id = {workflow:String}")
        parameters["workflow"] = asked.workflow_id
    for condition, name, ids in (
        (_NO_RUN, "hidden", hidden),
        (_NO_RUN, "removed", [run_id[4:] for run_id in sorted(asked.removals.runs)]),
        ("workflow_id NOT IN ?", "removed_workflow", sorted(asked.removals.workflows)),
    ):
        left_out, named = none_of(condition, name, ids)
        conditions += left_out
        parameters |= named
    chosen = ", ".join(f"CAST(`{name}`, '{COLUMNS[name]}') AS `{name}`" if newer else f"`{name}`" for name in columns)
    sql = f"SELECT {chosen} FROM run_facts FINAL WHERE {' AND '.join(conditions)}"
    if newer:
        of_newer, rows = newer_facts(columns, newer)
        sql, parameters = f"{sql} UNION ALL {of_newer}", parameters | rows
    return sql, parameters


def _newer(asked: FiguresAsked) -> tuple[list[RunRecord], list[str]]:
    """Return those of the newer runs that count, and the ids whose rows do not."""
    mine = [record for record in asked.newer if record.scope == asked.scope and not asked.removals.has(record)]
    return [record for record in mine if _is_counted(asked, record)], [record.run_id[4:] for record in mine]


def _is_counted(asked: FiguresAsked, record: RunRecord) -> bool:
    environment = record.environment not in SET_APART if asked.environment is None else record.environment == asked.environment
    workflow = asked.workflow_id in (None, record.workflow_id)
    return asked.begin <= record.begun_at < asked.end and record.archived_at is None and environment and workflow
