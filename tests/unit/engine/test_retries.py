"""Failed attempts are made again: when, how often, and what holds them back."""

from tests.unit.engine.driver import Driver, workflow

from runwell.engine.state import next_alarm
from runwell.model.commands import PauseRun, ResumeRun


def test_a_retry_that_was_put_off_by_a_pause_keeps_its_alarm() -> None:
    run = Driver(workflow({"id": "a", "retry": {"initial_delay_s": 5, "jitter": 0}}))
    run.fail("a", retryable=True)
    run.do(PauseRun())
    assert next_alarm(run.state) is None
    run.do(ResumeRun())
    assert next_alarm(run.state) == run.now + 5_000
    assert [start.attempt for start in run.to_alarm().attempts] == [2]
