"""Where each run's journal ends, counting what was submitted and is not durable yet.

An append is checked against this on the event loop's thread, so that a conflict is known at once.
The map holds runs that live or have something under way; any other is looked up.
"""

from collections.abc import Callable

from runwell.model.errors import InvalidInput, PositionConflict
from runwell.model.ids import short_id
from runwell.storage.tasks import OpenTasks


class Position:
    """The end of one run's journal. `rid` is the run's number in this journal, given in order of creation."""

    __slots__ = ("rid", "run_id", "seq", "tasks")

    def __init__(self, run_id: str, rid: int, seq: int, tasks: OpenTasks | None = None) -> None:
        self.run_id, self.rid, self.seq = run_id, rid, seq
        self.tasks = tasks or None


class Positions:
    """The positions, by the 24-hex id of seed 004, which is unique among runs."""

    def __init__(self, look_up: Callable[[str], Position | None], last_rid: int) -> None:
        self._look_up = look_up
        self._last_rid = last_rid
        self._known: dict[str, Position] = {}

    def add(self, position: Position) -> None:
        self._known[short_id(position.run_id)] = position

    def claim(self, run_id: str, expected: int) -> Position:
        """Return the run's position, which is `expected`; that of an unknown run is 0. Changes nothing yet.

        Raises `PositionConflict`, and `InvalidInput` when another run has the same 24-hex id.
        """
        short = short_id(run_id)
        position = self._known.get(short) or self._look_up(short) or _new(run_id)
        if position.run_id != run_id:
            raise InvalidInput(f"{run_id!r} has the same 24-hex id as {position.run_id!r}", hint="make a new id for the run")
        if position.seq != expected:
            raise PositionConflict(run_id, expected, position.seq)
        return position

    def advance(self, position: Position, seq: int) -> None:
        """Note that events up to `seq` were submitted; a new run gets its number."""
        if position.rid == 0:
            self._last_rid += 1
            position.rid = self._last_rid
        position.seq = seq
        self.add(position)

    def forget(self, position: Position) -> None:
        """Look the run up next time: it has ended, or what was submitted is not kept."""
        self._known.pop(short_id(position.run_id), None)


def _new(run_id: str) -> Position:
    if not run_id.startswith("run_"):
        raise InvalidInput(f"{run_id!r} is no run id", hint="a run id is run_ and 32 hex digits")
    return Position(run_id, 0, 0)
