"""Evaluation runs: started, waited for, and what they say told to the run that they are about.

What was asked for is kept until it is told, so that a process may end at any moment: the next one finds the evaluation run by its
id, which was chosen beforehand, and starts no other.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import structlog

from runwell.engine.state import RunState
from runwell.model.commands import RecordEvaluation, StopRun
from runwell.model.errors import ErrorInfo, JournalUnavailable, NotFound, QueueFull, RunwellError
from runwell.model.evaluation import EvaluationAsked, Evaluator, Read, read_verdict
from runwell.model.events import RunEvaluated
from runwell.model.run import EVALUATION
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus
from runwell.model.usage import usd
from runwell.ports.evaluations import Evaluators, PendingEvaluations
from runwell.ports.journal import Version
from runwell.ports.runs import StartRequest
from runwell.runtime.runtime import Runtime

AT_ONCE: Final = 16
MOST_ASKED: Final = 200
"""So many evaluations of a project run at once, and with so many under way whoever asks for another waits."""

PATIENCE_S: Final = 3_600.0
"""An evaluation run that has not ended after so long is stopped."""

RETRY_MS: Final = 1_000

T = TypeVar("T")

_log = structlog.get_logger("runwell.evaluation")


class Startable(Protocol):
    """What says which version runs start with: `Workflows`."""

    async def startable(self, scope: Scope, key: str, number: int | None = None) -> Version: ...


class Evaluating:
    """`evaluate` what is asked in the background, or `carry_out` it and wait. `resume` what an earlier process left, `close` at the end."""

    def __init__(self, runtime: Runtime, evaluators: Evaluators, pending: PendingEvaluations, workflows: Startable) -> None:
        self._runtime, self._evaluators, self._pending, self._workflows = runtime, evaluators, pending, workflows
        self._slots: defaultdict[Scope, asyncio.Semaphore] = defaultdict(partial(asyncio.Semaphore, AT_ONCE))
        self._room: defaultdict[Scope, asyncio.Semaphore] = defaultdict(partial(asyncio.Semaphore, MOST_ASKED))
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def resume(self) -> None:
        for asked in await self._pending.all():
            self._spawn(asked)

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def evaluate(self, asked: EvaluationAsked) -> None:
        """Return once it is durable that the run is evaluated. Asked twice under one id, it is done once."""
        async with self._room[asked.scope]:
            await self._pending.add(asked)
            self._spawn(asked)

    def _spawn(self, asked: EvaluationAsked) -> None:
        name = asked.evaluation_run_id
        if name not in self._tasks:
            self._tasks[name] = asyncio.get_running_loop().create_task(self._see_to(asked), name=f"evaluation {name}")

    async def _see_to(self, asked: EvaluationAsked) -> None:
        try:
            async with self._room[asked.scope]:
                await self.carry_out(asked)
            await insisting(self._runtime, lambda: self._pending.remove(asked.evaluation_run_id))
        except Exception as exc:  # a defect: the next process tries again
            _log.error("evaluation_failed", evaluation_run_id=asked.evaluation_run_id, exc_info=exc)
        finally:
            self._tasks.pop(asked.evaluation_run_id, None)

    async def carry_out(self, asked: EvaluationAsked) -> RunEvaluated | None:
        """Evaluate the run and return what was told to it; None when the run or the evaluator is not there any more."""
        async with self._slots[asked.scope]:
            try:
                return await insisting(self._runtime, lambda: self._once(asked))
            except NotFound:
                return None

    async def _once(self, asked: EvaluationAsked) -> RunEvaluated:
        evaluator = await self._evaluators.get(asked.scope, asked.evaluator_id)
        about = await self._runtime.state(asked.run_id)
        if Scope(about.created.org_id, about.created.project_id) != asked.scope:
            raise NotFound(f"there is no run {asked.run_id!r}")
        said = await self._judged(asked, evaluator, about)
        await self._runtime.command(asked.run_id, RecordEvaluation(evaluation=said, actor=asked.actor))
        return said

    async def _judged(self, asked: EvaluationAsked, evaluator: Evaluator, about: RunState) -> RunEvaluated:
        version = evaluator.version or 0
        try:
            if await self._runtime.journal.row(asked.evaluation_run_id) is None:
                found = await self._workflows.startable(asked.scope, evaluator.workflow_id, evaluator.version)
                version = found.number
                await self._runtime.started(_request(asked, evaluator, about, found))
        except (JournalUnavailable, QueueFull):
            raise
        except RunwellError as exc:
            read = Read(error=ErrorInfo(code="EVALUATION_NOT_STARTED", message=exc.message))
        else:
            end = await self._end_of(asked.evaluation_run_id)
            version, read = end.created.version, _read(end, evaluator)
        return RunEvaluated(
            evaluation_run_id=asked.evaluation_run_id,
            evaluator_id=evaluator.id,
            evaluator=evaluator.name,
            workflow_id=evaluator.workflow_id,
            version=version,
            turn=None if asked.turn is None else asked.turn.number,
            score=read.score,
            review=read.review,
            comment=read.comment,
            error=read.error,
        )

    async def _end_of(self, run_id: str) -> RunState:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                return await self._runtime.ended(run_id)
        await self._runtime.command(run_id, StopRun())
        return await self._runtime.ended(run_id)


async def insisting(runtime: Runtime, work: Callable[[], Awaitable[T]]) -> T:
    """Return what `work()` returns, tried again as long as the journal is away or the queue full."""
    while True:
        try:
            return await work()
        except (JournalUnavailable, QueueFull):
            await _rest(runtime)


async def _rest(runtime: Runtime) -> None:
    over = asyncio.Event()
    handle = runtime.clock.call_at(runtime.clock.now() + RETRY_MS, over.set)
    try:
        await over.wait()
    finally:
        handle.cancel()


def _request(asked: EvaluationAsked, evaluator: Evaluator, about: RunState, version: Version) -> StartRequest:
    metadata = {"evaluator": evaluator.name, **({} if asked.turn is None else {"turn": str(asked.turn.number)})}
    return StartRequest(
        version=version,
        input=_given(asked, about),
        run_id=asked.evaluation_run_id,
        org_id=asked.scope.org_id,
        project_id=asked.scope.project_id,
        trigger=EVALUATION,
        environment=EVALUATION,
        metadata=metadata,
        actor=asked.actor,
        source_run_id=asked.run_id,
    )


def _given(asked: EvaluationAsked, about: RunState) -> dict[str, Any]:
    """Return what the evaluator is told."""
    created, turn = about.created, asked.turn
    ran = None if about.started_at is None or about.ended_at is None else about.ended_at - about.started_at
    return {
        "input": created.input if turn is None else turn.input,
        "output": about.output if turn is None else turn.output,
        "expected": asked.expected,
        "metadata": dict(created.metadata) if asked.metadata is None else asked.metadata,
        "turn": None if turn is None else turn.number,
        "run": {
            "id": about.run_id,
            "workflow": created.workflow_slug,
            "version": created.version,
            "status": about.status.value,
            "error": None if about.error is None else {"code": about.error.code, "message": about.error.message},
            "cost_usd": usd(about.usage.cost_nanos),
            "duration_ms": ran,
        },
    }


def _read(end: RunState, evaluator: Evaluator) -> Read:
    if end.status is RunStatus.SUCCEEDED:
        return read_verdict(end.output, evaluator.pass_score)
    return Read(error=end.error or ErrorInfo(code="INTERNAL_ERROR", message=f"the evaluation run is {end.status}"))
