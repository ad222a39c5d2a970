"""Experiments: the rows of a dataset, each given to several variants of a workflow, judged by evaluators and compared."""

from typing import Any, Final, Literal

import msgspec

from runwell.model.scope import Scope
from runwell.model.variant import Variant

MOST_EXPERIMENTS: Final = 1_000
MOST_EVALUATORS: Final = 5
MAX_CONCURRENCY: Final = 20
EXPERIMENT: Final = "experiment"
"""The trigger of the runs that experiments start."""

ExperimentStatus = Literal["running", "stopping", "completed", "stopped"]
CellStatus = Literal["pending", "succeeded", "failed", "stopped"]


class TriedVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant with the version on which it stands, and the hash of the document that its runs run."""

    variant: Variant
    version: int
    hash: str


class NamedEvaluator(msgspec.Struct, frozen=True):
    id: str
    name: str


class ExperimentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared. `baseline`: the name of the variant with which the others are compared."""

    name: str
    workflow_id: str
    dataset_id: str
    dataset_version: int
    variants: tuple[TriedVariant, ...]
    evaluators: tuple[NamedEvaluator, ...] = ()
    baseline: str
    concurrency: int = 4


class Experiment(ExperimentPlan, frozen=True, kw_only=True):
    """`cells`: how many runs it is, a row of the dataset times variants; `open_cells` of them have not ended."""

    id: str
    status: ExperimentStatus
    cells: int
    open_cells: int
    created_by: str | None = None
    created_at: str
    ended_at: str | None = None


class CellScore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one evaluator said of a cell's run. `points` is what is compared; None: it said nothing that counts."""

    evaluator: str
    evaluation_run_id: str
    points: float | None = None
    review: str = ""
    comment: str | None = None
    error: str | None = None


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One row given to one variant. `row` counts from 0. Costs in billionths of a US dollar, times in ms.

    `evaluation_run_ids`: of its evaluations, by the evaluators' ids, chosen before anything runs.
    """

    row: int
    variant: int
    run_id: str
    evaluation_run_ids: dict[str, str] = {}
    status: CellStatus = "pending"
    error_code: str | None = None
    cost_nanos: int = 0
    evaluation_nanos: int = 0
    duration_ms: int | None = None
    scores: tuple[CellScore, ...] = ()

    @property
    def points(self) -> float | None:
        """The mean over its evaluators."""
        told = [score.points for score in self.scores if score.points is not None]
        return sum(told) / len(told) if told else None


class OpenExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment that is to be carried on, of whatever scope."""

    scope: Scope
    experiment: Experiment


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How numbers spread: each percentile is one of them, the lowest that is not under so many of a hundred."""

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float


class VariantFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How one variant did. `wins`, `losses` and `ties` count the rows in which it did better, worse or as well as the baseline."""

    name: str
    version: int
    is_baseline: bool
    succeeded: int
    failed: int
    pending: int
    stopped: int
    score: Spread | None
    evaluators: dict[str, Spread]
    duration_ms: Spread | None
    cost_usd: str
    mean_cost_usd: str | None
    evaluation_cost_usd: str
    wins: int
    losses: int
    ties: int


Outcome = Literal["win", "loss", "tie"]


class ComparedCell(msgspec.Struct, frozen=True, kw_only=True):
    """What one variant made of a row. `outcome`: against the baseline; null for the baseline itself, and where nothing can be compared."""

    variant: str
    run_id: str
    status: CellStatus
    error_code: str | None
    score: float | None
    scores: tuple[CellScore, ...]
    duration_ms: int | None
    cost_usd: str
    outcome: Outcome | None


class ComparedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the dataset, and what each variant made of it. `row` counts from 0."""

    row: int
    input: Any
    expected: Any
    cells: list[ComparedCell]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment and how its variants did, so far or at its end."""

    experiment: Experiment
    variants: list[VariantFigures]
