"""Experiments carried out: each cell's run started, judged and noted, so many at once.

The ids of all runs are chosen when the experiment is made. So a process may end at any moment: the next one takes up what is open
and finds the runs that were started by their ids; none is started twice.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec
import structlog

from runwell.engine.state import RunState
from runwell.model.commands import StopRun
from runwell.model.datasets import DatasetRow
from runwell.model.errors import JournalUnavailable, NotFound, QueueFull, RunwellError
from runwell.model.evaluation import EvaluationAsked, points
from runwell.model.events import RunEvaluated
from runwell.model.experiments import EXPERIMENT, Cell, CellScore, NamedEvaluator, OpenExperiment
from runwell.model.run import TESTING
from runwell.model.statuses import RunStatus
from runwell.ports.evaluations import Datasets, Experiments
from runwell.ports.runs import StartRequest
from runwell.runtime.evaluating import Evaluating, Startable, insisting
from runwell.runtime.runtime import Runtime

NOT_JUDGED: Final = "NOT_FOUND"

_log = structlog.get_logger("runwell.experiments")


class Experimenting:
    """`resume` what an earlier process left; `carry_on` and `stop` one; `close` at the end."""

    def __init__(
        self, runtime: Runtime, experiments: Experiments, datasets: Datasets, evaluating: Evaluating, workflows: Startable
    ) -> None:
        self._runtime, self._experiments, self._datasets = runtime, experiments, datasets
        self._evaluating, self._workflows = evaluating, workflows
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def resume(self) -> None:
        for one in await self._experiments.open():
            if one.experiment.status == "stopping":
                self._spawn(one, stopping=True)
            else:
                self.carry_on(one)

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def carry_on(self, one: OpenExperiment) -> None:
        """Work on the experiment in the background, unless that is under way."""
        if one.experiment.id not in self._tasks:
            self._spawn(one, stopping=False)

    async def stop(self, one: OpenExperiment) -> None:
        """Return once it is durable that the experiment ends: what runs of it is stopped, in the background."""
        await self._experiments.set_status(one.experiment.id, "stopping")
        working = self._tasks.pop(one.experiment.id, None)
        if working is not None:
            working.cancel()
            await asyncio.wait([working])
        self._spawn(one, stopping=True)

    def _spawn(self, one: OpenExperiment, *, stopping: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._work(one, stopping), name=f"experiment {one.experiment.id}")
        self._tasks[one.experiment.id] = task

    async def _work(self, one: OpenExperiment, stopping: bool) -> None:
        try:
            await insisting(self._runtime, lambda: self._wind_up(one) if stopping else self._drive(one))
        except Exception as exc:  # a defect: the next process tries again
            _log.error("experiment_failed", experiment_id=one.experiment.id, exc_info=exc)
        finally:
            if self._tasks.get(one.experiment.id) is asyncio.current_task():
                del self._tasks[one.experiment.id]

    async def _drive(self, one: OpenExperiment) -> None:
        plan = one.experiment
        _, rows = await self._datasets.rows(one.scope, plan.dataset_id, plan.dataset_version)
        cells = iter(await self._experiments.cells(plan.id, open_only=True))
        async with asyncio.TaskGroup() as group:
            for _ in range(plan.concurrency):
                group.create_task(self._work_off(one, cells, rows))
        await self._experiments.set_status(plan.id, "completed")

    async def _work_off(self, one: OpenExperiment, cells: Iterator[Cell], rows: list[DatasetRow]) -> None:
        for cell in cells:
            await insisting(self._runtime, partial(self._fill, one, cell, rows[cell.row]))

    async def _fill(self, one: OpenExperiment, cell: Cell, row: DatasetRow) -> None:
        await self._finish(one, await self._filled(one, cell, row))

    async def _finish(self, one: OpenExperiment, cell: Cell) -> None:
        await self._experiments.finish_cell(one.experiment.id, len(one.experiment.variants), cell)

    async def _filled(self, one: OpenExperiment, cell: Cell, row: DatasetRow) -> Cell:
        """Return the cell with what came of it."""
        try:
            end = await self._ran(one, cell, row)
        except (JournalUnavailable, QueueFull):
            raise
        except RunwellError as exc:
            return msgspec.structs.replace(cell, status="failed", error_code=exc.code)
        took = None if end.started_at is None or end.ended_at is None else end.ended_at - end.started_at
        cell = msgspec.structs.replace(cell, duration_ms=took, cost_nanos=end.usage.cost_nanos)
        if end.status is not RunStatus.SUCCEEDED:
            return msgspec.structs.replace(cell, status="failed", error_code="RUN_FAILED" if end.error is None else end.error.code)
        scores = tuple([await self._judged(one, cell, row, evaluator) for evaluator in one.experiment.evaluators])
        spent = sum([await self._cost_of(run_id) for run_id in cell.evaluation_run_ids.values()])
        return msgspec.structs.replace(cell, status="succeeded", scores=scores, evaluation_nanos=spent)

    async def _ran(self, one: OpenExperiment, cell: Cell, row: DatasetRow) -> RunState:
        """Return the cell's run at its end, started if that was not done yet."""
        plan = one.experiment
        if await self._runtime.journal.row(cell.run_id) is None:
            tried = plan.variants[cell.variant]
            version = await self._workflows.startable(one.scope, plan.workflow_id, tried.version)
            request = StartRequest(
                version=msgspec.structs.replace(version, hash=tried.hash),
                input=row.input,
                run_id=cell.run_id,
                org_id=one.scope.org_id,
                project_id=one.scope.project_id,
                trigger=EXPERIMENT,
                environment=TESTING,
                metadata={"experiment": plan.id, "variant": tried.variant.name, "row": str(cell.row)},
                actor=plan.created_by,
            )
            await self._runtime.started(request)
        return await self._runtime.ended(cell.run_id)

    async def _judged(self, one: OpenExperiment, cell: Cell, row: DatasetRow, evaluator: NamedEvaluator) -> CellScore:
        asked = EvaluationAsked(
            evaluation_run_id=cell.evaluation_run_ids[evaluator.id],
            scope=one.scope,
            run_id=cell.run_id,
            evaluator_id=evaluator.id,
            expected=row.expected,
            metadata=row.metadata,
            actor=one.experiment.created_by,
        )
        return _score(asked, evaluator, await self._evaluating.carry_out(asked))

    async def _cost_of(self, run_id: str) -> int:
        row = await self._runtime.journal.row(run_id)
        return 0 if row is None else row.cost_nanos

    async def _wind_up(self, one: OpenExperiment) -> None:
        """Stop what runs of the experiment, and end it."""
        for cell in await self._experiments.cells(one.experiment.id, open_only=True):
            for run_id in (cell.run_id, *cell.evaluation_run_ids.values()):
                with suppress(NotFound):
                    await self._runtime.command(run_id, StopRun(actor=one.experiment.created_by))
                    await self._runtime.ended(run_id)
            spent = await self._cost_of(cell.run_id)
            await self._finish(one, msgspec.structs.replace(cell, status="stopped", cost_nanos=spent))
        await self._experiments.set_status(one.experiment.id, "stopped")


def _score(asked: EvaluationAsked, evaluator: NamedEvaluator, said: RunEvaluated | None) -> CellScore:
    if said is None:
        return CellScore(evaluator=evaluator.name, evaluation_run_id=asked.evaluation_run_id, error=NOT_JUDGED)
    return CellScore(
        evaluator=evaluator.name,
        evaluation_run_id=asked.evaluation_run_id,
        points=points(said),
        review=said.review,
        comment=said.comment,
        error=None if said.error is None else said.error.code,
    )
