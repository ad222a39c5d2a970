"""Failed attempts are made again: when, how often, and what holds them back."""

import pytest
from tests.unit.engine.driver import Driver, workflow

from runwell.engine.retry import retry_at
from runwell.engine.state import next_alarm
from runwell.model.commands import PauseRun, RecoverRun, ResumeRun, StopRun
from runwell.model.statuses import RunStatus
from runwell.model.step import Retry


def test_a_retry_that_was_put_off_by_a_pause_keeps_its_alarm() -> None:
    run = Driver(workflow({"id": "a", "retry": {"initial_delay_s": 5, "jitter": 0}}))
    run.fail("a", retryable=True)
    run.do(PauseRun())
    assert next_alarm(run.state) is None
    run.do(ResumeRun())
    assert next_alarm(run.state) == run.now + 5_000
    assert [start.attempt for start in run.to_alarm().attempts] == [2]


@pytest.mark.parametrize(
    ("failures", "jitter", "wish", "seconds"),
    [
        (1, 0.0, None, 2.0),
        (2, 0.0, None, 6.0),
        (3, 0.0, None, 18.0),
        (4, 0.0, None, 20.0),
        (99, 0.0, None, 20.0),
        (1, 1.0, None, 1.0),
        (1, 0.5, None, 1.5),
        (4, 1.0, None, 10.0),
        (1, 0.0, 1.0, 2.0),
        (1, 0.0, 7.5, 7.5),
        (1, 1.0, 7.5, 7.5),
        (1, 0.0, 600.0, 20.0),
        (1, 0.0, 0.0, 2.0),
    ],
)
def test_when_the_next_attempt_is_made(failures: int, jitter: float, wish: float | None, seconds: float) -> None:
    policy = Retry(max_attempts=100, initial_delay_s=2, backoff=3, max_delay_s=20, jitter=0.5)
    assert retry_at(policy, failures, 1_000, jitter, wish) == 1_000 + seconds * 1_000


def test_no_delay_is_no_delay() -> None:
    assert retry_at(Retry(initial_delay_s=0), 3, 5, 1.0, None) == 5


def test_the_steepest_backoff_stays_within_its_cap() -> None:
    assert retry_at(Retry(max_attempts=100, backoff=100, jitter=0), 99, 0, 0.0, None) == 300_000


def test_a_failed_attempt_is_made_again_until_there_are_no_more() -> None:
    run = Driver(workflow({"id": "a", "retry": {"max_attempts": 3, "jitter": 0}}))
    for seconds in (1, 2):
        run.fail("a", retryable=True)
        assert next_alarm(run.state) == run.now + seconds * 1_000
        assert run.wait(seconds * 1_000 - 1).events == []
        assert [start.step_id for start in run.wait(1).attempts] == ["a"]
    run.fail("a", retryable=True)
    assert [attempt.status for attempt in run.step("a").attempts] == ["failed"] * 3
    assert run.state.status is RunStatus.FAILED


def test_only_what_can_help_is_tried_again() -> None:
    run = Driver(workflow({"id": "a", "retry": {}}, {"id": "b"}))
    run.fail("a", retryable=False)
    assert (run.statuses(), run.state.failed_step) == ({"a": "failed", "b": "cancelled"}, "a")
    run = Driver(workflow({"id": "a"}))
    run.fail("a", retryable=True)
    assert run.state.status is RunStatus.FAILED


def test_an_interrupted_attempt_is_made_again_at_once_and_is_no_failure() -> None:
    run = Driver(workflow({"id": "a", "retry": {"max_attempts": 2}}))
    for number in (2, 3):
        assert [start.attempt for start in run.crash().attempts] == [number]
    assert (run.step("a").failures, run.step("a").deaths) == (0, 2)


def test_a_step_that_dies_with_its_process_three_times_ends_the_run() -> None:
    run = Driver(workflow({"id": "a"}, {"id": "b", "depends_on": ["a"]}))
    run.crash()
    run.crash()
    run.crash()
    assert (run.state.status, run.state.failed_step) == (RunStatus.INTERNAL_ERROR, "a")
    assert run.statuses() == {"a": "failed", "b": "skipped"}


def test_an_interrupted_attempt_is_not_made_again_while_the_run_drains() -> None:
    run = Driver(workflow({"id": "a"}))
    run.do(StopRun(mode="graceful"))
    run.crash()
    assert (run.state.status, run.statuses()) == (RunStatus.STOPPED, {"a": "stopped"})


def test_an_attempt_that_goes_on_is_not_made_again() -> None:
    run = Driver(workflow({"id": "a"}, {"id": "b"}))
    out = run.do(RecoverRun(alive=frozenset({"a"}), suspect=False))
    assert [(start.step_id, start.attempt) for start in out.attempts] == [("b", 2)]
    assert (run.step("a").attempt, run.step("b").deaths) == (1, 0)


def test_an_attempt_that_a_shutdown_ended_waits_for_its_time() -> None:
    run = Driver(workflow({"id": "a"}))
    assert run.do(RecoverRun(suspect=False, retry_at=run.now + 500)).attempts == []
    assert [start.attempt for start in run.to_alarm().attempts] == [2]
