"""Deletes runs whose time is over, again and again: from the journal first, which is the truth, then from the run store.

Never cut are runs that have not ended, that are held, or whose parent has not ended: the parent may still ask for what came of them.
What is about to be cut is noted, so that what a process leaves half-way is finished by the next pass, whoever makes it. While the
run store is away its part is put off.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final, Protocol

import structlog

from runwell.model.errors import RunStoreUnavailable, RunwellError
from runwell.model.retention import Keeping, Retention
from runwell.model.run import RunRow
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL
from runwell.ports.clock import Clock, TimerHandle
from runwell.ports.holds import CutRuns, Holds
from runwell.ports.journal import Journal, RunFilter

FIRST_MS: Final = 60_000
EVERY_MS: Final = 3_600_000
PAGE: Final = 1_000
PIECE: Final = 5_000
"""So many runs are deleted together, at most a page more."""

_log = structlog.get_logger("runwell.retention")


class Forget(Protocol):
    """How the run store is told: `Projection.remove_runs`."""

    def __call__(self, run_ids: Collection[str]) -> Awaitable[None]: ...


class Cutter:
    """`cut` makes one pass; between `start` and `close` there is one every hour. `count`: the runs cut so far."""

    def __init__(
        self,
        journal: Journal,
        rules: Callable[[], Awaitable[Mapping[Scope, Retention]]],
        holds: Holds,
        cuts: CutRuns,
        forget: Forget,
        clock: Clock,
    ) -> None:
        self._journal, self._rules, self._holds, self._cuts, self._forget, self._clock = journal, rules, holds, cuts, forget, clock
        self._timer: TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_fresh = True
        self.count = 0

    def start(self) -> None:
        self._timer = self._clock.call_at(self._clock.now() + FIRST_MS, self._wake)

    async def close(self) -> None:
        """End; a pass under way is broken off, and finished by the next process."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _wake(self) -> None:
        self._timer = self._clock.call_at(self._clock.now() + EVERY_MS, self._wake)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._pass(), name="runwell-cutter")

    async def _pass(self) -> None:
        try:
            await self.cut()
        except RunwellError as exc:
            _log.warning("cutting_put_off", error=exc.message)
        except Exception as exc:  # a defect: the next pass is not to be lost for it
            _log.error("cutting_failed", exc_info=exc)

    async def cut(self) -> int:
        """Delete what is over by now; return how many runs. Raises `JournalUnavailable`."""
        await self._finish()
        count = 0
        for scope, retention in (await self._rules()).items():
            cut = await self._cut_project(scope, Keeping(retention))
            if cut:
                _log.info("runs_cut", project=scope.project_id, runs=cut)
            count += cut
        return count

    async def _finish(self) -> None:
        """See to what an earlier pass left."""
        if self._is_fresh:
            await self._journal.delete_ended([])
            self._is_fresh = False
        while left := await self._cuts.noted(PIECE):
            gone = [run_id for run_id in left if await self._journal.row(run_id) is None]
            if not await self._is_forgotten(gone):
                return
            await self._cuts.done(left)

    async def _cut_project(self, scope: Scope, keeping: Keeping) -> int:
        shortest = keeping.shortest_ms
        if shortest is None:
            return 0
        now, count, after, due = self._clock.now(), 0, None, list[RunRow]()
        wanted = RunFilter(scope=scope, statuses=tuple(sorted(TERMINAL)))
        while True:
            page = await self._journal.oldest(wanted, limit=PAGE, after=after)
            due += [row for row in page if keeping.is_over(row, now)]
            is_last = len(page) < PAGE or page[-1].created_at + shortest > now
            if len(due) >= PIECE or (is_last and due):
                cut = await self._delete(scope, due)
                count += len(cut)
                after = next((row.run_id for row in reversed(page) if row.run_id not in cut), after if after not in cut else None)
                due = []
            elif page:
                after = page[-1].run_id
            if is_last:
                return count

    async def _delete(self, scope: Scope, due: Sequence[RunRow]) -> set[str]:
        """Delete those of the runs that nothing keeps; return their ids."""
        async with self._holds.guard:
            holds = await self._holds.held(scope, {row.workflow_id for row in due})
            held = {hold.run_id or hold.workflow_id for hold in holds}
            waited_for = await self._of_live_parents(due)
            run_ids = {row.run_id for row in due if not held & {row.run_id, row.workflow_id} and row.run_id not in waited_for}
            if not run_ids:
                return run_ids
            await self._cuts.note(run_ids)
            self.count += await self._journal.delete_ended(run_ids)
        if await self._is_forgotten(run_ids):
            await self._cuts.done(run_ids)
        return run_ids

    async def _of_live_parents(self, rows: Sequence[RunRow]) -> set[str]:
        parents = {row.parent_run_id for row in rows if row.parent_run_id is not None}
        found = [await self._journal.row(parent) for parent in parents]
        live = {row.run_id for row in found if row is not None and row.status not in TERMINAL}
        return {row.run_id for row in rows if row.parent_run_id in live}

    async def _is_forgotten(self, run_ids: Collection[str]) -> bool:
        """Delete the runs from the run store, too; False while it is away."""
        if not run_ids:
            return True
        try:
            await self._forget(run_ids)
        except RunStoreUnavailable as exc:
            _log.warning("run_store_not_cut", runs=len(run_ids), error=exc.message)
            return False
        return True
