"""A run's steps as lines: loops folded to counts, what is waited for, why steps failed."""

from typing import Any

from runwell.cli.needs import Family, is_stuck, needs
from runwell.cli.tree import Line, tree_lines
from runwell.engine.advance import advance
from runwell.engine.decide import start
from runwell.engine.evolve import create
from runwell.engine.state import RunState
from runwell.model import commands as cmd
from runwell.model.errors import ErrorInfo
from runwell.model.events import RunCreated
from runwell.model.statuses import RunStatus
from runwell.runtime.publisher import Publisher
from runwell.steps.registry import step_types
from runwell.storage.memory_journal import MemoryDefinitions

NOW = 1_781_234_580_000


def begun(steps: list[dict[str, Any]], given: Any = None) -> RunState:
    """Return a run of these steps, begun at NOW."""
    plan = Publisher(MemoryDefinitions(), step_types()).compile({"name": "sample", "steps": steps})
    created = RunCreated(
        org_id="o",
        project_id="p",
        workflow_id="w",
        workflow_slug="sample",
        workflow_name="sample",
        version=1,
        version_hash="h",
        input=given,
    )
    state = create(plan, start("run_1", cmd.StartRun(run=created), NOW))
    advance(state, cmd.AdmitRun(), NOW)
    return state


def lines(state: RunState, later: int = 0) -> list[Line]:
    return tree_lines(state, NOW + later)


def test_pending_running_and_done() -> None:
    step = {"type": "python", "code": "1"}
    state = begun([{"id": "a", "name": "First", **step}, {"id": "b", "depends_on": ["a"], **step}])
    assert [(line.label, line.badge, line.time) for line in lines(state, 1_500)] == [("First", "Running", "1.5 s"), ("b", "Pending", "")]
    advance(state, cmd.CompleteAttempt(step_id="a", attempt=1, result=1), NOW + 20)
    assert [(line.badge, line.time) for line in lines(state, 50)] == [("Success", "20 ms"), ("Running", "30 ms")]


def test_a_loop_is_one_line_with_counts_and_culprits() -> None:
    body = [{"id": "send", "type": "python", "code": "1"}]
    loop = {"id": "each", "type": "for_each", "items": "{{ input }}", "max_parallel": 3, "on_item_error": "collect", "steps": body}
    state = begun([loop], [1, 2, 3, 4])
    assert [line.note for line in lines(state)] == ["0 of 4 done, 3 under way", "", "", ""]
    advance(state, cmd.CompleteAttempt(step_id="each[0].send", attempt=1), NOW)
    error = ErrorInfo(code="PYTHON_FAILED", message="no", step_id="each[1].send")
    advance(state, cmd.FailAttempt(step_id="each[1].send", attempt=1, error=error), NOW)
    loop_line, culprit, *under_way = lines(state)
    assert loop_line.note == "2 of 4 done, 2 under way, 1 failed"
    assert (culprit.label, culprit.depth, culprit.note) == ("each[1].send", 1, "PYTHON_FAILED: no")
    assert [(line.label, line.badge) for line in under_way] == [
        ("each[2].send", "Running"),
        ("each[3].send", "Running"),
        ("... 1 more", ""),
    ]


def looped(items: int, parallel: int, done: int, body: list[dict[str, Any]] | None = None) -> RunState:
    """Return a run with a loop whose first iterations are done."""
    body = body or [{"id": "send", "type": "python", "code": "1"}]
    state = begun([{"id": "each", "type": "for_each", "items": "{{ input }}", "max_parallel": parallel, "steps": body}], [*range(items)])
    for i in range(done):
        advance(state, cmd.CompleteAttempt(step_id=f"each[{i}].send", attempt=1), NOW)
    return state


def test_of_a_long_loop_the_last_iterations_are_shown() -> None:
    def labels(state: RunState) -> list[str]:
        return [line.label for line in lines(state)]

    assert labels(looped(50, 1, 20)) == ["each", "each[18].send", "each[19].send", "each[20].send", "... 18 more"]
    assert labels(looped(50, 10, 20)) == ["each", "each[27].send", "each[28].send", "each[29].send", "... 27 more"]
    assert labels(looped(50, 10, 50)) == ["each", "each[47].send", "each[48].send", "each[49].send", "... 47 more"]
    assert labels(looped(3, 10, 3)) == ["each", "each[0].send", "each[1].send", "each[2].send"]
    more = lines(looped(2_000, 1_000, 0))[-1]
    assert (more.label, more.depth, more.status, more.note) == ("... 997 more", 1, None, "")


