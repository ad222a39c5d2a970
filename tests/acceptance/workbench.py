"""A step type `work` whose attempts the test makes, and what must hold of every run."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from itertools import pairwise
from typing import Any, Literal, TypeVar

from runwell.engine.evolve import fold
from runwell.engine.view import run_row, run_view
from runwell.model.errors import StepError
from runwell.model.events import Event
from runwell.model.run import RunView, StepView
from runwell.model.statuses import RESOLVED, TERMINAL
from runwell.model.step import StepSpec
from runwell.ports.steps import StepContext, StepType
from runwell.testing import MemoryApp

T = TypeVar("T")

Handler = Callable[[StepContext], Awaitable[Any]]


class WorkStep(StepSpec):
    """Returns `value`, unless the test has put something on the bench for its id."""

    templates = frozenset({"value"})

    type: Literal["work"]
    value: Any = None
    unsafe: bool = False


class Gate:
    """Holds the attempts of a step until the test opens it."""

    def __init__(self) -> None:
        self.waiting: list[StepContext] = []
        self.cancelled: list[str] = []
        self._opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def open(self, result: Any = None) -> None:
        self._opened.set_result(result)

    def fail(self, error: Exception) -> None:
        self._opened.set_exception(error)

    async def __call__(self, context: StepContext) -> Any:
        self.waiting.append(context)
        try:
            return await asyncio.shield(self._opened)
        except asyncio.CancelledError:
            self.cancelled.append(context.step_id)
            raise


class Workbench:
    """Makes the attempts of `work` steps. `calls` are all attempts that began, in order."""

    def __init__(self) -> None:
        self.calls: list[StepContext] = []
        self._handlers: dict[str, Handler] = {}
        self.type = StepType(
            name="work", spec=WorkStep, handler=self._work, unsafe=lambda spec, given: bool(getattr(spec, "unsafe", False))
        )

    def on(self, step_id: str, handler: Handler) -> None:
        """Let `handler` make the attempts of this step; the id is the document's, without loops."""
        self._handlers[step_id] = handler

    def hold(self, step_id: str) -> Gate:
        """Let every attempt of the step wait at a gate."""
        gate = Gate()
        self.on(step_id, gate)
        return gate

    def script(self, step_id: str, *outcomes: Any) -> None:
        """Let the n-th attempt of the step end with the n-th outcome: an exception is raised, all else returned."""
        left = list(outcomes)

        async def play(context: StepContext) -> Any:
            outcome = left.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        self.on(step_id, play)

    def paths(self) -> list[str]:
        return [call.step_id for call in self.calls]

    async def _work(self, context: StepContext) -> Any:
        self.calls.append(context)
        handler = self._handlers.get(context.spec.id)
        return context.input.get("value") if handler is None else await handler(context)


def work(step_id: str, *depends_on: str, **fields: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "work", "depends_on": list(depends_on), **fields}


def document(*steps: dict[str, Any], name: str = "semantics", **fields: Any) -> dict[str, Any]:
    return {"name": name, "steps": list(steps), **fields}


def broken(message: str = "it broke") -> StepError:
    """An error that another attempt cannot help."""
    return StepError("HTTP_FAILED", message)


def overloaded(retry_after_s: float | None = None) -> StepError:
    """An error that another attempt may help."""
    return StepError("HTTP_FAILED", "try again", retryable=True, retry_after_s=retry_after_s)


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine as a process of its own; an exception that nobody saw fails the test."""

    async def guarded() -> T:
        unseen: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
        result = await main
        assert unseen == []
        return result

    return asyncio.run(guarded())


def statuses(run: RunView) -> dict[str, str]:
    """Return the badge-like status of each step, by path: `skipped (blocked)` tells the reason."""
    return {step.path: f"{step.status} ({step.reason})" if step.reason else str(step.status) for step in run.steps}


def step(run: RunView, path: str) -> StepView:
    return next(step for step in run.steps if step.path == path)


def kinds(events: Sequence[Event], step_id: str | None = None) -> list[str]:
    """Return the types of the events, in order; of one step if asked."""
    return [event.type for event in events if step_id is None or event.step_id == step_id]


async def sound(app: MemoryApp, run_id: str) -> RunView:
    """Check what holds of every run at rest, and return the run.

    Its events are gapless; folding them gives the state in memory and the row that is kept; a run that
    ended left nothing in flight; every attempt ended once.
    """
    held = await app.view(run_id)
    events = await app.journal.read(run_id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert all(earlier.ts <= later.ts for earlier, later in pairwise(events))
    row = await app.journal.row(run_id)
    assert row is not None
    folded = fold((await app.runtime.plans.get(row.version_hash)).plan, events)
    assert run_row(folded) == row
    assert run_view(folded) == held
    if held.status in TERMINAL:
        assert [one.path for one in held.steps if one.status not in RESOLVED] == []
        assert [number for one in held.steps for number in one.attempts if number.ended_at is None] == []
    assert await app.journal.pending_tasks(run_id=run_id) == [] or held.status not in TERMINAL
    return held
