"""Deletes runs whose time is over, again and again: from the journal first, which is the truth, then from the run store.

Never cut are runs that have not ended, that are held, or whose parent has not ended: the parent may still ask for what came of them.
The journal notes what it deletes, and the projector deletes that from the run store. While that is away a pass cuts one piece only:
what waits for the store stays small.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import structlog

from runwell.model.errors import RunStoreUnavailable, RunwellError
from runwell.model.retention import Keeping, Retention
from runwell.model.run import RunRow
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL
from runwell.ports.clock import Clock, TimerHandle
from runwell.ports.holds import Holds
from runwell.ports.journal import Journal, RunFilter

FIRST_MS: Final = 60_000
EVERY_MS: Final = 3_600_000
PAGE: Final = 1_000
PIECE: Final = 5_000
"""So many runs are deleted together, at most a page more."""

_log = structlog.get_logger("runwell.retention")


class Cutter:
    """`cut` makes one pass; between `start` and `close` there is one every hour. `count`: the runs cut so far.

    `remove_deleted`: the projection's.
    """

    def __init__(
        self,
        journal: Journal,
        rules: Callable[[], Awaitable[Mapping[Scope, Retention]]],
        holds: Holds,
        remove_deleted: Callable[[], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._journal, self._rules, self._holds, self._remove_deleted, self._clock = journal, rules, holds, remove_deleted, clock
        self._timer: TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_fresh = self._store_is_there = True
        self.count = 0

    def start(self) -> None:
        self._timer = self._clock.call_at(self._clock.now() + FIRST_MS, self._wake)

    async def close(self) -> None:
        """End; a pass under way is broken off."""
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
        self._store_is_there = True
        if self._is_fresh:
            await self._journal.delete_ended([])  # what an earlier process left
            self._is_fresh = False
        count = 0
        for scope, retention in (await self._rules()).items():
            cut = await self._cut_project(scope, Keeping(retention))
            if cut:
                _log.info("runs_cut", project=scope.project_id, runs=cut)
            count += cut
            if not self._store_is_there:
                break
        return count

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
            if is_last or not self._store_is_there:
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
            self.count += await self._journal.delete_ended(run_ids)
        await self._tell_store()
        return run_ids

    async def _of_live_parents(self, rows: Sequence[RunRow]) -> set[str]:
        parents = {row.parent_run_id for row in rows if row.parent_run_id is not None}
        found = [await self._journal.row(parent) for parent in parents]
        live = {row.run_id for row in found if row is not None and row.status not in TERMINAL}
        return {row.run_id for row in rows if row.parent_run_id in live}

    async def _tell_store(self) -> None:
        try:
            await self._remove_deleted()
        except RunStoreUnavailable as exc:
            self._store_is_there = False
            _log.warning("run_store_not_cut", error=exc.message)
