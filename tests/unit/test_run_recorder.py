"""A run's record: what is kept of very many steps and calls, what comes after the end, what cannot follow."""

import pytest
from tests.contract.samples import CREATED, event

from runwell.model import events as ev
from runwell.model.errors import ErrorInfo, InvalidInput
from runwell.model.events import Event
from runwell.model.usage import Usage
from runwell.runtime.run_recorder import MAX_FAILED, MAX_GENERATIONS, MAX_STEPS, RunRecorder, recorded

RUN = "run_01995b5d4f0a7000800000000000000a"


def log(*parts: tuple[ev.EventData, str | None]) -> list[Event]:
    datas: list[tuple[ev.EventData, str | None]] = [(CREATED, None), (ev.RunStarted(), None), *parts]
    return [event(RUN, seq, data, step=step) for seq, (data, step) in enumerate(datas, 1)]


def test_of_very_many_steps_the_first_and_the_failed_are_held_and_all_are_counted() -> None:
    failure = ev.StepFailed(error=ErrorInfo(code="HTTP_FAILED", message="no"), handled=True)
    count = MAX_STEPS + 3 * MAX_FAILED
    steps: list[tuple[ev.EventData, str | None]] = [(ev.StepStarted(step_type="for_each"), "each")]
    for number in range(count):
        inner = f"each[{number}].send"
        steps += [(ev.StepStarted(step_type="for_each"), f"each[{number}]"), (ev.StepStarted(step_type="http"), inner)]
        steps += [(failure if number >= MAX_STEPS else ev.StepCompleted(), inner), (ev.StepCompleted(), f"each[{number}]")]
    made = recorded(log(*steps)).record()
    assert (made.step_count, len(made.steps)) == (count + 1, MAX_STEPS + MAX_FAILED)
    assert sum(step.status == "failed" for step in made.steps) == MAX_FAILED
    assert {(step.id, step.type) for step in made.steps[:MAX_STEPS]} == {("each", "for_each"), ("send", "http")}
    assert made.steps[-1].error_code == "HTTP_FAILED"


def test_of_very_many_calls_the_first_are_held_and_all_are_summed() -> None:
    call = ev.GenerationCompleted(provider="p", model="m", response_model="m-1", usage=Usage(output_tokens=2, generations=1))
    made = recorded(log(*[(call, "ask")] * (MAX_GENERATIONS + 5))).record()
    assert len(made.generations) == MAX_GENERATIONS
    assert (made.usage.generations, made.usage.output_tokens) == (MAX_GENERATIONS + 5, 2 * (MAX_GENERATIONS + 5))
    assert (made.generations[0].model, made.generations[0].seq) == ("m-1", 3)


def test_what_is_said_after_the_end() -> None:
    recorder = recorded(
        log(
            (ev.RunSucceeded(output="x"), None),
            (ev.CommentAdded(comment_id="c", content="well"), None),
            (ev.RunReviewed(review="positive", score=0.5), None),
            (ev.RunArchived(), None),
        )
    )
    made = recorder.record()
    assert (made.status, made.comments, made.review, made.score, made.rev) == ("succeeded", 1, "positive", 0.5, 6)
    assert made.archived_at == (made.ended_at or 0) + 3
    recorder.add(event(RUN, 7, ev.RunUnarchived()))
    assert recorder.record().archived_at is None


def test_what_evaluators_say_is_in_the_record_made_of_the_events_alone() -> None:
    said = ev.RunEvaluated(
        evaluation_run_id="run_e",
        evaluator_id="evl_1",
        evaluator="right",
        workflow_id="wf_2",
        version=1,
        score=0.25,
        review="negative",
        comment="wrong",
    )
    events = log((ev.RunSucceeded(output=1), None), (said, None))
    record = recorded(events).record()
    assert (record.review, record.score, record.review_comment, record.rev) == ("negative", 0.25, "wrong", 4)
    person = ev.RunReviewed(review="positive", comment="it is right", by_end_user=True)
    record = recorded([*events, event(RUN, 5, person)]).record()
    assert (record.review, record.score, record.review_comment) == ("positive", 0.25, "it is right")


def test_a_record_is_made_once_until_something_happens() -> None:
    recorder = recorded(log())
    first = recorder.record()
    assert recorder.record() is first
    recorder.add(event(RUN, 3, ev.Log(message="x")))
    assert recorder.record() is not first


def test_events_must_follow() -> None:
    recorder = recorded(log())
    with pytest.raises(InvalidInput, match=r"event 4 of .* cannot follow event 2"):
        recorder.add(event(RUN, 4, ev.Log(message="x")))
    with pytest.raises(InvalidInput, match="cannot begin with its event 2"):
        RunRecorder(event(RUN, 2, ev.RunStarted()))
