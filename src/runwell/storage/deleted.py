"""Workflows whose runs are deleted: what they get from this process no more.

First no new runs, so that none comes up between the look for live ones and the deletion; then nothing at all, so
that no late event brings back a part of a run that is gone.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from runwell.model.errors import NotFound, Refused


class DeletedWorkflows:
    """All methods belong to the event loop's thread."""

    def __init__(self) -> None:
        self._no_runs: set[str] = set()
        self._nothing: set[str] = set()

    def check(self, workflow_id: str, expected: int) -> None:
        """Raise `NotFound` for an append that the workflow must not get any more."""
        if workflow_id in self._nothing or (expected == 0 and workflow_id in self._no_runs):
            raise NotFound(f"the workflow {workflow_id!r} was deleted, with all of its runs")

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
