"""Steps one by one: how each type begins, waits and ends."""

from typing import Any

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


def each(items: Any, **fields: Any) -> dict[str, Any]:
    return {"id": "each", "type": "for_each", "items": items, "steps": [{"id": "a", "type": "transform", "value": "{{ item }}"}], **fields}


def again(condition: str, **fields: Any) -> dict[str, Any]:
    steps = [{"id": "a", "type": "transform", "value": "{{ loop.iteration }}"}]
    return {"id": "again", "type": "while", "max_iterations": 3, "condition": condition, "steps": steps, **fields}


def test_results_keep_the_order_of_the_items_whichever_ends_first() -> None:
    run = Driver(workflow(each("{{ input }}")), ["x", "y", "z"])
    for i in (2, 0, 1):
        run.complete(f"each[{i}].a", run.step(f"each[{i}].a").input["value"] * 2)
    assert run.step("each").result == ["xx", "yy", "zz"]


def test_at_most_max_parallel_items_at_once() -> None:
    run = Driver(workflow(each([1, 2, 3, 4], max_parallel=2)))
    assert sorted(run.state.working) == ["each[0].a", "each[1].a"]
    run.complete("each[1].a")
    assert sorted(run.state.working) == ["each[0].a", "each[2].a"]


def test_a_loop_over_nothing_is_done_at_once() -> None:
    run = Driver(workflow(each([]), {"id": "b", "depends_on": ["each"], "value": "{{ steps.each.result }}"}))
    assert (run.step("each").result, run.step("b").status) == ([], "running")


@pytest.mark.parametrize(
    ("items", "code", "words"),
    [("text", "EXPRESSION_FAILED", "items gave str, not a list"), ([0] * 10_001, "TOO_MANY_ITEMS", "more than 10000")],
)
def test_what_is_no_list_of_items(items: Any, code: str, words: str) -> None:
    run = Driver(workflow(each("{{ input }}")), items)
    assert run.state.error is not None
    assert run.state.error.code == code
    assert words in run.state.error.message


def test_the_output_of_an_item() -> None:
    run = Driver(workflow(each(["x"], output={"n": "{{ index }}", "of": "{{ item }}", "made": "{{ steps.a.result }}"})))
    run.complete("each[0].a", 7)
    assert run.step("each").result == [{"n": 0, "of": "x", "made": 7}]


def test_a_while_tests_its_condition_before_each_iteration_but_the_first() -> None:
    run = Driver(workflow(again("loop.previous.a.result < 2")))
    run.complete("again[0].a", 1)
    run.complete("again[1].a", 2)
    assert run.step("again").result == {"iterations": 2, "stopped_reason": "condition_false", "value": 2}
    run = Driver(workflow(again("false")))
    run.complete("again[0].a", 1)
    assert run.step("again").result == {"iterations": 1, "stopped_reason": "condition_false", "value": 1}


def test_a_while_ends_at_its_most_iterations() -> None:
    run = Driver(workflow(again("true")))
    for i in range(3):
        assert run.step(f"again[{i}].a").input == {"value": i}
        run.complete(f"again[{i}].a", i)
    assert run.step("again").result == {"iterations": 3, "stopped_reason": "max_iterations", "value": 2}


def test_a_condition_that_is_neither_true_nor_false_fails_its_step() -> None:
    run = Driver(workflow({"id": "a", "when": "input.x"}), {"x": "yes"})
    assert run.state.error is not None
    assert "gave 'yes', which is neither true nor false" in run.state.error.message
    run = Driver(workflow(again("loop.previous.a.result")))
    run.complete("again[0].a", 1)
    assert (run.state.status, run.state.failed_step) == ("failed", "again")


def test_names_of_an_inner_loop_hide_those_of_the_outer() -> None:
    inner = each("{{ item }}") | {"id": "inner"}
    run = Driver(workflow({"id": "outer", "type": "for_each", "items": [[1, 2], [3]], "steps": [inner]}))
    values = {path: step.input["value"] for path, step in run.state.steps.items() if path.endswith(".a")}
    assert values == {"outer[0].inner[0].a": 1, "outer[0].inner[1].a": 2, "outer[1].inner[0].a": 3}


def test_steps_that_are_switched_off_are_skipped_and_so_is_what_depends_on_them_alone() -> None:
    run = Driver(workflow({"id": "a", "enabled": False}, {"id": "b", "depends_on": ["a"]}))
    assert [(step.status, step.reason, step.caused_by) for step in run.state.steps.values()] == [
        ("skipped", "disabled", None),
        ("skipped", "disabled", "a"),
    ]
    assert run.state.status == "succeeded"
