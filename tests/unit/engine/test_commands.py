"""Commands: said twice they count once, and where they make no sense they are refused."""

from typing import Any

import pytest
from tests.unit.engine.driver import Driver, workflow

from runwell.engine.view import run_row, run_view
from runwell.model.commands import (
    AddComment,
    AdmitRun,
    ArchiveRun,
    Command,
    EndInternally,
    PauseRun,
    RecordEvaluation,
    ResumeRun,
    ReviewRun,
    SendMessage,
    StopRun,
    UnarchiveRun,
)
from runwell.model.errors import CommandRefused, ErrorInfo, InvalidInput
from runwell.model.events import RunEvaluated, StopMode
from runwell.model.statuses import RunStatus
from runwell.model.times import rfc3339


def test_a_comment_with_the_same_id_counts_once() -> None:
    run = Driver(workflow({"id": "a"}))
    run.do(AddComment(comment_id="c1", content="look"))
    assert run.do(AddComment(comment_id="c1", content="look")).events == []
    run.complete("a")
    assert [event.type for event in run.do(AddComment(comment_id="c2", content="done")).events] == ["comment_added"]


def test_a_run_is_archived_once_and_comes_back_once() -> None:
    run = Driver(workflow({"id": "a"}))
    run.complete("a")
    archived = run.do(ArchiveRun(actor="ann")).events
    assert [(event.type, event.actor) for event in archived] == [("run_archived", "ann")]
    assert (run_row(run.state).archived_at, run_view(run.state).archived_at) == (archived[0].ts, rfc3339(archived[0].ts))
    assert run.do(ArchiveRun()).events == []
    assert [event.type for event in run.do(UnarchiveRun()).events] == ["run_unarchived"]
    assert run.do(UnarchiveRun()).events == []
    assert (run_row(run.state).archived_at, run.state.status) == (None, RunStatus.SUCCEEDED)


@pytest.mark.parametrize("admit", [True, False])
def test_a_live_run_is_not_archived(admit: bool) -> None:
    run = Driver(workflow({"id": "a"}), admit=admit)
    with pytest.raises(CommandRefused, match="only a run that has ended can be archived"):
        run.do(ArchiveRun())
    assert run.do(UnarchiveRun()).events == []


def test_the_last_review_counts_whole() -> None:
    run = Driver(workflow({"id": "a"}))
    assert run.do(ReviewRun()).events == []
    first = ReviewRun(review="positive", score=0.5, comment="well done")
    assert [event.type for event in run.do(first).events] == ["run_reviewed"]
    assert run.do(first).events == []
    run.complete("a")
    run.do(ReviewRun(review="negative"))
    assert (run_view(run.state).review, run_view(run.state).score) == ("negative", None)
    for score in (float("nan"), float("inf")):
        with pytest.raises(InvalidInput, match="a score is a finite number"):
            run.do(ReviewRun(score=score))


def said(evaluation_run_id: str, **fields: Any) -> RecordEvaluation:
    made = {"evaluator_id": "evl_1", "evaluator": "judge", "workflow_id": "wf_1", "version": 1, **fields}
    return RecordEvaluation(evaluation=RunEvaluated(evaluation_run_id=evaluation_run_id, **made))


def test_people_go_before_evaluators_and_colleagues_before_end_users() -> None:
    run = Driver(workflow({"id": "a"}))
    run.complete("a")

    def shown() -> tuple[str, float | None, str | None]:
        view = run_view(run.state)
        return view.review, view.score, view.review_comment

    run.do(said("run_1", score=0.5, review="positive", comment="good"))
    run.do(said("run_2", evaluator_id="evl_2", score=1.0, review="negative", comment="rude"))
    assert shown() == ("negative", 0.75, "rude")
    run.do(ReviewRun(review="positive", comment="it helped", by_end_user=True))
    assert shown() == ("positive", 0.75, "it helped")
    run.do(ReviewRun(review="negative", score=0.1))
    run.do(ReviewRun(review="positive", score=0.9, by_end_user=True))
    assert shown() == ("negative", 0.1, None)
    run.do(ReviewRun())
    assert shown() == ("positive", 0.9, None)


def test_an_evaluation_is_told_once_and_the_last_of_an_evaluator_counts() -> None:
    run = Driver(workflow({"id": "a"}))
    run.complete("a")
    assert [event.type for event in run.do(said("run_1", score=0.0, review="negative")).events] == ["run_evaluated"]
    assert run.do(said("run_1", score=1.0)).events == []
    run.do(said("run_2", score=1.0, turn=1))
    run.do(said("run_3", score=0.5, review="positive"))
    run.do(said("run_4", error=ErrorInfo(code="X", message="x"), turn=2))
    view = run_view(run.state)
    assert [(one.evaluation_run_id, one.turn) for one in view.evaluations] == [("run_3", None), ("run_2", 1), ("run_4", 2)]
    assert (view.review, view.score, view.evaluation_run_info.evaluation_run_id) == ("positive", 0.75, "run_4")


