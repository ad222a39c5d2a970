"""A run of a random document under random commands, and the record of all that happened.

The simulated world does what a runtime does: it makes the attempts that `advance` asks for,
reports their outcomes, also late ones of attempts that were cancelled, lets time pass, ends child
runs, and crashes: then the state is folded anew from the journal and `RecoverRun` comes first.
When the strip of choices is used up, the world brings the run to its end by the shortest way.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from tests.properties.documents import MESSAGES, Strip, document
from tests.unit.engine.driver import RUN_ID, T0, compiled, created

from runwell.engine import advance as stepping
from runwell.engine import decide, evolve
from runwell.engine.plan import Plan
from runwell.engine.state import RunState, StepState, next_alarm
from runwell.engine.transitions import ImpossibleEvent
from runwell.engine.view import run_row, run_view
from runwell.model import commands as cmd
from runwell.model.errors import CommandRefused, ErrorInfo, InvalidInput, LimitName, NotFound
from runwell.model.events import Event, GenerationCompleted, Log, decode_event, encode_event
from runwell.model.statuses import RunStatus
from runwell.model.usage import Usage
from runwell.model.waits import ChildWait, MessageWait, TaskWait, TimeWait, Wait

MAX_TURNS: Final = 600
"""More than any document here needs: a run that takes more does not end."""

GIVEN: Final = {"yes": True, "no": False, "list": [{"n": 1}, {"n": 5}, 3]}

_REFUSALS: Final = (CommandRefused, NotFound, InvalidInput)
_NOT_REPEATED: Final = (cmd.RecordProgress, cmd.RecoverRun, cmd.SuspendAttempt)
"""Commands of which each is another one, however alike."""

_encoder = msgspec.json.Encoder()


def picture(state: RunState) -> tuple[Any, ...]:
    """Return all that is known of a state, as hashes, to be compared with another's."""
    sets = tuple(tuple(keys) for keys in (state.agenda, state.working, state.waiting, state.retrying, state.tasks.items()))
    seen = (
        _encoder.encode(list(state.decisions.values())),
        _encoder.encode(state.messages),
        frozenset(state.seen_messages),
        frozenset(state.comments),
        state.review,
    )
    counts = state.log_bytes, state.active_ms, state.active_since, state.stop, state.failing, state.drain_until
    steps = tuple(_step(step) for step in state.steps.values())
    return hash(_encoder.encode(run_view(state))), run_row(state), hash(sets), hash(seen), counts, hash(steps)


def _step(step: StepState) -> tuple[Any, ...]:
    loop = step.loop and (step.loop.next, step.loop.open, _encoder.encode(step.loop.results))
    counts = step.missing, step.attempt, step.failures, step.deaths, step.inner and step.inner.unresolved
    told = hash(_encoder.encode([step.recorded, step.suspended])), step.left_ms
    return told, step.path, step.status, step.wake_at, step.deadline, step.task_id, step.message, step.child_run_id, counts, loop


class Turn(msgspec.Struct):
    """One command and what came of it. `repeated`: how many facts the same command made of the state after it."""

    command: cmd.Command
    now: int
    events: list[Event]
    status: RunStatus
    picture: tuple[Any, ...]
    working: frozenset[str]
    begun: frozenset[str]
    children: frozenset[str]
    awaited: frozenset[str]
    alarm: int | None
    repeated: int = 0
    refused: bool = False


class Record(msgspec.Struct):
    """What a simulated run left. `broke` is an exception that the engine must never raise."""

    document: dict[str, Any]
    plan: Plan
    turns: list[Turn]
    state: RunState
    broke: BaseException | None = None

    @property
    def events(self) -> list[Event]:
        return [event for turn in self.turns for event in turn.events]


def play(document_strip: bytes, choices: bytes) -> Record:
    """Return the record of one run."""
    return World(document(Strip(document_strip)), Strip(choices)).live()