def test_an_iteration_that_is_late_is_shown_before_those_that_are_done() -> None:
    state = looped(5, 2, 0)
    for i in range(1, 5):
        advance(state, cmd.CompleteAttempt(step_id=f"each[{i}].send", attempt=1), NOW)
    assert [(line.label, line.badge) for line in lines(state)] == [
        ("each", "Running"),
        ("each[0].send", "Running"),
        ("each[3].send", "Success"),
        ("each[4].send", "Success"),
        ("... 2 more", ""),
    ]


def test_a_loop_with_a_large_body_takes_a_dozen_rows() -> None:
    body = [{"id": f"s{i}", "type": "python", "code": "1"} for i in range(9)]
    shown = lines(looped(50, 10, 0, body))
    assert (len(shown), shown[1].label, shown[-2].label, shown[-1].label) == (14, "each[8].s6", "each[9].s8", "... 8 more")


def test_steps_of_inner_loops_are_shown() -> None:
    inner = {"id": "inner", "type": "for_each", "items": "{{ [item, item] }}", "steps": [{"id": "send", "type": "python", "code": "1"}]}
    shown = lines(looped(1, 1, 0, [inner]))
    assert [line.label for line in shown] == ["each", "each[0].inner", "each[0].inner[0].send", "each[0].inner[1].send"]
    assert shown[1].note == "0 of 2 done, 2 under way"


def test_what_is_waited_for() -> None:
    state = begun(
        [
            {"id": "d", "type": "delay", "for_s": 90},
            {"id": "a", "type": "approval", "title": "Pay {{ input }}?", "expires_in_s": 60},
            {"id": "m", "type": "wait", "message": "news"},
            {"id": "c", "type": "workflow", "workflow": "child"},
        ],
        3,
    )
    delay, approval, message, child = (line.note for line in lines(state))
    assert delay.endswith(", in 1 min 30 s")
    assert approval == "for a decision: Pay 3?, 1 min left"
    assert message == "for the message 'news'"
    assert child.startswith("for the child run run_")


def test_a_retry_tells_why() -> None:
    state = begun([{"id": "a", "type": "python", "code": "1", "retry": {"initial_delay_s": 10, "jitter": 0}}])
    error = ErrorInfo(code="HTTP_FAILED", message="503", step_id="a")
    advance(state, cmd.FailAttempt(step_id="a", attempt=1, error=error, retryable=True), NOW)
    assert [line.note for line in lines(state)] == ["attempt 2 in 10.0 s after HTTP_FAILED: 503"]


def test_what_others_failures_did() -> None:
    step = {"type": "python", "code": "1"}
    state = begun([{"id": "a", **step}, {"id": "b", **step}, {"id": "c", "depends_on": ["a", "b"], **step}])
    advance(state, cmd.FailAttempt(step_id="a", attempt=1, error=ErrorInfo(code="PYTHON_FAILED", message="no", step_id="a")), NOW)
    assert [(line.badge, line.note) for line in lines(state)] == [
        ("Failed", "PYTHON_FAILED: no"),
        ("Cancelled", "because of a"),
        ("Skipped (Blocked)", "because of a"),
    ]


def test_what_a_skipped_step_did() -> None:
    off = {"id": "left", "type": "transform", "value": 1, "enabled": False}
    right = {"id": "right", "type": "transform", "value": 1, "when": "input > 3"}
    here = {"id": "here", "type": "python", "code": "1"}
    both = {"type": "transform", "value": 1, "depends_on": ["here", "right"], "join": "all"}
    state = begun([off, right, here, {**both, "id": "both"}, {**both, "id": "then", "depends_on": ["both"]}], 2)
    advance(state, cmd.CompleteAttempt(step_id="here", attempt=1), NOW)
    assert [(line.badge, line.note) for line in lines(state)] == [
        ("Skipped", "switched off"),
        ("Skipped", "its condition is false"),
        ("Success", ""),
        ("Skipped", "because right was skipped"),
        ("Skipped", "because both was skipped"),
    ]
    assert state.steps["both"].reason == "dependency_skipped"


def test_a_run_is_stuck_only_when_people_are_needed() -> None:
    approval = {"id": "a", "type": "approval", "title": "?"}
    alone = begun([approval])
    assert alone.status is RunStatus.WAITING
    assert is_stuck(Family([alone]))
    assert [(need.kind, need.path) for need in needs(Family([alone]))] == [("approval", "a")]
    assert not is_stuck(Family([begun([approval, {"id": "d", "type": "delay", "for_s": 5}])]))
    assert not is_stuck(Family([begun([approval, {"id": "p", "type": "python", "code": "1"}])]))
    assert not is_stuck(Family([alone], whole=False))
    advance(alone, cmd.PauseRun(), NOW)
    assert is_stuck(Family([alone]))
    assert [need.kind for need in needs(Family([alone]))] == ["resume", "approval"]
