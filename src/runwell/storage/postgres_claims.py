"""Where each run's journal ends, as far as this process knows: `Positions` for a database that is not asked at once.

A run that lives or has something under way is known, and a conflict with it is told at once. Of any other
the caller is believed until its append is written: what it expects is then looked up, and what is not as
it expects fails, alone. That is safe because nobody else writes.
"""

from collections.abc import Sequence
from typing import Any

from runwell.model.errors import InvalidInput, PositionConflict, RunwellError
from runwell.model.ids import short_id
from runwell.storage.tasks import OpenTasks


class Claim:
    """The end of one run's journal. `checked`: the database said so, or will have been told by us.

    `rid` and `tasks` count only then. `refusal` is why what stands on this claim cannot be kept.
    """

    __slots__ = ("checked", "refusal", "rid", "run_id", "seq", "tasks")

    def __init__(self, run_id: str, rid: int, seq: int, tasks: OpenTasks, *, checked: bool) -> None:
        self.run_id, self.rid, self.seq, self.tasks, self.checked = run_id, rid, seq, tasks, checked
        self.refusal: RunwellError | None = None


class Claims:
    """The claims, by the 24-hex id of seed 004, which is unique among runs."""

    def __init__(self, last_rid: int = 0) -> None:
        self._last_rid = last_rid
        self._known: dict[str, Claim] = {}

    def add(self, claim: Claim) -> None:
        self._known[short_id(claim.run_id)] = claim

    def claim(self, run_id: str, expected: int) -> Claim:
        """Return the run's claim, which is at `expected`. Changes nothing yet.

        Raises `PositionConflict`, and `InvalidInput` when another run has the same 24-hex id.
        """
        claim = self._known.get(short_id(run_id))
        if claim is None:
            if not run_id.startswith("run_"):
                raise InvalidInput(f"{run_id!r} is no run id", hint="a run id is run_ and 32 hex digits")
            return Claim(run_id, 0, expected, {}, checked=False)
        if claim.run_id != run_id:
            raise twin(run_id, claim.run_id)
        if claim.seq != expected:
            raise PositionConflict(run_id, expected, claim.seq)
        return claim

    def advance(self, claim: Claim, seq: int) -> None:
        """Note that events up to `seq` were submitted."""
        claim.seq = seq
        self.add(claim)

    def check(self, claim: Claim, expected: int, found: Sequence[Any]) -> None:
        """Compare a claim with what the database has of its 24-hex id: (run_id, rid, seq, task_id, step_id) by task, or nothing."""
        run_id, rid, seq = found[0][:3] if found else (claim.run_id, 0, 0)
        if run_id != claim.run_id:
            self._refuse(claim, twin(claim.run_id, run_id))
        elif seq != expected:
            self._refuse(claim, PositionConflict(run_id, expected, seq))
        else:
            if not found:
                self._last_rid += 1
            claim.rid = rid or self._last_rid
            claim.tasks = {task_id: step_id for *_, task_id, step_id in found if task_id is not None}
            claim.checked = True

    def _refuse(self, claim: Claim, error: RunwellError) -> None:
        claim.refusal = error
        self.forget(claim)

    def forget(self, claim: Claim) -> None:
        """Look the run up next time: it has ended, or what was submitted is not kept."""
        if self._known.get(short_id(claim.run_id)) is claim:
            del self._known[short_id(claim.run_id)]

    def doubt(self) -> None:
        """Look every run up next time: the server was away, and another may have taken its place."""
        for claim in self._known.values():
            claim.checked = False
        self._known.clear()


def twin(run_id: str, other: str) -> InvalidInput:
    return InvalidInput(f"{run_id!r} has the same 24-hex id as {other!r}", hint="make a new id for the run")
