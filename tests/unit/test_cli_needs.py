"""Whom a run waits for, looked up while others carry it on."""

import asyncio

from tests.unit.engine.driver import Driver, workflow

from runwell.cli.needs import Family, family, needs
from runwell.engine.state import RunState
from runwell.model.commands import SuspendAttempt
from runwell.model.waits import TaskWait

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


def test_what_a_handler_asks_is_told_with_what_may_be_edited() -> None:
    run = Driver(workflow({"id": "a"}))
    schema = {"type": "object", "properties": {"args": {"type": "object"}}}
    keys = set()
    for key in ("c1", "c2"):
        wait = TaskWait(key=key, title="Call it?", description="why", payload={"tool": "x", "args": {"n": 1}}, result_schema=schema)
        run.do(SuspendAttempt(step_id="a", attempt=1, wait=wait))
        [need] = needs(Family([run.state]))
        assert (need.title, need.description, need.payload, need.editable) == ("Call it?", "why", wait.payload, {"args": {"n": 1}})
        keys.add(need.key)
        run.decide("a")
    assert len(keys) == 2, "each question of a step is one of its own"
