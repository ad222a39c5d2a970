"""The embedded runtime: hosts every run of one data directory in this process.

A run is in memory while something happens to it. One that only waits may be dropped and comes
back from the journal when a command, a message or its alarm wants it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from runwell.engine.advance import Advance
from runwell.engine.evolve import fold
from runwell.engine.state import RunState, next_alarm
from runwell.engine.view import is_idle
from runwell.model.commands import Command, EndInternally, RecoverRun, Tick
from runwell.model.errors import CommandRefused, ErrorInfo, JournalUnavailable, NotFound, PositionConflict, RunwellError
from runwell.model.events import Event, RunCreated
from runwell.model.run import RunRow
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.ports.clock import Clock
from runwell.ports.feed import Feed
from runwell.ports.journal import Definitions, Journal
from runwell.ports.probe import Probe, no_probe
from runwell.ports.runs import StartRequest
from runwell.ports.steps import Services, StepTypes
from runwell.runtime.admission import Admission, Ticket, ticket_of
from runwell.runtime.alarms import Alarms
from runwell.runtime.cache_keys import CacheKeys, Marks, no_marks
from runwell.runtime.cell import Cell
from runwell.runtime.children import Children
from runwell.runtime.dispatcher import Dispatcher, Durable, settled
from runwell.runtime.entrance import Entrance
from runwell.runtime.plans import Compile, Plans
from runwell.runtime.project_limits import ProjectLimits
from runwell.runtime.project_redaction import ProjectRedaction
from runwell.runtime.recovery import Recovery
from runwell.runtime.request import check_json
from runwell.runtime.run_cache import RunCache
from runwell.runtime.starting import Starting
from runwell.runtime.step_cache import StepCache
from runwell.runtime.waiters import Waiters

RELOAD_MS: Final = 1_000
"""How long after a failed append a run is taken up again."""


class Runtime:
    """Start, steer and watch runs. All calls from the event loop's thread."""

    def __init__(
        self,
        *,
        journal: Journal,
        definitions: Definitions,
        types: StepTypes,
        services: Services,
        clock: Clock,
        compile_document: Compile,
        probe: Probe = no_probe,
        max_running: int = 1_000,
        max_resident: int = 20_000,
        limits: ProjectLimits | None = None,
        redaction: ProjectRedaction | None = None,
        marks: Marks = no_marks,
    ) -> None:
        self.feed = Feed()
        self.plans = Plans(definitions, compile_document)
        self.journal = journal
        self.children = Children(self, definitions)
        self.clock = clock
        self.limits = limits or ProjectLimits()
        self.redaction = redaction or ProjectRedaction()
        self._admission = Admission(max_running, self.limits)
        self._entrance = Entrance(self, self._admission)
        self.limits.watch(self._entrance.next)
        self._alarms = Alarms(clock, self._wake)
        self._cells: OrderedDict[str, Cell] = OrderedDict()
        self._loading: dict[str, asyncio.Task[Cell]] = {}
        self._inherited: set[str] = set()
        self._waiters = Waiters()
        self._background: set[asyncio.Task[Any]] = set()
        self._max_resident = max_resident
        keys = CacheKeys(self.redaction, marks)
        self._cache = RunCache(self, keys)
        self._dispatcher = Dispatcher(
            journal=journal,
            clock=clock,
            types=types,
            services=services,
            feed=self.feed,
            probe=probe,
            redactions=self.redaction,
            cache=StepCache(journal, keys),
            after=self._after,
            kept=self._kept,
            lost=self.lose,
        )
        self._starting = Starting(self, self._admission, self._dispatcher, self._cache)

    async def open(self, mine: Callable[[RunRow], bool] = lambda row: True) -> None:
        """Open the journal and take up every run that has not ended and for which `mine` holds."""
        await self.journal.open()
        rows = [row for row in await self.journal.live() if mine(row)]
        self._inherited = {row.run_id for row in rows}
        for row in rows:
            if row.status is not RunStatus.QUEUED:
                self._cache.flights.lead(row.cache_key, row.run_id)
        await Recovery(self, rows).run()

    async def close(self, grace_s: float = 0.0) -> None:
        """Stop: give attempts in flight `grace_s` to end; what is left goes on at the next start.

        Whoever still waits for a run's end is cancelled.
        """
        self._dispatcher.ending = True
        tasks = [task for cell in self._cells.values() for task in cell.tasks.values()]
        if tasks and grace_s > 0:
            await asyncio.wait(tasks, timeout=grace_s)
        self._dispatcher.closing = True
        self._alarms.close()
        tasks = [task for cell in self._cells.values() for task in cell.tasks.values()] + list(self._background)
        for cell in list(self._cells.values()):
            self._interrupt(cell)
            cell.end_all()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._waiters.cancel()
        await self.journal.close()

    def _interrupt(self, cell: Cell) -> None:
        """Note that the attempts in flight end with this process, for no fault of theirs."""
        if cell.state.working and not cell.lost:
            with suppress(RunwellError):
                self._dispatcher.dispatch(cell, RecoverRun(suspect=False, retry_at=self.clock.now() + 1))

    @property
    def load(self) -> Admission:
        """How many runs are under way and queued; who is no run takes a `place` of it."""
        return self._admission

    @property
    def is_busy(self) -> bool:
        """Whether anything is in flight: an attempt, an event that is not durable yet, or word between runs."""
        return bool(self._loading or self._background) or any(map(self._dispatcher.is_busy, self._cells.values()))

    async def start(self, request: StartRequest) -> str:
        """Start a run and return its id once it is durable. Raises `InvalidInput` when the input breaks the schema."""
        return (await self.started(request)).run_id

    async def started(self, request: StartRequest) -> RunState:
        """Start a run and return its state once it is durable, as `start` does."""
        cell, durable = await self._starting.submit(request)
        await asyncio.shield(durable)
        return cell.state

    async def run(self, request: StartRequest) -> RunState:
        """Start a run and return its last state once its end is durable."""
        cell, _ = await self._starting.submit(request)
        return await self._end_of(cell)

    async def command(self, run_id: str, command: Command) -> RunState:
        """Apply a command and return the state once what it changed is durable.

        Raises `NotFound`, `CommandRefused` and `InvalidInput`.
        """
        check_json(command)
        while True:
            cell = await self.cell(run_id)
            try:
                return await self._apply(cell, command)
            except PositionConflict:
                continue  # two at once on a run that has ended and is not kept in memory: look again

    async def _apply(self, cell: Cell, command: Command) -> RunState:
        try:
            durable = self._dispatcher.dispatch(cell, command) or cell.durable
        except (CommandRefused, NotFound):
            await asyncio.shield(cell.durable or settled())  # what stands against it is true only then
            raise
        if durable is not None:
            await asyncio.shield(durable)
        return cell.state

    async def state(self, run_id: str) -> RunState:
        """Return the run's current state; that it ended is told once that is durable. Raises `NotFound`."""
        cell = await self.cell(run_id)
        if cell.state.is_terminal and cell.durable is not None and not cell.durable.done():
            await asyncio.wait([cell.durable])
        return cell.state

    async def ended(self, run_id: str) -> RunState:
        """Wait until the run has ended, durably, and return its last state. Raises `NotFound`."""
        return await self._end_of(await self.cell(run_id))

    async def _end_of(self, cell: Cell) -> RunState:
        if cell.state.is_terminal and cell.is_kept:
            return cell.state
        return await self._waiters.end_of(cell.state.run_id)

    async def cell(self, run_id: str) -> Cell:
        """Return the run in memory, from the journal if it is not there. Raises `NotFound`."""
        while (held := self._cells.get(run_id)) is None:  # loaded, it may be dropped again before it is our turn
            loading = self._loading.get(run_id)
            if loading is None:
                loading = self._loading[run_id] = asyncio.get_running_loop().create_task(self._load(run_id))
                loading.add_done_callback(lambda _: self._loading.pop(run_id, None))
            cell = await asyncio.shield(loading)
            if cell.state.is_terminal:
                return cell
        self._trim(run_id)
        return held

    async def _load(self, run_id: str) -> Cell:
        """Read the run from the journal. One that has ended is not kept in memory for being looked at.

        Nor does being looked at carry a run on: what is due of it happens only once it is taken up (`note`).
        """
        events = await self.journal.read(run_id)
        if not events:
            raise NotFound(f"there is no run {run_id!r}")
        prepared = await self.plans.get(events[0].of(RunCreated).version_hash)
        cell = Cell(state=fold(prepared.plan, events), careful=run_id in self._inherited)
        if not cell.state.is_terminal:
            self._cells[run_id] = cell
        return cell

    def note(self, state: RunState) -> None:
        """Set the run's alarm and keep the counts of the limits."""
        self._alarms.set(state.run_id, next_alarm(state))
        if state.status is not RunStatus.QUEUED:
            running = state.status in (RunStatus.RUNNING, RunStatus.DRAINING)
            self._admission.note(state.run_id, state.created, running=running, ended=state.is_terminal)

    def _trim(self, wanted: str | None = None) -> None:
        """Drop runs from memory that need none, the longest unused first, but not the one that is wanted just now."""
        if len(self._cells) <= self._max_resident:
            return
        for run_id in list(self._cells)[: len(self._cells) - self._max_resident]:
            cell = self._cells[run_id]
            if run_id != wanted and (cell.state.is_terminal or is_idle(cell.state)) and not self._dispatcher.is_busy(cell):
                del self._cells[run_id]

    def _after(self, cell: Cell, out: Advance) -> None:
        """See to what a batch means for other runs, for limits and for time."""
        state = cell.state
        self.note(state)
        if state.is_terminal and state.started_at is None:
            self._admission.withdraw(ticket_of(state))
        for step_id, child_id in out.children:
            self.spawn(self.children.start(cell, step_id, child_id))
        for child_id, mode in out.stops:
            self.spawn(self.children.stop(child_id, mode))
        if state.status is not RunStatus.RUNNING:
            self._entrance.soon()

    def _kept(self, cell: Cell, events: list[Event]) -> None:
        """See to what it means that a batch is durable. The state may be ahead of it by later batches."""
        state = cell.state
        if events[-1].seq < state.seq:
            return
        if not state.is_terminal:
            if is_idle(state) and self._cells.get(state.run_id) is cell:
                self._cells.move_to_end(state.run_id)
                self._trim()
            return
        self._forget(cell)
        self._inherited.discard(state.run_id)
        self._waiters.tell(state)
        self._cache.over(state.run_id)
        if state.created.parent_run_id is not None:
            self.spawn(self.children.tell_parent(state))

    def _drop(self, cell: Cell) -> None:
        """Forget a run whose state here is not the truth."""
        state = cell.state
        self._forget(cell)
        self._admission.withdraw(ticket_of(state))
        self._admission.note(state.run_id, state.created, running=False, ended=True)
        self._alarms.set(state.run_id, None)
        self._entrance.soon()

    def _forget(self, cell: Cell) -> None:
        if self._cells.get(cell.state.run_id) is cell:
            del self._cells[cell.state.run_id]

    def lose(self, cell: Cell, error: BaseException) -> None:
        """Drop a run whose state here is not what the journal has, and take it up again from there.

        What is not the journal's fault is the engine's, and ends the run.
        """
        if cell.lost:
            return
        cell.lost = True
        cell.end_all()
        self._drop(cell)
        if not self._dispatcher.closing:
            again = isinstance(error, JournalUnavailable | PositionConflict)
            self.later(partial(self._take_up, cell.state.run_id) if again else partial(self._give_up, cell.state.run_id, error))

    async def _give_up(self, run_id: str, cause: BaseException) -> None:
        error = ErrorInfo(code="INTERNAL_ERROR", message="the engine failed on this run: a defect of Runwell, not of the workflow")
        try:
            await self.command(run_id, EndInternally(error=error))
        except NotFound:  # its first event was refused
            self._waiters.fail(run_id, cause)
            self._cache.over(run_id)

    async def _take_up(self, run_id: str) -> None:
        try:
            row = await self.journal.row(run_id)
            if row is not None and row.status not in TERMINAL:
                await Recovery(self, [row], suspect=False).run()
                return
        except JournalUnavailable:
            self.later(partial(self._take_up, run_id))
            return
        self._cache.over(run_id)
        if row is None:
            self._waiters.fail(run_id, JournalUnavailable(f"{run_id} could not be kept", hint="start it again"))
        else:
            self._waiters.tell(await self.state(run_id))

    def _wake(self, run_id: str) -> None:
        cell = self._cells.get(run_id)
        if cell is None:
            self.spawn(self._tick(run_id))
        else:
            self._dispatcher.report(cell, Tick())

    async def _tick(self, run_id: str) -> None:
        try:
            await self.command(run_id, Tick())
        except JournalUnavailable:
            if run_id not in self._cells:
                self._alarms.set(run_id, self.clock.now() + RELOAD_MS)

    def spawn(self, work: Any) -> None:
        """Run a coroutine to its end in the background; a `RunwellError` of it concerns nobody."""
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def later(self, work: Callable[[], Any]) -> None:
        """Run what `work` returns in the background when the journal has had time to come back."""
        self.clock.call_at(self.clock.now() + RELOAD_MS, lambda: None if self._dispatcher.closing else self.spawn(work()))

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except RunwellError:
            return

    async def queue(self, row: RunRow, limit: int | None) -> None:
        """Put a run that was queued in an earlier process back into the queue, unless it is to wait for another run."""
        if not await self._cache.take_up(row):
            self._entrance.enter(Ticket(row.run_id, row.org_id, row.project_id, row.workflow_id, limit))

    def enter(self, cell: Cell) -> None:
        """Put a run that waited for another one into the queue."""
        self._entrance.enter(ticket_of(cell.state))

    def hold(self, row: RunRow) -> None:
        """Take note of a run that only waits, without loading it."""
        self._alarms.set(row.run_id, row.wake_at)
        self._admission.note(row.run_id, row, running=False, ended=False)

    def dispatch(self, cell: Cell, command: Command) -> Durable | None:
        return self._dispatcher.dispatch(cell, command)

    def report(self, cell: Cell, command: Command) -> Durable | None:
        return self._dispatcher.report(cell, command)

    def held(self, run_id: str) -> Cell | None:
        """Return the run if it is in memory."""
        return self._cells.get(run_id)

    def hold_new(self, cell: Cell) -> None:
        """Hold a run that has just come to be."""
        cell.careful = cell.state.created.parent_run_id in self._inherited
        self._cells[cell.state.run_id] = cell

    def reload(self, run_id: str) -> None:
        """Take the run up again from the journal, when that has had time to come back."""
        self.later(partial(self._take_up, run_id))

    @property
    def is_closing(self) -> bool:
        return self._dispatcher.closing
