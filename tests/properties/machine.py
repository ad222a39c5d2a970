"""Properties of the machine itself: pure, idempotent, never stuck, the same state from the same events."""

from tests.properties.ledger import is_iteration, ledger, prefixes
from tests.properties.simulation import Record, picture

from runwell.engine.evolve import fold
from runwell.engine.schedule import schedule
from runwell.model import commands as cmd
from runwell.model import events as ev
from runwell.model.events import decode_event, encode_event
from runwell.model.statuses import TERMINAL, RunStatus, StepStatus


def breaks_nothing(record: Record) -> None:
    assert record.broke is None, f"the engine raised {record.broke!r}"


def runs_end(record: Record) -> None:
    assert record.broke is not None or record.state.is_terminal, f"the run is {record.state.status} after {len(record.turns)} turns"


def never_stuck(record: Record) -> None:
    for turn in record.turns:
        if turn.status is RunStatus.RUNNING:
            assert turn.working, "the run is running and nothing works"
        elif turn.status is RunStatus.WAITING:
            assert not turn.working, f"the run is waiting and {sorted(turn.working)} work"
    for event in record.events:
        if isinstance(event.data, ev.RunInternalError):
            assert "ends of the process" in event.data.error.message, event.data.error.message


def folding_gives_the_state(record: Record) -> None:
    ends = {turn.events[-1].seq: turn.picture for turn in record.turns if turn.events}
    for state, _ in prefixes(record):
        if state.seq in ends:
            assert picture(state) == ends[state.seq], f"the events up to {state.seq} make another state"
    whole = fold(record.plan, [decode_event(encode_event(event)) for event in record.events])
    assert record.broke is not None or picture(whole) == picture(record.state), "the events make another state"


def schedule_is_pure(record: Record) -> None:
    for state, event in prefixes(record):
        before = picture(state)
        first = schedule(state, event.ts)
        assert schedule(state, event.ts) == first, f"asked twice before event {event.seq}, schedule answered twice"
        assert picture(state) == before, f"schedule changed the state before event {event.seq}"


def commands_are_idempotent(record: Record) -> None:
    for turn in record.turns:
        due_at_once = turn.alarm is not None and turn.alarm <= turn.now
        if not (isinstance(turn.command, cmd.Tick) and due_at_once):
            assert turn.repeated == 0, f"{type(turn.command).__name__} said again made {turn.repeated} events"


def the_runtime_is_told(record: Record) -> None:
    for turn in record.turns:
        assert turn.begun == turn.working, f"attempts of {sorted(turn.begun)} run, the state has {sorted(turn.working)}"
        if turn.status not in TERMINAL:
            assert turn.children == turn.awaited, f"child runs of {sorted(turn.children)}, the state awaits {sorted(turn.awaited)}"


def late_outcomes_change_nothing(record: Record) -> None:
    running: dict[str, int] = {}
    for turn in record.turns:
        command = turn.command
        if (
            isinstance(command, cmd.CompleteAttempt | cmd.FailAttempt | cmd.SuspendAttempt | cmd.RecordProgress)
            and running.get(command.step_id) != command.attempt
        ):
            made = [event.type for event in turn.events if event.step_id == command.step_id and event.type != "step_started"]
            assert not made, f"attempt {command.attempt} of {command.step_id} was over and made {made}"
        if isinstance(command, cmd.ChildEnded) and command.output == "late":
            made = [event.type for event in turn.events if event.step_id == command.step_id]
            assert not made, f"the child run of {command.step_id} was over and made {made}"
        for event in turn.events:
            goes_on = isinstance(event.data, ev.StepResumed) and event.data.key is not None
            if event.attempt is not None and (event.type == "step_started" or goes_on):
                running[event.step_id or ""] = event.attempt
            elif event.type.startswith("step_"):
                running.pop(event.step_id or "", None)


def iterations_end_inside_out(record: Record) -> None:
    """An iteration that succeeds has no step left that could still do something."""
    for entry in ledger(record):
        path = entry.event.step_id or ""
        if is_iteration(path) and entry.event.type == "step_completed":
            inner = {step: status for step, status in entry.steps.items() if step.startswith(f"{path}.")}
            left = [step for step, status in inner.items() if status in (StepStatus.RUNNING, StepStatus.WAITING, StepStatus.PENDING)]
            assert not left, f"{path} ended before {left}"
