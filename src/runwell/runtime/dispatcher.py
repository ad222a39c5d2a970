"""Commands in, events to the journal, work begun: the embedded runtime's one loop.

Everything here runs on the event loop's thread and `dispatch` is synchronous, so a run's state
needs no lock: a command is decided, folded and submitted to the journal before the next one.

The order is: append, then act. An attempt begins after its start was submitted, in the same batch
as what led to it. For attempts that must not happen unrecorded (`unsafe` step types), and for every
attempt of a run taken over from a process that died, it begins after its start is durable.

If the journal cannot keep a batch, what is in memory of that run is ahead of the truth: the run is
dropped from memory, its attempts are cancelled, and it is taken up again from the journal. The same
goes for a run in which the engine failed midway; such a one is taken up only to be ended.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from runwell.engine.actions import StartAttempt
from runwell.engine.advance import Advance, advance
from runwell.engine.state import RunState
from runwell.engine.transitions import ImpossibleEvent
from runwell.engine.view import run_row
from runwell.model.commands import Command, CompleteTask
from runwell.model.errors import CommandRefused, InvalidInput, NotFound, RunwellError, StepTimedOut
from runwell.model.events import Event
from runwell.model.text_delta import Delta
from runwell.ports.clock import Clock
from runwell.ports.feed import Feed
from runwell.ports.journal import Journal
from runwell.ports.probe import Probe
from runwell.ports.redaction import Redactions
from runwell.ports.steps import Services, StepType, StepTypes
from runwell.runtime.attempt import AttemptContext, completed, failed, make_attempt
from runwell.runtime.cell import Cell
from runwell.runtime.step_cache import StepCache

INLINE_PER_TURN: Final = 200
"""Inline steps of one run that are done before other runs get their turn."""

Durable = asyncio.Future[int]


def settled() -> Durable:
    """Return what waits for nothing."""
    future: Durable = asyncio.get_running_loop().create_future()
    future.set_result(0)
    return future


async def _kept(cell: Cell) -> None:
    """Return once the journal has all that was appended for the run. Raises what it raises when it cannot."""
    if cell.durable is not None:
        await asyncio.shield(cell.durable)


class Dispatcher:
    """Applies commands to cells. What concerns several runs is told to `after` (see `Runtime`)."""

    def __init__(
        self,
        *,
        journal: Journal,
        clock: Clock,
        types: StepTypes,
        services: Services,
        feed: Feed,
        probe: Probe,
        redactions: Redactions,
        cache: StepCache,
        after: Callable[[Cell, Advance], None],
        kept: Callable[[Cell, list[Event]], None],
        lost: Callable[[Cell, BaseException], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._types = types
        self._services = services
        self._feed = feed
        self._probe = probe
        self._redactions = redactions
        self._cache = cache
        self._after = after
        self._kept = kept
        self._lost = lost
        self.ending = False
        """No attempt begins any more."""
        self.closing = False
        """What attempts report counts no more, either."""

    def dispatch(self, cell: Cell, command: Command) -> Durable | None:
        """Apply the command; return the future that is done when its events are durable, None when it made none.

        Raises what `decide` raises; then nothing happened. Raises `ImpossibleEvent` when the engine failed.
        """
        try:
            out = self._advance(cell.state, command)
        except (CommandRefused, NotFound, InvalidInput):
            raise
        except Exception as exc:
            raise self._broken(cell, exc) from exc
        return self.carry_out(cell, out)

    def go_on(self, cell: Cell, out: Advance, command: Command) -> Advance:
        """Apply the command to a run whose first event is in `out` and not yet appended."""
        more = self._advance(cell.state, command)
        more.events = out.events + more.events
        return more

    def _advance(self, state: RunState, command: Command) -> Advance:
        """Apply the command; what the project does not want to be kept is taken out before it becomes an event."""
        rules = self._redactions.of(state.created.project_id)
        if rules is None:
            return advance(state, command, self._clock.now(), hold=self.ending)
        if isinstance(command, CompleteTask):
            command = rules.decision(command)
        return advance(state, command, self._clock.now(), hold=self.ending, redact=rules.event)

    def _broken(self, cell: Cell, exc: Exception) -> RunwellError:
        self._lost(cell, exc)
        return exc if isinstance(exc, RunwellError) else ImpossibleEvent(f"{type(exc).__name__}: {exc}")

    def carry_out(self, cell: Cell, out: Advance) -> Durable | None:
        """Append what happened, then begin and end what is to be begun and ended. Raises as `dispatch` does."""
        try:
            return self._carry_out(cell, out)
        except Exception as exc:
            raise self._broken(cell, exc) from exc

    def _carry_out(self, cell: Cell, out: Advance) -> Durable | None:
        starts: list[tuple[StartAttempt, StepType]] = []
        self._sort(cell, out.attempts, starts)
        turns = 0
        while cell.inline and turns < INLINE_PER_TURN:
            turns += 1
            self._do_inline(cell, cell.inline.popleft(), out, starts)
        if cell.inline:
            asyncio.get_running_loop().call_soon(self._go_on, cell)
        if not out.events:
            return None
        durable = self._append(cell, out.events)
        for step_id in out.cancels:
            cell.end_attempt(step_id)
        for action, step_type in starts:
            if action.step_id in cell.state.working:
                self._begin(cell, action, step_type, durable)
        self._after(cell, out)
        return durable

    def _sort(self, cell: Cell, actions: list[StartAttempt], starts: list[tuple[StartAttempt, StepType]]) -> None:
        for action in actions:
            step_type = self._types[cell.state.steps[action.step_id].plan.type]
            if step_type.inline is not None:
                cell.inline.append(action)
            else:
                starts.append((action, step_type))

    def _do_inline(self, cell: Cell, action: StartAttempt, out: Advance, starts: list[tuple[StartAttempt, StepType]]) -> None:
        state = cell.state
        step = state.steps[action.step_id]
        handler = self._types[step.plan.type].inline
        if handler is None or action.step_id not in state.working:
            return
        command: Command
        try:
            command = completed(action.step_id, action.attempt, handler(step.input), state.plan.workflow.limits.output_bytes)
        except Exception as exc:
            command = failed(action.step_id, action.attempt, exc)
        more = self._advance(state, command)
        out.events += more.events
        out.cancels += more.cancels
        out.children += more.children
        out.stops += more.stops
        self._sort(cell, more.attempts, starts)

    def _go_on(self, cell: Cell) -> None:
        if not cell.lost and not cell.state.is_terminal:
            with suppress(RunwellError):
                self.carry_out(cell, Advance())

    def _append(self, cell: Cell, events: list[Event]) -> Durable:
        self._probe("runtime.before_append")
        durable = self._journal.append(events[0].seq - 1, events, run_row(cell.state))
        self._probe("runtime.after_append")
        cell.durable = durable
        durable.add_done_callback(partial(self._settled, cell, events))
        return durable

    def _settled(self, cell: Cell, events: list[Event], durable: Durable) -> None:
        if durable.cancelled():
            return
        error = durable.exception()
        if error is not None:
            self._feed.keeping.failed(error, self._clock.now())
            self._lost(cell, error)
            return
        self._probe("runtime.durable")
        self._feed.keeping.kept()
        self._feed.events(cell.state.created.workflow_id, events, durable.result())
        self._kept(cell, events)

    def _begin(self, cell: Cell, action: StartAttempt, step_type: StepType, durable: Durable) -> None:
        state = cell.state
        report = partial(self._tell, cell)
        show = partial(self._show, state, action, durable)
        context = AttemptContext(state, action, self._services, report, show, partial(_kept, cell))
        waits = cell.careful or step_type.unsafe(context.spec, context.input)
        self._probe("runtime.before_attempt")
        task = asyncio.get_running_loop().create_task(self._attempt(cell, step_type, context, durable if waits else None))
        cell.tasks[action.step_id] = task
        if action.deadline is not None:
            seconds = context.spec.timeout_s or 0.0
            cell.deadlines[action.step_id] = self._clock.call_at(action.deadline, partial(self._time_out, cell, action, seconds))

    async def _attempt(self, cell: Cell, step_type: StepType, context: AttemptContext, durable: Durable | None) -> None:
        cached = self._cache.of(cell.state, step_type, context)
        try:
            command = await make_attempt(step_type, context, durable, cached)
        except BaseException:
            if cached is not None:
                cached.end()
            raise
        self._probe("runtime.attempt_done")
        if cell.tasks.get(context.step_id) is asyncio.current_task():
            cell.tasks.pop(context.step_id)
            cell.end_attempt(context.step_id)
        told = self.report(cell, command)
        if cached is not None:
            cached.end_after(told)

    def _time_out(self, cell: Cell, action: StartAttempt, seconds: float) -> None:
        cell.deadlines.pop(action.step_id, None)
        error = StepTimedOut(seconds)
        report = failed(action.step_id, action.attempt, error)
        cell.end_attempt(action.step_id)
        self.report(cell, report)

    def _show(self, state: RunState, action: StartAttempt, started: Durable, text: str) -> None:
        """Tell what a model writes, but not before it has been told that its step began.

        Nothing of a project with redactions: what must go may come in several pieces.
        """
        if self._redactions.of(state.created.project_id) is not None:
            return
        tell = partial(self._feed.delta, state.created.workflow_id, Delta(state.run_id, action.step_id, action.attempt, text))
        if started.done():
            asyncio.get_running_loop().call_soon(tell)  # behind those that waited for the start
        else:
            started.add_done_callback(lambda _: tell())

    def _tell(self, cell: Cell, command: Command) -> None:
        self.report(cell, command)

    def report(self, cell: Cell, command: Command) -> Durable | None:
        """Dispatch what an attempt reports, unless the run is no longer ours to change; return as `dispatch` does."""
        if cell.lost or self.closing or cell.state.is_terminal:
            return None
        with suppress(RunwellError):
            return self.dispatch(cell, command)
        return None

    def is_busy(self, cell: Cell) -> bool:
        """Whether anything is in flight for the run, or not yet durable."""
        pending = cell.durable is not None and not cell.durable.done()
        return bool(cell.tasks or cell.inline or pending)
