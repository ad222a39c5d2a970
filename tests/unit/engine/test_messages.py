"""Waits for messages: early ones are kept, each is taken once."""

from tests.unit.engine.driver import Driver, workflow

from runwell.model.commands import AdmitRun, SendMessage

TWO_WAITS = workflow({"id": "a", "type": "wait", "message": "go"}, {"id": "b", "type": "wait", "message": "go"})


def test_an_early_message_is_taken_by_one_step_only() -> None:
    run = Driver(TWO_WAITS, admit=False)
    run.do(SendMessage(name="go", body=1))
    run.do(AdmitRun())
    assert run.statuses() == {"a": "succeeded", "b": "waiting"}


def test_two_early_messages_go_to_two_steps_in_order() -> None:
    run = Driver(TWO_WAITS, admit=False)
    run.do(SendMessage(name="go", body=1))
    run.do(SendMessage(name="go", body=2))
    run.do(AdmitRun())
    assert [run.step("a").result, run.step("b").result] == [1, 2]


def test_a_message_goes_to_the_step_that_waits_longest() -> None:
    run = Driver(TWO_WAITS)
    run.do(SendMessage(name="go", body=1))
    assert run.statuses() == {"a": "succeeded", "b": "waiting"}
    assert run.state.messages == {"go": []}


def test_a_message_with_the_same_id_counts_once_also_after_the_end() -> None:
    run = Driver(TWO_WAITS)
    for _ in range(3):
        run.do(SendMessage(name="go", body=1, message_id="m1"))
    assert run.statuses() == {"a": "succeeded", "b": "waiting"}
    run.do(SendMessage(name="go", body=2, message_id="m2"))
    assert run.state.is_terminal
    assert run.do(SendMessage(name="go", body=2, message_id="m2")).events == []


def test_a_message_of_another_name_wakes_nobody() -> None:
    run = Driver(TWO_WAITS)
    run.do(SendMessage(name="stop", body=1))
    assert run.statuses() == {"a": "waiting", "b": "waiting"}
