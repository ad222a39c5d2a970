"""One attempt of a step, from its start to the command that reports its outcome."""

import asyncio
import hashlib
import random
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from runwell.engine.actions import StartAttempt
from runwell.engine.environment import LateEnvironment
from runwell.engine.expressions import ExpressionFailed
from runwell.engine.plan import ToolPlan
from runwell.engine.state import RunState, StepState
from runwell.engine.templates import secret_pointers
from runwell.engine.tools import rendered
from runwell.model.commands import Command, CompleteAttempt, FailAttempt, RecordProgress, SuspendAttempt
from runwell.model.errors import ErrorInfo, LimitExceeded, StepError
from runwell.model.events import EventData
from runwell.model.scope import Scope
from runwell.model.step import StepSpec
from runwell.model.waits import Wait
from runwell.ports.steps import AttemptLimits, Services, StepType, Suspended
from runwell.ports.tools import DeclaredTool
from runwell.runtime.step_cache import CachedAttempt


def idempotency_key(run_id: str, step_id: str) -> str:
    """Return the key that every attempt of this step in this run carries."""
    return "rw-" + hashlib.sha256(f"{run_id}/{step_id}".encode()).hexdigest()[:40]


class AttemptContext:
    """What a handler sees; implements `StepContext`."""

    def __init__(
        self,
        state: RunState,
        action: StartAttempt,
        services: Services,
        report: Callable[[Command], None],
        show: Callable[[str], None],
        kept: Callable[[], Awaitable[object]],
    ) -> None:
        step = state.steps[action.step_id]
        self.run_id = state.run_id
        self.scope = Scope(state.created.org_id, state.created.project_id)
        self.step_id = action.step_id
        self.attempt = action.attempt
        self.idempotency_key = idempotency_key(state.run_id, action.step_id)
        self.spec: StepSpec = step.plan.spec
        self.input: Mapping[str, Any] = step.input
        self.secret_pointers = step.plan.secret_pointers
        self.history = state.created.history or ()
        limits = state.plan.workflow.limits
        self.limits = AttemptLimits(memory_mb=limits.memory_mb, log_bytes=limits.log_bytes, output_bytes=limits.output_bytes)
        self.services = services
        self.tools: Mapping[str, DeclaredTool] = {name: BoundTool(plan, state) for name, plan in state.plan.tools.items()}
        self.late = BoundLate(step, state)
        self._recorded = step.recorded
        self._kept = kept
        self._report = report
        self._show = show

    def record(self, data: EventData) -> None:
        msgspec.json.encode(data)  # what cannot be kept is the handler's to hear, before it is told on
        self._report(RecordProgress(step_id=self.step_id, attempt=self.attempt, data=data))

    def recorded(self) -> Sequence[EventData]:
        return tuple(self._recorded)

    def delta(self, text: str) -> None:
        self._show(text)

    async def kept(self) -> None:
        await self._kept()


class BoundLate:
    """What a step leaves to be filled in while it works, within one run; implements `LateValues`."""

    def __init__(self, step: StepState, state: RunState) -> None:
        self._step, self._state = step, state

    def fill(self, place: str, names: Mapping[str, Any]) -> Any:
        try:
            return self._step.plan.late[place].render(LateEnvironment(self._state, self._step.scope, names))
        except ExpressionFailed as exc:
            raise StepError("EXPRESSION_FAILED", f"{place}: {exc}") from exc

    def secret_pointers(self, place: str) -> frozenset[str]:
        return secret_pointers({"request": self._step.plan.late[place]})


class BoundTool:
    """A tool of the document within one run; implements `DeclaredTool`."""

    def __init__(self, plan: ToolPlan, state: RunState) -> None:
        self.spec, self.secret_pointers = plan.spec, plan.secret_pointers
        self._plan, self._state = plan, state

    def render(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return rendered(self._plan, self._state, args)
        except ExpressionFailed as exc:
            raise StepError("EXPRESSION_FAILED", f"{self.spec.full_name}: {exc}") from exc


async def make_attempt(
    step_type: StepType, context: AttemptContext, durable: "asyncio.Future[int] | None", cached: CachedAttempt | None = None
) -> Command:
    """Run the handler and return the command that reports what came of it.

    With `durable`, wait first until the attempt's start is in the journal. With `cached`, do nothing if the result was had before.
    """
    try:
        if cached is not None and (found := await cached.found()) is not None:
            again = completed(context.step_id, context.attempt, found.result, context.limits.output_bytes)
            return msgspec.structs.replace(again, cache=found.hit)
        if durable is not None:
            await asyncio.shield(durable)
        if step_type.handler is None:
            raise StepError("STEP_CRASHED", f"step type {step_type.name!r} has no handler")
        done = completed(context.step_id, context.attempt, await step_type.handler(context), context.limits.output_bytes)
        return done if cached is None else msgspec.structs.replace(done, cache_key=cached.key)
    except Suspended as exc:
        return suspended(context.step_id, context.attempt, exc.wait)
    except Exception as exc:
        return failed(context.step_id, context.attempt, exc)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        error = StepError("STEP_CRASHED", "the handler was cancelled from within, which nobody asked for")
        return failed(context.step_id, context.attempt, error)


def completed(step_id: str, attempt: int, result: Any, output_bytes: int) -> CompleteAttempt:
    """Return the report of a success; the result is copied as JSON data. Raises `StepError` when it cannot be kept."""
    if result is None or isinstance(result, bool | int):
        return CompleteAttempt(step_id=step_id, attempt=attempt, result=result)
    try:
        encoded = msgspec.json.encode(result)
    except (TypeError, ValueError, RecursionError) as exc:
        raise StepError("STEP_CRASHED", f"the result is no JSON data: {exc}") from exc
    if len(encoded) > output_bytes:
        raise StepError("OUTPUT_TOO_LARGE", f"the result has {len(encoded)} bytes, more than limits.output_bytes of {output_bytes}")
    return CompleteAttempt(step_id=step_id, attempt=attempt, result=msgspec.json.decode(encoded))


def suspended(step_id: str, attempt: int, wait: Wait) -> Command:
    """Return the report that the handler waits; what it says of that is copied as JSON data."""
    try:
        copy = msgspec.json.decode(msgspec.json.encode(wait), type=type(wait))
    except (TypeError, ValueError, RecursionError) as exc:
        return failed(step_id, attempt, StepError("STEP_CRASHED", f"what the handler waits for is no JSON data: {exc}"))
    return SuspendAttempt(step_id=step_id, attempt=attempt, wait=copy)


def failed(step_id: str, attempt: int, exc: Exception) -> FailAttempt:
    """Return the report of a failure. What is no `StepError` is a defect of the step type and says so."""
    if not isinstance(exc, StepError):
        details: dict[str, object] = {"traceback": "".join(traceback.format_exception(exc))[-4_000:]}
        error = ErrorInfo(code="STEP_CRASHED", message=f"{type(exc).__name__}: {exc}", step_id=step_id, details=details)
        return FailAttempt(step_id=step_id, attempt=attempt, error=error)
    return FailAttempt(
        step_id=step_id,
        attempt=attempt,
        error=exc.info(step_id),
        retryable=exc.retryable,
        retry_after_s=exc.retry_after_s,
        jitter=random.random(),
        limit=exc.which if isinstance(exc, LimitExceeded) else None,
    )
