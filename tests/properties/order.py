"""Properties of what follows what: dependencies, conditions, pauses, stops, ends."""

from tests.properties.ledger import deps_of, is_iteration, ledger, plan_of, prefixes, starts, surroundings
from tests.properties.simulation import Record

from runwell.engine.environment import ScopeEnvironment
from runwell.engine.expressions import Expr, ExpressionFailed
from runwell.engine.state import RunState, Scope
from runwell.model import commands as cmd
from runwell.model import events as ev
from runwell.model.statuses import RESOLVED, TERMINAL, RunStatus, StepStatus

OTHERS_SKIP = "dependency_skipped"
"""Why a step is skipped when nothing failed: for itself or, with `caused_by`, as what it depends on was."""


def terminal_is_final(record: Record) -> None:
    ended = False
    for event in record.events:
        assert not ended or event.type in ev.AFTERWARDS, f"{event.type} after the run's end"
        ended = ended or event.type in _ENDS
    statuses = [turn.status for turn in record.turns if turn.status in TERMINAL]
    assert len(set(statuses)) <= 1, f"a final status changed: {statuses}"


_ENDS = {"run_succeeded", "run_failed", "run_stopped", "run_limit_exceeded", "run_internal_error", "run_served_from_cache"}


def seq_is_gapless(record: Record) -> None:
    seqs = [event.seq for event in record.events]
    assert seqs == list(range(1, len(seqs) + 1)), f"seq has gaps: {seqs}"


def dependencies_resolve_first(record: Record) -> None:
    for entry in starts(record):
        path = entry.event.step_id or ""
        around = surroundings(path)
        if around is not None:
            assert entry.steps.get(around) is StepStatus.RUNNING, f"{path} started though {around} does not run"
        for dep in [] if is_iteration(path) else deps_of(record.plan, path):
            assert entry.steps.get(dep) in RESOLVED, f"{path} started before {dep} was resolved"


def joins_hold(record: Record) -> None:
    for entry in ledger(record):
        path = entry.event.step_id or ""
        if is_iteration(path) or entry.step is not StepStatus.PENDING:
            continue
        plan = plan_of(record.plan, path)
        deps = deps_of(record.plan, path)
        good = [dep for dep in deps if entry.steps.get(dep) is StepStatus.SUCCEEDED or dep in entry.handled]
        enough = not deps or (len(good) == len(deps) if plan.spec.join == "all" else bool(good))
        if entry.event.type == "step_started":
            assert enough, f"{path} started with join {plan.spec.join} and {good} of {deps}"
        elif isinstance(entry.event.data, ev.StepCompleted) and entry.event.data.reason == OTHERS_SKIP:
            assert not enough, f"{path} was skipped with join {plan.spec.join} and {good} of {deps}"


def conditions_hold(record: Record) -> None:
    for state, event in prefixes(record):
        step = state.steps.get(event.step_id or "")
        if step is None or step.status is not StepStatus.PENDING or step.plan.when is None:
            continue
        if event.type == "step_started":
            assert _value(step.plan.when, state, step.scope) is True, f"{step.path} started against its condition"
        elif isinstance(event.data, ev.StepCompleted) and event.data.reason == "condition_false" and event.data.caused_by is None:
            assert _value(step.plan.when, state, step.scope) is False, f"{step.path} was skipped against its condition"


def _value(condition: Expr, state: RunState, scope: Scope) -> object:
    try:
        return condition.evaluate(ScopeEnvironment(state, scope))
    except ExpressionFailed as exc:
        return exc


def disabled_steps_are_skipped(record: Record) -> None:
    for entry in ledger(record):
        if entry.step is not StepStatus.PENDING or entry.event.step_id is None:
            continue
        enabled = plan_of(record.plan, entry.event.step_id).spec.enabled
        assert enabled or entry.event.type != "step_started", f"{entry.event.step_id} is disabled and started"
        data = entry.event.data
        own = isinstance(data, ev.StepCompleted) and data.reason == "disabled" and data.caused_by is None
        assert not (own and enabled), f"{entry.event.step_id} is enabled and was skipped as disabled"