def test_a_pause_starts_nothing_and_lets_what_runs_end() -> None:
    run = Driver(workflow({"id": "a"}, {"id": "b", "depends_on": ["a"]}))
    run.do(PauseRun())
    assert run.do(PauseRun()).events == []
    run.complete("a")
    assert (run.state.status, run.statuses()) == (RunStatus.PAUSED, {"a": "succeeded", "b": "pending"})
    assert [start.step_id for start in run.do(ResumeRun()).attempts] == ["b"]
    assert run.do(ResumeRun()).events == []


def test_a_paused_run_whose_last_step_ends_succeeds() -> None:
    run = Driver(workflow({"id": "a"}))
    run.do(PauseRun())
    run.complete("a")
    assert run.state.status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("mode", ["immediate", "graceful"])
def test_a_queued_run_is_stopped_at_once(mode: StopMode) -> None:
    run = Driver(workflow({"id": "a"}), admit=False)
    run.do(StopRun(mode=mode))
    assert (run.state.status, run.statuses()) == (RunStatus.STOPPED, {"a": "skipped"})
    assert run.do(AdmitRun()).events == []


def test_an_immediate_stop_ends_everything() -> None:
    run = Driver(workflow({"id": "a"}, {"id": "d", "type": "delay", "for_s": 9}, {"id": "c", "type": "workflow", "workflow": "x"}))
    out = run.do(StopRun())
    assert set(run.statuses().values()) == {"stopped"}
    assert (out.cancels, out.stops) == (["a"], [(run.step("c").child_run_id, "immediate")])
    assert run.do(StopRun()).events == []


def test_a_graceful_stop_waits_for_what_runs_and_then_stops() -> None:
    run = Driver(workflow({"id": "a"}, {"id": "d", "type": "delay", "for_s": 9}, {"id": "b", "depends_on": ["a"]}))
    run.do(StopRun(mode="graceful"))
    assert (run.state.status, run.statuses()) == (RunStatus.DRAINING, {"a": "running", "d": "stopped", "b": "pending"})
    assert run.do(StopRun(mode="graceful")).events == []
    run.complete("a")
    assert (run.state.status, run.statuses()) == (RunStatus.STOPPED, {"a": "succeeded", "d": "stopped", "b": "skipped"})


def test_a_graceful_stop_has_a_time_limit_and_can_be_cut_short() -> None:
    run = Driver(workflow({"id": "a"}))
    run.do(StopRun(mode="graceful", drain_timeout_s=5))
    assert run.wait(4_999).events == []
    run.wait(1)
    assert run.state.error is not None
    assert (run.state.status, run.state.error.code) == (RunStatus.STOPPED, "DRAIN_TIMEOUT")
    run = Driver(workflow({"id": "a"}))
    run.do(StopRun(mode="graceful"))
    run.do(StopRun())
    assert run.state.status is RunStatus.STOPPED


@pytest.mark.parametrize(
    ("command", "state", "words"),
    [
        (PauseRun(), "queued", "only a run under way can be paused"),
        (PauseRun(), "draining", "only a run under way can be paused"),
        (PauseRun(), "ended", "it cannot be paused"),
        (ResumeRun(), "draining", "cannot be resumed"),
        (ResumeRun(), "ended", "it cannot be resumed"),
        (SendMessage(name="m"), "ended", "cannot be sent a message"),
    ],
)
def test_what_makes_no_sense_is_refused(command: Command, state: str, words: str) -> None:
    run = Driver(workflow({"id": "a"}), admit=state != "queued")
    if state == "draining":
        run.do(StopRun(mode="graceful"))
    elif state == "ended":
        run.do(StopRun())
    seq = run.state.seq
    with pytest.raises(CommandRefused, match=words):
        run.do(command)
    assert run.state.seq == seq


def test_the_time_limit_of_a_run_counts_neither_waiting_nor_pauses() -> None:
    run = Driver(workflow({"id": "w", "type": "wait", "message": "go"}, {"id": "a", "depends_on": ["w"]}, limits={"timeout_s": 10}))
    run.wait(1_000_000)
    run.do(SendMessage(name="go"))
    run.wait(9_000)
    run.do(PauseRun())
    run.wait(1_000_000)
    run.do(ResumeRun())
    assert run.wait(999).events == []
    run.wait(1)
    assert (run.state.status, run.statuses()) == (RunStatus.TIMED_OUT, {"w": "succeeded", "a": "cancelled"})


def test_a_defect_ends_the_run_and_says_so() -> None:
    run = Driver(workflow({"id": "a"}, {"id": "b", "depends_on": ["a"]}))
    error = ErrorInfo(code="INTERNAL_ERROR", message="a defect")
    out = run.do(EndInternally(error=error))
    assert (run.state.status, run.state.error, out.cancels) == (RunStatus.INTERNAL_ERROR, error, ["a"])
    assert run.do(EndInternally(error=error)).events == []
