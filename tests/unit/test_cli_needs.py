"""Whom a run waits for, looked up while others carry it on."""

import asyncio

from tests.unit.engine.driver import Driver, workflow

from runwell.cli.needs import family
from runwell.engine.state import RunState

CHILDREN = [{"id": name, "type": "workflow", "workflow": "child"} for name in ("a", "b")]


class MovesOn:
    """A run that is carried on as soon as one of its children is looked up."""

    def __init__(self, parent: RunState, child: RunState) -> None:
        self._parent = parent
        self._child = child

    async def state(self, run_id: str) -> RunState:
        if run_id == self._parent.run_id:
            return self._parent
        self._parent.waiting.clear()
        return self._child


def test_the_children_of_a_run_that_is_carried_on_meanwhile() -> None:
    parent, child = Driver(workflow(*CHILDREN)).state, Driver(workflow({"id": "n", "type": "wait", "message": "go"})).state
    for path in parent.waiting:
        parent.steps[path].child_run_id = f"run_child_{path}"
    found = asyncio.run(family(MovesOn(parent, child), parent.run_id))
    assert found.states == [parent, child, child]
