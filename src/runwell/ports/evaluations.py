"""Where evaluators, datasets and experiments are kept.

What lies outside of `scope` does not exist: `NotFound`, in the words for an unknown id. `key` is an id or a name.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from runwell.model.datasets import Dataset, DatasetRow, DatasetVersion
from runwell.model.evaluation import Attachment, EvaluationAsked, Evaluator, EvaluatorKind, Occasion
from runwell.model.experiments import Cell, Experiment, ExperimentPlan, ExperimentStatus, OpenExperiment
from runwell.model.scope import Scope


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a list in the order of ids, newest first: those before the id `before`, or the oldest of those after `after`."""

    limit: int
    before: str | None = None
    after: str | None = None


class NewEvaluator(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    kind: EvaluatorKind
    workflow_id: str
    version: int | None = None
    pass_score: float | None = None


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment, of whatever scope, and the journal's position up to which its workflow's runs were looked at."""

    scope: Scope
    workflow_id: str
    evaluator_id: str
    on: Occasion
    sample_rate: float
    position: int


class Evaluators(Protocol):
    async def page(self, scope: Scope, span: Span) -> list[Evaluator]: ...

    async def get(self, scope: Scope, key: str) -> Evaluator: ...

    async def create(self, scope: Scope, actor: str, new: NewEvaluator) -> Evaluator:
        """Raises `Refused` when the name is taken, or there are too many."""
        ...

    async def delete(self, scope: Scope, key: str) -> None:
        """Delete it with its attachments. What it said of runs stays."""
        ...

    async def attach(self, scope: Scope, workflow_id: str, key: str, sample_rate: float, position: int, on: Occasion = "run") -> Attachment:
        """Let it judge what comes of the workflow after the journal's `position`; an attachment that is there gets the new terms."""
        ...

    async def detach(self, scope: Scope, workflow_id: str, key: str) -> None: ...

    async def attachments(self, scope: Scope, workflow_id: str) -> list[Attachment]: ...

    async def watched(self) -> list[Watched]:
        """Return all attachments of all scopes."""
        ...

    async def looked_at(self, one: Watched, position: int) -> None:
        """Remember up to where the workflow's runs were looked at."""
        ...


class PendingEvaluations(Protocol):
    """Evaluations that were asked for and whose outcome is not yet told. For the process's own use."""

    async def add(self, asked: EvaluationAsked) -> None:
        """Idempotent."""
        ...

    async def all(self) -> list[EvaluationAsked]: ...

    async def remove(self, evaluation_run_id: str) -> None: ...


class Datasets(Protocol):
    async def page(self, scope: Scope, span: Span) -> list[Dataset]: ...

    async def get(self, scope: Scope, key: str) -> Dataset: ...

    async def create(self, scope: Scope, actor: str, name: str, description: str) -> Dataset:
        """Raises `Refused` when the name is taken, or there are too many."""
        ...

    async def delete(self, scope: Scope, key: str) -> None: ...

    async def versions(self, scope: Scope, key: str) -> list[DatasetVersion]:
        """Return all versions, newest first."""
        ...

    async def add_version(
        self, scope: Scope, actor: str, key: str, rows: Sequence[DatasetRow], *, append: bool, note: str | None
    ) -> DatasetVersion:
        """Keep the rows as the next version, behind those of the newest if `append`. Raises `InvalidInput` for too many, `Refused`."""
        ...

    async def rows(self, scope: Scope, key: str, number: int | None = None) -> tuple[int, list[DatasetRow]]:
        """Return the number of the version, the newest for None, and its rows."""
        ...


class Experiments(Protocol):
    async def page(self, scope: Scope, span: Span) -> list[Experiment]: ...

    async def get(self, scope: Scope, experiment_id: str) -> Experiment: ...

    async def create(self, scope: Scope, actor: str, plan: ExperimentPlan, cells: Sequence[Cell], documents: Sequence[bytes]) -> Experiment:
        """Keep an experiment that runs from now on. `documents`: of its variants, in their order. Raises `Refused` for too many."""
        ...

    async def delete(self, scope: Scope, experiment_id: str) -> None:
        """Raises `Refused` while it runs. Its runs stay."""
        ...

    async def cells(self, experiment_id: str, *, open_only: bool = False) -> list[Cell]:
        """Return the cells, row by row."""
        ...

    async def finish_cell(self, experiment_id: str, variants: int, cell: Cell) -> None:
        """Keep what became of an open cell; one that is not open any more stays as it is."""
        ...

    async def set_status(self, experiment_id: str, status: ExperimentStatus) -> None:
        """Set the status; one that has ended stays as it is."""
        ...

    async def open(self) -> list[OpenExperiment]:
        """Return all experiments that have not ended, of all scopes, oldest first."""
        ...


class Evaluation(Protocol):
    """What evaluates runs and carries experiments out, with where all of that is kept."""

    evaluators: Evaluators
    datasets: Datasets
    experiments: Experiments

    async def evaluate(self, asked: EvaluationAsked) -> None:
        """Return once it is durable that the run is evaluated. Asked twice under one id, it is done once."""
        ...

    async def attached(self) -> None:
        """Heed that evaluators were attached to workflows, or taken off."""
        ...

    def carry_on(self, one: OpenExperiment) -> None:
        """Work on the experiment in the background."""
        ...

    async def stop(self, one: OpenExperiment) -> None:
        """Return once it is durable that the experiment ends; what runs of it is stopped in the background."""
        ...