class World:
    """Everything around one run."""

    def __init__(self, doc: dict[str, Any], choices: Strip) -> None:
        self._plan = compiled(doc)
        self._choices = choices
        self._now = T0
        first = decide.start(RUN_ID, cmd.StartRun(run=created(GIVEN)), T0)
        self._state = evolve.create(self._plan, first)
        self._journal: list[bytes] = [encode_event(first)]
        self._begun: dict[str, int] = {}
        self._children: set[str] = set()
        self._gone: list[tuple[str, int]] = []
        self._orphans: list[str] = []
        self._said = 0
        self.record = Record(doc, self._plan, [], self._state)
        self._note(cmd.StartRun(run=created(GIVEN)), [first])

    def live(self) -> Record:
        try:
            if self._choices.number(4):
                self._do(cmd.AdmitRun())
            while not self._choices.is_used_up and len(self.record.turns) < MAX_TURNS:
                self._choice()
            while not self._state.is_terminal and len(self.record.turns) < MAX_TURNS:
                self._towards_the_end()
        except Exception as exc:  # what it is, the check `breaks_nothing` tells
            self.record.broke = exc
        self.record.state = self._state
        return self.record

    def _choice(self) -> None:
        _CHOICES[self._choices.number(len(_CHOICES))](self)

    def _towards_the_end(self) -> None:
        state = self._state
        alarm = next_alarm(state)
        if state.status is RunStatus.QUEUED:
            self._do(cmd.AdmitRun())
        elif state.status is RunStatus.PAUSED:
            self._do(cmd.ResumeRun())
        elif self._begun:
            self._outcome()
        elif self._children:
            self._end_child()
        elif state.tasks:
            self._do(cmd.CompleteTask(actor="ann", task_id=next(iter(state.tasks)), approved=True))
        elif alarm is not None:
            self._pass(max(0, alarm - self._now))
        elif self._said < 50:
            self._say()
        else:
            self._do(cmd.StopRun())

    def _do(self, command: cmd.Command) -> None:
        try:
            out = stepping.advance(self._state, command, self._now)
        except _REFUSALS as exc:
            if isinstance(exc, ImpossibleEvent):
                raise
            self._note(command, [], refused=True)
            return
        self._journal += [encode_event(event) for event in out.events]
        for path in out.cancels:
            if path in self._begun:
                self._gone.append((path, self._begun.pop(path)))
        self._begun |= {action.step_id: action.attempt for action in out.attempts}
        self._children |= {path for path, _ in out.children}
        stopped = {run for run, mode in out.stops if mode == "immediate"}
        over = {path for path in self._children if self._state.steps[path].child_run_id in stopped}
        self._children -= over
        self._orphans += sorted(over)
        self._note(command, out.events)

    def _note(self, command: cmd.Command, events: list[Event], *, refused: bool = False) -> None:
        state = self._state
        self.record.turns.append(
            Turn(
                command=command,
                now=self._now,
                events=events,
                status=state.status,
                picture=picture(state),
                working=frozenset(state.working),
                begun=frozenset(self._begun),
                children=frozenset(self._children),
                awaited=frozenset(path for path in state.waiting if state.steps[path].waiting_for == "child_run"),
                alarm=next_alarm(state),
                repeated=0 if refused or isinstance(command, cmd.StartRun) else self._repeated(command),
                refused=refused,
            )
        )

    def _repeated(self, command: cmd.Command) -> int:
        if isinstance(command, _NOT_REPEATED):
            return 0
        try:
            return len(decide.decide_facts(self._state, command, self._now))
        except _REFUSALS:
            return 0

    # What may happen, one method each.

    def _admit(self) -> None:
        self._do(cmd.AdmitRun())

    def _outcome(self) -> None:
        """An attempt in flight ends."""
        if self._begun:
            path = self._pick(list(self._begun))
            self._do(self._report(path, self._begun.pop(path)))

    def _report(self, path: str, attempt: int) -> cmd.Command:
        kind = self._choices.number(11)
        if kind == 10:
            return cmd.SuspendAttempt(step_id=path, attempt=attempt, wait=self._wait())
        error = ErrorInfo(code="HTTP_FAILED", message="it failed", step_id=path)
        if kind < 5:
            result: Any = self._choices.one({"n": 3}, None, {"n": 1}, [1, 2], "{{ input.yes }}")
            return cmd.CompleteAttempt(step_id=path, attempt=attempt, result=result)
        if kind < 8:
            wish = self._choices.one(None, None, 1.0, 100.0)
            jitter = self._choices.one(0.0, 0.5, 1.0)
            return cmd.FailAttempt(step_id=path, attempt=attempt, error=error, retryable=True, retry_after_s=wish, jitter=jitter)
        which: tuple[LimitName, ...] = ("memory_mb", "credits", "log_bytes")
        limit = self._choices.one(*which) if kind == 9 and self._choices.rarely() else None
        return cmd.FailAttempt(step_id=path, attempt=attempt, error=error, limit=limit)

    def _wait(self) -> Wait:
        """What a handler waits for; its key is sometimes one that it had before."""
        key = f"k{self._choices.number(4)}"
        waits: tuple[Wait, ...] = (
            TaskWait(key=key, title="may I?", expires_in_s=self._choices.one(None, 3.0)),
            MessageWait(key=key, name=MESSAGES[0], expires_in_s=self._choices.one(None, 3.0)),
            ChildWait(key=key, workflow="child", input={"n": 1}),
            TimeWait(key=key, for_s=2.0),
        )
        return waits[self._choices.number(len(waits))]

    def _late_outcome(self) -> None:
        """An attempt that was cancelled, or died with its process, reports all the same."""
        if self._gone:
            path, attempt = self._pick(self._gone)
            late = cmd.RecordProgress(step_id=path, attempt=attempt, data=Log(message="late"))
            self._do(late if self._choices.number(3) == 2 else self._report(path, attempt))

    def _progress(self) -> None:
        if self._begun:
            path = self._pick(list(self._begun))
            usage = Usage(input_tokens=1 + self._choices.number(5), generations=1, cost_nanos=7)
            data = self._choices.one(GenerationCompleted(provider="demo", model="demo", usage=usage), Log(message="12345678"))
            self._do(cmd.RecordProgress(step_id=path, attempt=self._begun[path], data=data))

    def _to_alarm(self) -> None:
        alarm = next_alarm(self._state)
        if alarm is not None:
            self._pass(max(0, alarm - self._now))

    def _near_alarm(self) -> None:
        alarm = next_alarm(self._state)
        ahead = 0 if alarm is None else alarm - self._now
        self._pass(max(0, ahead + self._choices.one(1, -1, 700, -400)))

    def _some_time(self) -> None:
        self._pass(self._choices.one(1_000, 1, 4_000, 12_000))

    def _pass(self, ms: int) -> None:
        self._now += ms
        self._do(cmd.Tick())

    def _quietly(self) -> None:
        """Time passes, and the runtime is late: nobody ticks."""
        self._now += self._choices.one(10, 1_000, 3_000)

    def _pause(self) -> None:
        self._do(cmd.PauseRun(actor="ann"))

    def _resume(self) -> None:
        self._do(cmd.ResumeRun(actor="ann"))

    def _stop(self) -> None:
        if self._choices.number(8) == 7:
            self._do(cmd.StopRun())

    def _stop_gracefully(self) -> None:
        if self._choices.number(4) == 3:
            self._do(cmd.StopRun(mode="graceful", drain_timeout_s=self._choices.one(None, 2.0)))

    def _complete_task(self) -> None:
        known = [*self._state.tasks, *self._state.decisions]
        task_id = self._pick(known) if known else "task_none"
        edit = self._choices.one(None, {"n": 4}, {"approved": True})
        self._do(cmd.CompleteTask(actor="ann", task_id=task_id, approved=self._choices.number(3) < 2, result=edit))

    def _say(self) -> None:
        self._said += 1
        number = self._said if self._choices.number(4) < 3 else 1
        name = self._choices.one(*MESSAGES) if self._said < 20 else MESSAGES[-(self._said % 2)]
        self._do(cmd.SendMessage(name=name, body={"n": number}, message_id=f"m{number}"))

    def _end_child(self) -> None:
        if self._children:
            path = self._pick(sorted(self._children))
            self._children.discard(path)
            self._orphans.append(path)
            details: dict[str, object] = {"status": "stopped" if self._state.status is RunStatus.DRAINING else "failed"}
            error = ErrorInfo(code="CHILD_RUN_FAILED", message="the child failed", step_id=path, details=details)
            child = self._state.steps[path].child_run_id or ""
            failed = self._choices.number(4) == 3
            self._do(cmd.ChildEnded(step_id=path, child_run_id=child, output=None if failed else {"n": 2}, error=error if failed else None))

    def _end_child_again(self) -> None:
        """A child run that was told of, or whose step is over, tells of its end."""
        if self._orphans:
            path = self._pick(self._orphans)
            self._do(cmd.ChildEnded(step_id=path, child_run_id=self._state.steps[path].child_run_id or "", output="late"))

    def _comment(self) -> None:
        self._do(cmd.AddComment(comment_id=f"c{self._choices.number(3)}", content="look"))

    def _archive(self) -> None:
        self._do(self._choices.one(cmd.ArchiveRun(), cmd.UnarchiveRun()))

    def _review(self) -> None:
        self._do(cmd.ReviewRun(review=self._choices.one("positive", "negative", ""), score=self._choices.one(None, 0.5)))

    def _crash(self) -> None:
        """The process dies and another takes the run up."""
        self._lose_attempts(set())
        self._take_up(cmd.RecoverRun())

    def _close(self) -> None:
        """The process ends in good order, and the run goes on in another."""
        self._lose_attempts(set())
        self._take_up(cmd.RecoverRun(suspect=False, retry_at=self._now + self._choices.one(1, 0, 500)))
        self._take_up(cmd.RecoverRun())

    def _reload(self) -> None:
        """The run is read from the journal again; some of its attempts go on all the while."""
        alive = {path for path in self._begun if self._choices.number(2)}
        self._lose_attempts(alive)
        self._take_up(cmd.RecoverRun(alive=frozenset(alive), suspect=False))

    def _lose_attempts(self, alive: set[str]) -> None:
        self._gone += [(path, attempt) for path, attempt in self._begun.items() if path not in alive]
        self._begun = {path: attempt for path, attempt in self._begun.items() if path in alive}

    def _take_up(self, command: cmd.RecoverRun) -> None:
        self._state = evolve.fold(self._plan, [decode_event(line) for line in self._journal])
        if self._state.status is not RunStatus.QUEUED and not self._state.is_terminal:
            self._do(command)

    def _pick(self, options: list[Any]) -> Any:
        return options[self._choices.number(len(options))]


_CHOICES: Final[tuple[Callable[[World], None], ...]] = (
    World._admit,
    *[World._outcome] * 8,
    World._late_outcome,
    World._progress,
    World._progress,
    World._to_alarm,
    World._to_alarm,
    World._near_alarm,
    World._some_time,
    World._quietly,
    World._pause,
    World._resume,
    World._resume,
    World._stop,
    World._stop_gracefully,
    World._complete_task,
    World._complete_task,
    World._say,
    World._say,
    World._end_child,
    World._end_child,
    World._end_child_again,
    World._comment,
    World._archive,
    World._review,
    World._crash,
    World._close,
    World._reload,
)
