"""Deletions, carried from the journal into the run store: what was deleted there is deleted here, then it is forgotten.

Whatever ends that half-way, the journal says it still: it is done again, by this process or the next. Nothing of it harms
when it is done twice. A deletion from the journal itself that was cut off goes on here, too.
"""

import asyncio
from typing import Final

import structlog

from runwell.model.errors import Refused, RunStoreUnavailable
from runwell.model.removals import Removals
from runwell.ports.journal import Journal
from runwell.ports.probe import Probe
from runwell.ports.run_store import RunStore
from runwell.runtime.run_overlay import RunOverlay

PIECE: Final = 5_000
"""So many runs are removed at once."""

_log = structlog.get_logger("runwell.projector")


class Remover:
    """`taking`: held by whoever changes the overlay."""

    def __init__(self, journal: Journal, store: RunStore, overlay: RunOverlay, taking: asyncio.Lock, probe: Probe) -> None:
        self._journal, self._store, self._overlay, self._taking, self._probe = journal, store, overlay, taking, probe

    @property
    def is_due(self) -> bool:
        """Whether something can be done: a deletion that somebody else works on is theirs."""
        known = self._journal.removals()
        return bool(known.runs or known.everything or known.of("cut_off") or known.of("deleted"))

    @property
    def is_too_much(self) -> bool:
        """Whether so many runs were deleted that they are not named: the store has to be emptied."""
        return self._journal.removals().everything

    def named(self) -> Removals:
        """Return what the store may have of what was deleted. Raises `RunStoreUnavailable` when that is not known."""
        if self.is_too_much:
            raise RunStoreUnavailable(
                "many runs were deleted while the run store was away; it is built anew", hint="ask again in a few seconds; runs go on"
            )
        return self._journal.removals()

    async def finish_journal(self) -> None:
        """Go on with deletions from the journal that were cut off. Raises `JournalUnavailable`."""
        for workflow_id in self._journal.removals().of("cut_off"):
            try:
                await self._journal.delete_runs(workflow_id)
            except Refused as exc:  # whether it was decided was not known, and it was not
                _log.error("deletion_given_up", workflow_id=workflow_id, error=exc.message)
                await self._journal.removed(Removals(workflows={workflow_id: "cut_off"}))

    async def emptied(self) -> None:
        """Take note that the store was emptied."""
        known = self._journal.removals()
        await self._journal.removed(Removals(runs=known.runs, everything=known.everything))

    async def remove(self) -> None:
        """Remove what is named. Nothing may be written meanwhile. Raises `RunStoreUnavailable` and `JournalUnavailable`."""
        known = self._journal.removals()
        for workflow_id in known.of("deleted"):
            async with self._taking:
                self._overlay.forget_workflow(workflow_id)
            self._probe("projector.before_remove")
            await self._store.remove_workflow(workflow_id)
            await self._forget(Removals(workflows={workflow_id: "deleted"}))
        runs = sorted(known.runs)
        for start in range(0, len(runs), PIECE):
            piece = runs[start : start + PIECE]
            async with self._taking:
                self._overlay.forget_runs(piece)
            self._probe("projector.before_remove")
            await self._store.remove_runs(piece)
            await self._forget(Removals(runs=frozenset(piece)))

    async def _forget(self, removals: Removals) -> None:
        self._probe("projector.after_remove")
        await self._journal.removed(removals)
