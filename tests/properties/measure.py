"""Properties of numbers: time, attempts, usage, items, decisions."""

from collections import Counter

import msgspec
from tests.properties.ledger import data_of, is_iteration, ledger, plan_of
from tests.properties.simulation import Record

from runwell.model import commands as cmd
from runwell.model import events as ev
from runwell.model.statuses import TERMINAL, RunStatus, StepStatus
from runwell.model.step import ForEach
from runwell.model.usage import NO_USAGE, Usage

ACTIVE = (RunStatus.RUNNING, RunStatus.DRAINING)


class Clockwork(msgspec.Struct):
    """The moments that a step waits for."""

    wake_at: int | None = None
    deadline: int | None = None
    waiting_for: str | None = None
    begun: int = 0


def timers_are_never_early(record: Record) -> None:
    clocks: dict[str, Clockwork] = {}
    until: int | None = None
    for event in record.events:
        clock = clocks.setdefault(event.step_id or "", Clockwork())
        match event.data:
            case ev.StepStarted(deadline=deadline):
                assert event.ts >= (clock.wake_at or 0), f"{event.step_id} was tried again before its time"
                clocks[event.step_id or ""] = Clockwork(deadline=deadline)
            case ev.StepWaiting(wake_at=wake_at) | ev.StepRetrying(retry_at=wake_at):
                clock.wake_at = wake_at
            case ev.StepResumed(by="timer"):
                assert clock.wake_at is not None, f"{event.step_id} woke by a timer that it has not"
                assert event.ts >= clock.wake_at, f"{event.step_id} woke {clock.wake_at - event.ts} ms early"
            case ev.StepFailed(error=error) if error.code in ("TASK_EXPIRED", "MESSAGE_EXPIRED"):
                assert event.ts >= (clock.wake_at or 0), f"{event.step_id} expired early"
            case ev.StepFailed(error=error, caused_by=None) if error.code == "STEP_TIMED_OUT":
                assert event.ts >= (clock.deadline or 0), f"{event.step_id} timed out early"
            case ev.RunDraining(until=moment):
                until = moment
            case ev.RunStopped(error=error) if error.code == "DRAIN_TIMEOUT":
                assert event.ts >= (until or 0), "the drain timed out early"


def timers_fire_once(record: Record) -> None:
    fired: Counter[tuple[str | None, str]] = Counter()
    for event in record.events:
        match event.data:
            case ev.StepWaiting() | ev.StepRetrying():
                fired[event.step_id, "set"] += 1
            case ev.StepResumed(by="timer"):
                fired[event.step_id, "woke"] += 1
            case ev.StepStarted() if event.attempt is not None and event.attempt > 1:
                fired[event.step_id, "woke"] += 1
    for (path, kind), count in fired.items():
        assert kind == "set" or count <= fired[path, "set"], f"{path} woke {count} times of {fired[path, 'set']} waits"


def timers_are_never_missed(record: Record) -> None:
    clocks: dict[str, Clockwork] = {}
    for turn in record.turns:
        for event in turn.events:
            match event.data:
                case ev.StepWaiting(wake_at=wake_at, waiting_for=waiting_for):
                    clocks[event.step_id or ""] = Clockwork(wake_at=wake_at, waiting_for=waiting_for, begun=turn.now)
                case ev.StepRetrying(retry_at=retry_at):
                    clocks[event.step_id or ""] = Clockwork(wake_at=retry_at, waiting_for="retry", begun=turn.now)
                case _ if event.type.startswith("step_"):
                    clocks.pop(event.step_id or "", None)
        for path, clock in clocks.items() if turn.status not in TERMINAL else ():
            if clock.wake_at is None or (turn.status is RunStatus.PAUSED and clock.waiting_for == "retry"):
                continue
            assert turn.alarm is not None, f"nothing will wake {path}"
            assert turn.alarm <= clock.wake_at, f"{path} will be woken {turn.alarm - clock.wake_at} ms late"
            late = isinstance(turn.command, cmd.Tick) and clock.wake_at <= turn.now and clock.begun < turn.now
            assert not late, f"{path} was not woken when its time came"


def run_limit_counts_active_time_only(record: Record) -> None:
    limit = record.plan.workflow.limits.timeout_s
    active, since, status = 0, 0, RunStatus.QUEUED
    for entry in ledger(record):
        assert entry.after is not None
        if status in ACTIVE:
            active += entry.event.ts - since
        since, status = entry.event.ts, entry.after
        if isinstance(entry.event.data, ev.RunLimitExceeded) and entry.event.data.which == "timeout_s":
            assert limit is not None, "a run without a time limit timed out"
            assert active >= limit * 1000, f"the run timed out after {active} ms of {limit} s"
        if entry.event is entry.turn.events[-1] and status in ACTIVE and limit is not None and active >= limit * 1000:
            assert entry.turn.alarm is not None, "nothing will end the run at its time limit"
            assert entry.turn.alarm <= entry.turn.now, f"the run goes on after {active} ms of {limit} s"


