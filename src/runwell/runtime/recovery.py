"""Taking up the runs of a process that is gone.

Runs that only wait are not even loaded. The others go on: attempts that were in flight are made
again, with the same idempotency key.

A step that kills the process must not do so for ever, nor take the blame of others: `RecoverRun`
counts a death for each attempt in flight, and at the third the run is given up. After a first death
everybody is suspect, so runs whose attempts have died before are taken up one at a time, each after
the attempt of the one before has ended. A death then hits only the run that was tried.

For deaths to be counted, a start must be in the journal before what it starts can kill the process.
So every run that was there at the start of this process makes its starts durable first (`careful`),
also one that only waited: it may be behind its wait that the last process died, before it could say so.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol

from runwell.engine.state import RunState
from runwell.model.commands import Command, RecoverRun
from runwell.model.errors import InvalidInput, JournalUnavailable, NotFound, RunwellError
from runwell.model.run import RunRow
from runwell.model.statuses import RunStatus
from runwell.ports.journal import Journal
from runwell.runtime.cell import Cell
from runwell.runtime.children import Children
from runwell.runtime.plans import Plans

SUSPECT_S: Final = 30.0
"""How long one suspect keeps the next ones waiting, at most."""


class Host(Protocol):
    """What recovery needs of the runtime."""

    journal: Journal
    plans: Plans
    children: Children

    async def cell(self, run_id: str) -> Cell: ...
    def dispatch(self, cell: Cell, command: Command) -> "asyncio.Future[int] | None": ...
    def spawn(self, work: object) -> None: ...
    def note(self, state: RunState) -> None: ...
    async def queue(self, row: RunRow, limit: int | None) -> None: ...
    def hold(self, row: RunRow) -> None: ...


class Recovery:
    """Takes up `rows`, which are live and oldest first. `suspect`: their process died, and one of them may have killed it."""

    def __init__(self, host: Host, rows: Sequence[RunRow], *, suspect: bool = True) -> None:
        self._host = host
        self._rows = rows
        self._suspect = suspect

    async def run(self) -> None:
        """Take up every run. Suspects are left to a background task, as each may take its time."""
        for row in self._rows:
            if row.status is not RunStatus.QUEUED and row.idle:
                self._host.hold(row)
        suspects = []
        for row in self._rows:
            if row.idle or row.status is RunStatus.QUEUED:
                continue
            try:
                cell = await self._host.cell(row.run_id)
            except JournalUnavailable:
                raise
            except RunwellError:  # damaged, or of a step type that is not installed: the others go on
                self._host.hold(row)
                continue
            cell.careful = True
            if any(cell.state.steps[path].deaths for path in cell.state.working):
                suspects.append(cell)
            else:
                await self._take_up(cell)
        for row in self._rows:
            if row.status is RunStatus.QUEUED:
                await self._queue(row)
        known = {row.run_id: row for row in self._rows}
        for row in self._rows:
            if row.parent_run_id is not None:
                await self._host.children.stop_if_orphan(row, known.get(row.parent_run_id))
        if suspects:
            self._host.spawn(self._one_at_a_time(suspects))

    async def _queue(self, row: RunRow) -> None:
        with suppress(NotFound, InvalidInput):  # as above
            prepared = await self._host.plans.get(row.version_hash)
            await self._host.queue(row, prepared.plan.workflow.concurrency)

    async def _one_at_a_time(self, suspects: list[Cell]) -> None:
        for cell in suspects:
            tried = [path for path in cell.state.working if cell.state.steps[path].deaths]
            await self._take_up(cell)
            tasks = [cell.tasks[path] for path in tried if path in cell.tasks]
            if tasks:
                await asyncio.wait(tasks, timeout=SUSPECT_S)

    async def _take_up(self, cell: Cell) -> None:
        if cell.state.is_terminal:
            return
        self._host.note(cell.state)
        try:
            await self._recover(cell)
        except JournalUnavailable:
            raise
        except RunwellError:  # the engine failed on it: it is ended a moment later
            return
        await self._host.children.check(cell)

    async def _recover(self, cell: Cell) -> None:
        durable = self._host.dispatch(cell, RecoverRun(alive=frozenset(cell.tasks), suspect=self._suspect))
        if durable is not None:
            await asyncio.shield(durable)
