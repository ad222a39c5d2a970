"""Workflows and runs that are deleted: what they get from this process no more, and what others may still have of them.

First no new runs, so that none comes up between the look for live ones and the deletion; then nothing at all, so
that no late event brings back a part of a run that is gone. So with runs that have ended, which can get comments only.

Once a deletion is decided, the database says so (`removal`): what ends it half-way does not take it back, and whoever
else keeps something of the runs learns of it, whenever that is.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from runwell.model.errors import NotFound, Refused
from runwell.model.removals import NO_REMOVALS, Removals, Stage
from runwell.model.run import RunRow

EVERYTHING: Final = "*"
"""Stands in `removal` in place of runs that are too many to be named."""

MOST_RUNS: Final = 100_000
"""So many runs are named at most. They are held in memory, and every question to the run store carries them."""


class Deleted:
    """All methods belong to the event loop's thread. `removals` is what the database says, but for its ids of runs gone by."""

    def __init__(self) -> None:
        self.removals = NO_REMOVALS
        self._no_runs: set[str] = set()
        self._nothing: set[str] = set()
        self._runs: set[str] = set()

    def load(self, ids: Collection[str]) -> None:
        """Take up what is in `removal`."""
        runs = frozenset(one for one in ids if one.startswith("run_"))
        workflows: dict[str, Stage] = dict.fromkeys(sorted({*ids} - runs - {EVERYTHING}), "cut_off")
        self.removals = Removals(workflows=workflows, runs=runs, everything=EVERYTHING in ids)
        self._no_runs |= workflows.keys()
        self._nothing |= workflows.keys()

    def check(self, row: RunRow, expected: int) -> None:
        """Raise `NotFound` for an append that the run or its workflow must not get any more."""
        workflow_id = row.workflow_id
        if workflow_id in self._nothing or (expected == 0 and workflow_id in self._no_runs):
            raise NotFound(f"the workflow {workflow_id!r} was deleted, with all of its runs")
        if row.run_id in self._runs:
            raise NotFound(f"the run {row.run_id!r} is being deleted")

    @contextmanager
    def ended(self, run_ids: Collection[str]) -> Iterator[None]:
        """Let these runs, which have ended, get nothing."""
        self._runs.update(run_ids)
        try:
            yield
        finally:
            self._runs.difference_update(run_ids)

    @asynccontextmanager
    async def taking(self, workflow_id: str) -> AsyncIterator[Callable[[], None]]:
        """Let the workflow get no new runs; from the call of what this gives on, nothing. An error before that call takes it back."""
        self._no_runs.add(workflow_id)
        try:
            yield lambda: self._decide(workflow_id)
        except BaseException:
            if workflow_id in self._nothing:
                self._put(workflow_id, "cut_off")
            else:
                self._no_runs.discard(workflow_id)
            raise
        self._put(workflow_id, "deleted")

    def _decide(self, workflow_id: str) -> None:
        self._nothing.add(workflow_id)
        self._put(workflow_id, "deleting")

    def _put(self, workflow_id: str, stage: Stage) -> None:
        known = self.removals
        self.removals = Removals(workflows={**known.workflows, workflow_id: stage}, runs=known.runs, everything=known.everything)

    def add_runs(self, run_ids: Collection[str]) -> bool:
        """Take note of runs that are gone; return whether they are too many to be named."""
        known = self.removals
        self.removals = Removals(workflows=known.workflows, runs=known.runs.union(run_ids), everything=known.everything)
        return len(self.removals.runs) > MOST_RUNS

    def name_none(self) -> None:
        """Take note that the runs are not named any more."""
        self.removals = Removals(workflows=self.removals.workflows, everything=True)

    def forget(self, removed: Removals) -> None:
        known = self.removals
        workflows = {one: stage for one, stage in known.workflows.items() if one not in removed.workflows}
        self.removals = Removals(
            workflows=workflows, runs=known.runs - removed.runs, everything=known.everything and not removed.everything
        )


def ids_of(removed: Removals) -> list[str]:
    """Return what stands in `removal` for these."""
    return [*removed.workflows, *removed.runs, *([EVERYTHING] if removed.everything else [])]


def refuse_live(workflow_id: str, live: int) -> None:
    """Raise `Refused` when some of the workflow's runs have not ended."""
    if live:
        runs = "1 run that has not ended" if live == 1 else f"{live} runs that have not ended"
        raise Refused(f"the workflow {workflow_id!r} has {runs}", hint="stop them first; over HTTP, ?stop=true does that too")


def pieces(runs: Mapping[str, int], events: int) -> Iterator[list[str]]:
    """Cut the runs, of which each has so many events, so that no piece has many more than `events`."""
    piece, size = list[str](), 0
    for run_id, count in runs.items():
        if piece and (size + count > events or len(piece) >= 1_000):
            yield piece
            piece, size = [], 0
        piece.append(run_id)
        size += count
    if piece:
        yield piece