def nothing_starts_while_paused(record: Record) -> None:
    for entry in ledger(record):
        assert not (entry.run is RunStatus.PAUSED and entry.event.type == "step_started"), f"{entry.event.step_id} started in a pause"


def graceful_stop_starts_nothing(record: Record) -> None:
    draining = False
    for event in record.events:
        draining = draining or event.type == "run_draining"
        assert not (draining and event.type == "step_started"), f"{event.step_id} started while the run drained"


def immediate_stop_ends_the_run(record: Record) -> None:
    for turn in record.turns:
        if isinstance(turn.command, cmd.StopRun) and turn.command.mode == "immediate" and not turn.refused:
            assert turn.status in TERMINAL, "an immediate stop left the run going"
            assert not turn.begun, f"an immediate stop left attempts: {turn.begun}"
            assert not turn.children, f"an immediate stop left child runs: {turn.children}"


def end_leaves_nothing_in_flight(record: Record) -> None:
    if not record.state.is_terminal:
        return
    steps = dict.fromkeys(record.state.steps, StepStatus.PENDING)
    for entry in ledger(record):
        if entry.event.step_id is not None and entry.step_after is not None:
            steps[entry.event.step_id] = entry.step_after
    left = {path: status.value for path, status in steps.items() if status not in RESOLVED}
    assert not left, f"the run ended and left {left}"
    state = record.state
    held = {*state.working, *state.waiting, *state.retrying, *state.agenda, *state.tasks}
    assert not held, f"the ended run's state holds {sorted(held)}"


def resolved_steps_stay(record: Record) -> None:
    resolved: dict[str, str] = {}
    for event in record.events:
        if event.step_id is None or not event.type.startswith("step_"):
            continue
        assert event.step_id not in resolved, f"{event.type} of {event.step_id} after its {resolved[event.step_id]}"
        if event.type in ("step_completed", "step_failed", "step_cancelled", "step_stopped"):
            resolved[event.step_id] = event.type


def statuses_follow_the_tables(record: Record) -> None:
    steps: dict[str, StepStatus] = {}
    run: RunStatus | None = None
    for entry in ledger(record):
        run = entry.after
        if entry.event.step_id is not None and entry.step_after is not None:
            steps[entry.event.step_id] = entry.step_after
        if entry.event is entry.turn.events[-1]:
            assert entry.turn.status is run, f"the run is {entry.turn.status}, the table says {run}"
    for path, step in record.state.steps.items():
        wanted = steps.get(path, StepStatus.PENDING)
        assert step.status is wanted, f"{path} is {step.status}, the table says {wanted}"


def blocked_steps_name_the_cause(record: Record) -> None:
    failed = {event.step_id for event in record.events if event.type == "step_failed"}
    for turn in record.turns:
        innocent = any(_has_no_culprit(event) for event in turn.events)
        for event in turn.events:
            data = event.data
            if isinstance(data, ev.StepCompleted) and data.reason == "blocked":
                named = data.caused_by in failed or (innocent and data.caused_by is None)
                assert named, f"{event.step_id} is blocked by {data.caused_by}, which did not fail"
            elif isinstance(data, ev.StepCancelled):
                assert data.caused_by in failed or innocent, f"{event.step_id} is cancelled by {data.caused_by}, which did not fail"


def _has_no_culprit(event: ev.Event) -> bool:
    """Whether the event ends the run, and no step of it is to blame."""
    return event.type == "run_stopped" or (event.type in _ENDS and getattr(event.data, "failed_step", "") is None)


def failed_run_names_the_failed_step(record: Record) -> None:
    for entry in ledger(record):
        data = entry.event.data
        if isinstance(data, ev.RunFailed) and data.failed_step is None:
            assert data.error.message.startswith("output:"), "the run failed and names no step"
        elif isinstance(data, ev.RunFailed | ev.RunDraining) and data.failed_step is not None:
            assert entry.steps.get(data.failed_step) is StepStatus.FAILED, f"the run blames {data.failed_step}, which did not fail"
            assert data.failed_step not in entry.handled, f"the run blames {data.failed_step}, whose failure was handled"
