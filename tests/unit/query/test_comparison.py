"""Variants side by side: means, percentiles, and who wins which row."""

from typing import Any

import pytest

from runwell.model.datasets import DatasetRow
from runwell.model.experiments import Cell, CellScore, Experiment, TriedVariant
from runwell.model.variant import Variant
from runwell.query.comparison import compared_rows, comparison, outcome, spread

EXPERIMENT = Experiment(
    id="exp_1",
    name="E",
    workflow_id="wf_1",
    dataset_id="dset_1",
    dataset_version=1,
    variants=tuple(TriedVariant(variant=Variant(name=name), version=1, hash="h") for name in ("a", "b")),
    baseline="b",
    status="completed",
    cells=6,
    open_cells=0,
    created_at="2026-11-21T00:00:00.000Z",
)


def cell(row: int, variant: int, score: float | None = None, **fields: Any) -> Cell:
    scores = () if score is None else (CellScore(evaluator="e", evaluation_run_id="run_e", points=score),)
    return Cell(**{"run_id": f"run_{row}{variant}", "status": "succeeded", "scores": scores, **fields}, row=row, variant=variant)


def test_percentiles_are_numbers_that_were_there() -> None:
    assert spread([]) is None
    told = spread([float(n) for n in range(1, 101)])
    assert told is not None
    assert (told.count, told.mean, told.p50, told.p90, told.p95, told.p99) == (100, 50.5, 50, 90, 95, 99)
    one = spread([7.0])
    assert one is not None
    assert (one.p50, one.p99) == (7, 7)


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [
        (cell(0, 0, 0.9), cell(0, 1, 0.5), "win"),
        (cell(0, 0, 0.1), cell(0, 1, 0.5), "loss"),
        (cell(0, 0, 0.5), cell(0, 1, 0.5), "tie"),
        (cell(0, 0), cell(0, 1, 0.5), None),
        (cell(0, 0, status="failed"), cell(0, 1, 0.0), "loss"),
        (cell(0, 0, 0.0), cell(0, 1, status="failed"), "win"),
        (cell(0, 0, status="failed"), cell(0, 1, status="failed"), "tie"),
        (cell(0, 0, status="pending"), cell(0, 1, 0.5), None),
        (cell(0, 0, 0.5), cell(0, 1, status="stopped"), None),
        (cell(0, 1, 0.5), cell(0, 1, 0.5), None),
        (cell(0, 0, 0.5), None, None),
    ],
)
def test_a_row_is_won_by_its_score_or_by_not_failing(mine: Cell, theirs: Cell | None, told: str | None) -> None:
    assert outcome(mine, theirs) == told


def test_the_figures_of_a_variant() -> None:
    a = [
        cell(0, 0, 1.0, cost_nanos=2_000_000, evaluation_nanos=500_000, duration_ms=10),
        cell(1, 0, 0.0, cost_nanos=1_000_000, duration_ms=30),
        cell(2, 0, status="failed", error_code="X"),
    ]
    b = [cell(0, 1, 0.5), cell(1, 1, 0.5), cell(2, 1, 0.5)]
    first, second = comparison(EXPERIMENT, [*a, *b]).variants
    assert (first.succeeded, first.failed, first.wins, first.losses, first.ties) == (2, 1, 1, 2, 0)
    assert (first.cost_usd, first.mean_cost_usd, first.evaluation_cost_usd) == ("0.003", "0.001", "0.0005")
    assert first.duration_ms is not None
    assert (first.duration_ms.count, first.duration_ms.mean) == (2, 20)
    assert first.score is not None
    assert (first.score.mean, first.evaluators["e"].count) == (0.5, 2)
    assert (second.is_baseline, second.wins + second.losses + second.ties) == (True, 0)


def test_rows_come_with_their_input_and_without_when_the_dataset_is_gone() -> None:
    cells = [cell(row, variant, 0.5) for row in range(3) for variant in range(2)]
    rows = [DatasetRow(input=n, expected=-n) for n in range(3)]
    told = compared_rows(EXPERIMENT, cells, rows, 1, 5)
    assert [(row.row, row.input, row.expected, len(row.cells)) for row in told] == [(1, 1, -1, 2), (2, 2, -2, 2)]
    assert [made.outcome for made in told[0].cells] == ["tie", None]
    assert compared_rows(EXPERIMENT, cells, [], 0, 1)[0].input is None