def attempts_are_numbered(record: Record) -> None:
    numbers: dict[str, int] = {}
    for event, data in data_of(record, ev.EventData):
        if event.step_id is None or is_iteration(event.step_id):
            continue
        if isinstance(data, ev.StepStarted):
            number = numbers.get(event.step_id, 0) + 1
            assert event.attempt == number, f"attempt {event.attempt} of {event.step_id} follows {number - 1}"
            numbers[event.step_id] = number
        else:
            assert (event.attempt or 0) == numbers.get(event.step_id, 0), f"{event.type} of attempt {event.attempt} of {event.step_id}"
    for path, count in numbers.items():
        kept = [attempt.number for attempt in record.state.steps[path].attempts]
        assert kept == list(range(1, count + 1)), f"{path} has attempts {kept}"


def usage_is_the_sum_of_attempts(record: Record) -> None:
    total = NO_USAGE
    by_attempt: dict[tuple[str | None, int | None], Usage] = {}
    for event, data in data_of(record, ev.GenerationCompleted):
        total = total + data.usage
        key = (event.step_id, event.attempt)
        by_attempt[key] = by_attempt.get(key, NO_USAGE) + data.usage
    assert record.state.usage == total, f"the run used {record.state.usage}, its model calls {total}"
    for path, step in record.state.steps.items():
        for attempt in step.attempts:
            used = by_attempt.get((path, attempt.number), NO_USAGE)
            assert attempt.usage == used, f"attempt {attempt.number} of {path} used {attempt.usage}, its model calls {used}"


def approvals_are_decided_once(record: Record) -> None:
    decisions: dict[str, ev.TaskCompleted] = {}
    owners: dict[str | None, str] = {}
    asked: set[str] = set()
    for event in record.events:
        match event.data:
            case ev.TaskCreated(task_id=task_id):
                assert task_id not in asked, f"{task_id} was created twice"
                asked.add(task_id)
                if plan_of(record.plan, event.step_id or "").control == "approval":
                    owners[event.step_id] = task_id
            case ev.TaskCompleted(task_id=task_id) as decision:
                assert task_id in asked, f"nobody asked {task_id}"
                assert task_id not in decisions, f"{task_id} was decided twice"
                decisions[task_id] = decision
            case ev.StepCompleted(skipped=False, result=result) if event.step_id in owners:
                decision = decisions[owners[event.step_id]]
                assert result["approved"] is decision.approved, f"{event.step_id} made something else of its decision"
                assert result["by"] == decision.by, f"{event.step_id} names somebody else"


def messages_are_taken_once(record: Record) -> None:
    sent = [(data.name, data.message_id) for _, data in data_of(record, ev.MessageReceived)]
    assert len(set(sent)) == len({number for _, number in sent}) == len(sent), f"a message counted twice: {sent}"
    bodies = {data.body["n"]: data.name for _, data in data_of(record, ev.MessageReceived)}
    taken: dict[int, str] = {}
    for entry in ledger(record):
        event, data = entry.event, entry.event.data
        waited = isinstance(data, ev.StepCompleted) and not data.skipped and event.step_id is not None and not is_iteration(event.step_id)
        if waited and plan_of(record.plan, event.step_id or "").control == "wait" and isinstance(data, ev.StepCompleted):
            number = data.result["n"]
            assert number in bodies, f"{event.step_id} took message {number}, which nobody sent"
            assert number not in taken, f"{event.step_id} took message {number}, which {taken[number]} had"
            taken[number] = event.step_id or ""


def items_keep_their_order(record: Record) -> None:
    items: dict[str, int] = {}
    values: dict[str, object] = {}
    for event in record.events:
        path = event.step_id or ""
        match event.data:
            case ev.StepStarted(items=list() as given):
                items[path] = len(given)
            case ev.StepCompleted(result=result, skipped=False) if path in items:
                wanted = [values.get(f"{path}[{i}]", "missing") for i in range(items[path])]
                assert result == wanted, f"{path} made {result} of {wanted}"
            case ev.StepCompleted(result=result) | ev.StepFailed(result=result):
                values[path] = result


def max_parallel_is_kept(record: Record) -> None:
    is_open: Counter[str] = Counter()
    for entry in ledger(record):
        path = entry.event.step_id or ""
        if not is_iteration(path):
            continue
        loop = path.rpartition("[")[0]
        if entry.event.type == "step_started":
            is_open[loop] += 1
        elif entry.step_after is not StepStatus.RUNNING:
            is_open[loop] -= 1
        spec = plan_of(record.plan, loop).spec
        most = spec.max_parallel if isinstance(spec, ForEach) else 1
        assert is_open[loop] <= most, f"{is_open[loop]} iterations of {loop} at once, at most {most}"
