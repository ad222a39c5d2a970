"""Steps one by one: how each type begins, waits and ends."""

import pytest
from tests.unit.engine.driver import Driver, workflow


@pytest.mark.parametrize(
    "step",
    [
        {"id": "a"},
        {"id": "a", "type": "delay", "for_s": 1},
        {"id": "a", "type": "approval", "title": "go on?"},
        {"id": "a", "type": "for_each", "items": [1], "steps": [{"id": "b", "type": "transform"}]},
    ],
)
def test_the_first_start_of_a_step_is_attempt_1_whoever_carries_it_out(step: dict[str, object]) -> None:
    run = Driver(workflow(step))
    assert next(event.attempt for event in run.events if event.step_id == "a") == 1
