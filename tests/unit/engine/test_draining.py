"""Runs that drain: nothing new starts, what is in flight may end, and then the run does."""

from tests.unit.engine.driver import Driver, workflow

from runwell.model.statuses import RunStatus

LOOP = {"id": "each", "type": "for_each", "items": [1, 2], "steps": [{"id": "a", "type": "transform"}]}


def test_a_second_failure_in_a_loop_that_failed_already() -> None:
    run = Driver(workflow(LOOP, on_failure="drain"))
    run.fail("each[0].a")
    run.fail("each[1].a")
    assert run.state.status is RunStatus.FAILED
    assert run.state.failed_step == "each[0].a"
    assert set(run.statuses().values()) == {"failed"}
