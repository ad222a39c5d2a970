"""Workflows and runs that are deleted: what they get from this process no more.

First no new runs, so that none comes up between the look for live ones and the deletion; then nothing at all, so
that no late event brings back a part of a run that is gone. So with runs that have ended, which can get comments only.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from runwell.model.errors import NotFound, Refused
from runwell.model.run import RunRow


class Deleted:
    """All methods belong to the event loop's thread."""

    def __init__(self) -> None:
        self._no_runs: set[str] = set()
        self._nothing: set[str] = set()
        self._runs: set[str] = set()

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
        """Let the workflow get no new runs; from the call of what this gives on, nothing. An error takes it back."""
        self._no_runs.add(workflow_id)
        try:
            yield lambda: self._nothing.add(workflow_id)
        except BaseException:
            self._no_runs.discard(workflow_id)
            self._nothing.discard(workflow_id)
            raise


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
