"""How an experiment's variants did, side by side. Pure."""

import math
from collections.abc import Sequence
from typing import Any

from runwell.model.datasets import DatasetRow
from runwell.model.experiments import (
    Cell,
    ComparedCell,
    ComparedRow,
    Comparison,
    Experiment,
    Outcome,
    Spread,
    VariantFigures,
)
from runwell.model.usage import usd


def comparison(experiment: Experiment, cells: Sequence[Cell]) -> Comparison:
    """Return the figures of each variant, in the experiment's order."""
    base = {cell.row: cell for cell in cells if cell.variant == baseline_of(experiment)}
    figures = [
        _figures(experiment, place, [cell for cell in cells if cell.variant == place], base) for place in range(len(experiment.variants))
    ]
    return Comparison(experiment=experiment, variants=figures)


def compared_rows(experiment: Experiment, cells: Sequence[Cell], rows: Sequence[DatasetRow], start: int, limit: int) -> list[ComparedRow]:
    """Return what the variants made of the rows from `start` on. `rows` may be empty: then the dataset is gone."""
    by_row: dict[int, list[Cell]] = {}
    for cell in cells:
        by_row.setdefault(cell.row, []).append(cell)
    return [_row(experiment, row, by_row[row], rows) for row in sorted(by_row)[start : start + limit]]


def baseline_of(experiment: Experiment) -> int:
    """Return the place of the baseline among the variants."""
    return next(place for place, tried in enumerate(experiment.variants) if tried.variant.name == experiment.baseline)


def spread(numbers: Sequence[float]) -> Spread | None:
    """Return how the numbers spread; None without any."""
    if not numbers:
        return None
    ordered = sorted(numbers)
    p50, p90, p95, p99 = (ordered[max(math.ceil(len(ordered) * share / 100) - 1, 0)] for share in (50, 90, 95, 99))
    return Spread(count=len(ordered), mean=math.fsum(ordered) / len(ordered), p50=p50, p90=p90, p95=p95, p99=p99)


def outcome(cell: Cell, base: Cell | None) -> Outcome | None:
    """Return how the cell did against the baseline's of its row: by score, and one that failed loses to one that did not."""
    if base is None or cell.variant == base.variant or "pending" in (cell.status, base.status) or "stopped" in (cell.status, base.status):
        return None
    if cell.status != base.status:
        return "win" if cell.status == "succeeded" else "loss"
    if cell.status == "failed":
        return "tie"
    mine, theirs = cell.points, base.points
    if mine is None or theirs is None:
        return None
    return "tie" if mine == theirs else "win" if mine > theirs else "loss"


def _figures(experiment: Experiment, place: int, cells: Sequence[Cell], base: dict[int, Cell]) -> VariantFigures:
    tried, outcomes = experiment.variants[place], [outcome(cell, base.get(cell.row)) for cell in cells]
    statuses = [cell.status for cell in cells]
    cost, ended = sum(cell.cost_nanos for cell in cells), [cell for cell in cells if cell.status in ("succeeded", "failed")]
    return VariantFigures(
        name=tried.variant.name,
        version=tried.version,
        is_baseline=tried.variant.name == experiment.baseline,
        succeeded=statuses.count("succeeded"),
        failed=statuses.count("failed"),
        pending=statuses.count("pending"),
        stopped=statuses.count("stopped"),
        score=spread([cell.points for cell in cells if cell.points is not None]),
        evaluators=_by_evaluator(cells),
        duration_ms=spread([cell.duration_ms for cell in cells if cell.status == "succeeded" and cell.duration_ms is not None]),
        cost_usd=usd(cost),
        mean_cost_usd=usd(round(sum(cell.cost_nanos for cell in ended) / len(ended))) if ended else None,
        evaluation_cost_usd=usd(sum(cell.evaluation_nanos for cell in cells)),
        wins=outcomes.count("win"),
        losses=outcomes.count("loss"),
        ties=outcomes.count("tie"),
    )


def _by_evaluator(cells: Sequence[Cell]) -> dict[str, Spread]:
    told: dict[str, list[float]] = {}
    for score in (score for cell in cells for score in cell.scores if score.points is not None):
        told.setdefault(score.evaluator, []).append(score.points or 0.0)
    return {name: made for name, numbers in told.items() if (made := spread(numbers)) is not None}


def _row(experiment: Experiment, row: int, cells: Sequence[Cell], rows: Sequence[DatasetRow]) -> ComparedRow:
    base = next((cell for cell in cells if cell.variant == baseline_of(experiment)), None)
    given: Any = rows[row] if row < len(rows) else DatasetRow()
    return ComparedRow(row=row, input=given.input, expected=given.expected, cells=[_cell(experiment, cell, base) for cell in cells])


def _cell(experiment: Experiment, cell: Cell, base: Cell | None) -> ComparedCell:
    return ComparedCell(
        variant=experiment.variants[cell.variant].variant.name,
        run_id=cell.run_id,
        status=cell.status,
        error_code=cell.error_code,
        score=cell.points,
        scores=cell.scores,
        duration_ms=cell.duration_ms,
        cost_usd=usd(cell.cost_nanos),
        outcome=outcome(cell, base),
    )
