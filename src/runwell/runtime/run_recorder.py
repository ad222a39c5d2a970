"""What the run store keeps of a run, made of its events one after another. Pure, and cheap for each event.

The statuses come from the engine's own tables. What has no bound in a run has one here: a run of a hundred thousand
steps makes a record with the first `MAX_STEPS` of them and `MAX_FAILED` further ones that failed, and with the first
`MAX_GENERATIONS` model calls; counts and sums are over all.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from runwell.engine.transitions import RUN_TRANSITIONS
from runwell.model import events as ev
from runwell.model.errors import ErrorInfo, InvalidInput
from runwell.model.events import Event
from runwell.model.judgement import Judgements
from runwell.model.run_record import GenerationRecord, RunRecord, StepRecord
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.model.usage import NO_USAGE

MAX_STEPS: Final = 1_000
MAX_FAILED: Final = 100
MAX_GENERATIONS: Final = 1_000

_ACTIVE: Final = frozenset({RunStatus.RUNNING, RunStatus.DRAINING})
_MOVES: Final[dict[tuple[str, str], RunStatus]] = {(was.value, key): to for (was, key), to in RUN_TRANSITIONS.items() if was is not None}
"""By text: an enumeration's members are slow to look up."""
_encoder: Final = msgspec.json.Encoder()


class _Step:
    """One step as it stands. `record` is made anew after a change only."""

    __slots__ = ("attempts", "ended_at", "error_code", "path", "reason", "record", "started_at", "status", "type")

    def __init__(self, path: str, kind: str = "") -> None:
        self.path, self.type = path, kind
        self.status = "pending"
        self.reason: str | None = None
        self.attempts = 0
        self.started_at: int | None = None
        self.ended_at: int | None = None
        self.error_code: str | None = None
        self.record: StepRecord | None = None

    def made(self) -> StepRecord:
        if self.record is None:
            began, ended = self.started_at, self.ended_at
            self.record = StepRecord(
                path=self.path,
                id=self.path.rpartition(".")[2],
                type=self.type,
                status=self.status,
                reason=self.reason,
                attempts=self.attempts,
                started_at=began,
                duration_ms=None if began is None or ended is None else ended - began,
                error_code=self.error_code,
            )
        return self.record


class RunRecorder:
    """`add` the events of one run in their order, from the first on; `record` is the run after the last.

    `size` is about how many bytes of input, output and model calls it holds.
    """

    def __init__(self, first: Event) -> None:
        if first.seq != 1:
            raise InvalidInput(f"a record of {first.run_id} cannot begin with its event {first.seq}")
        self.created = first.of(ev.RunCreated)
        self.run_id, self.rev, self.has_ended = first.run_id, 1, False
        self.status, self._status = RunStatus.QUEUED, "queued"
        self.size = len(_encoder.encode(self.created.input)) + 2_000
        self._at = self._created_at = first.ts
        self._started_at: int | None = None
        self._ended_at: int | None = None
        self._active_since: int | None = None
        self._active_ms = 0
        self._waiting_for: str | None = None
        self._error: ErrorInfo | None = None
        self._failed_step: str | None = None
        self._served_from: str | None = None
        self._output: object = None
        self._hits = self._saved_nanos = self._saved_ms = 0
        self._usage = NO_USAGE
        self._tool_calls = self._comments = 0
        self._steps: dict[str, _Step] = {}
        self._step_count = self._failed_beyond = 0
        self._generations: list[GenerationRecord] = []
        self._archived_at: int | None = None
        self._judgements = Judgements()
        self._made: RunRecord | None = None

    def add(self, event: Event) -> None:
        """Take in the run's next event; one that was taken in already changes nothing. Raises `InvalidInput` when one is missing."""
        if event.seq != self.rev + 1:
            if event.seq <= self.rev:
                return
            raise InvalidInput(f"event {event.seq} of {self.run_id} cannot follow event {self.rev}")
        self.rev, self._at, self._made = event.seq, event.ts, None
        kind = event.type
        handle = _HANDLERS.get(kind)
        if handle is not None:
            handle(self, event)
        if kind == "run_limit_exceeded":
            kind = f"{kind}:{event.of(ev.RunLimitExceeded).which}"
        to = _MOVES.get((self._status, kind))
        if to is not None:
            self._move(to, event.ts)

    def _move(self, to: RunStatus, ts: int) -> None:
        was, self.status, self._status = self.status, to, to.value
        if to in _ACTIVE:
            if was not in _ACTIVE:
                self._active_since = ts
        elif self._active_since is not None:
            self._active_ms += ts - self._active_since
            self._active_since = None
        if to is not RunStatus.WAITING:
            self._waiting_for = None
        if to in TERMINAL:
            self._ended_at, self.has_ended = ts, True

    def record(self) -> RunRecord:
        """Return the run as it is now; the same object until it changes."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> RunRecord:
        created, error = self.created, self._error if self.has_ended else None
        said = self._judgements.shown()
        began, ended = self._started_at, self._ended_at
        return RunRecord(
            run_id=self.run_id,
            rev=self.rev,
            org_id=created.org_id,
            project_id=created.project_id,
            workflow_id=created.workflow_id,
            workflow_slug=created.workflow_slug,
            workflow_name=created.workflow_name,
            kind=created.kind,
            version=created.version,
            version_hash=created.version_hash,
            status=self.status,
            waiting_for=self._waiting_for,
            failure_code=None if error is None else error.code,
            failed_step=self._failed_step,
            error_message=None if error is None else error.message,
            trigger=created.trigger,
            environment=created.environment,
            root_run_id=created.root_run_id,
            parent_run_id=created.parent_run_id,
            source_run_id=created.source_run_id,
            served_from=self._served_from,
            created_at=self._created_at,
            started_at=began,
            ended_at=ended,
            duration_ms=None if began is None or ended is None else ended - began,
            queue_ms=0 if began is None else max(began - self._created_at, 0),
            waited_ms=self._waited(),
            input=created.input,
            output=self._output,
            tags=created.tags,
            metadata=created.metadata,
            usage=self._usage,
            cache_hits=self._hits,
            saved_nanos=self._saved_nanos,
            saved_ms=self._saved_ms,
            tool_calls=self._tool_calls,
            step_count=self._step_count,
            steps=tuple([step.made() for step in self._steps.values()]),
            generations=tuple(self._generations),
            comments=self._comments,
            review=said.review,
            score=said.score,
            review_comment=said.comment,
            archived_at=self._archived_at,
        )

    def _waited(self) -> int:
        """Return how long the run stood still between its start and its end or last event."""
        if self._started_at is None:
            return 0
        until = self._at if self._ended_at is None else self._ended_at
        active = self._active_ms + (0 if self._active_since is None else until - self._active_since)
        return max(until - self._started_at - active, 0)

    # What events say

    def _run_started(self, event: Event) -> None:
        self._started_at = event.ts

    def _run_waiting(self, event: Event) -> None:
        self._waiting_for = event.of(ev.RunWaiting).waiting_for

    def _run_draining(self, event: Event) -> None:
        self._error = event.of(ev.RunDraining).error

    def _run_succeeded(self, event: Event) -> None:
        self._put_output(event.of(ev.RunSucceeded).output)

    def _run_served(self, event: Event) -> None:
        data = event.of(ev.RunServedFromCache)
        self._served_from = data.source_run_id
        self._count_hit(data.saved_nanos, data.saved_ms)
        self._put_output(data.output)

    def _count_hit(self, nanos: int, ms: int) -> None:
        self._hits += 1
        self._saved_nanos += nanos
        self._saved_ms += ms

    def _put_output(self, output: object) -> None:
        self._output = output
        self.size += len(_encoder.encode(output))

    def _run_ended_badly(self, event: Event) -> None:
        self._error = getattr(event.data, "error", None)
        self._failed_step = getattr(event.data, "failed_step", None)

    def _step(self, event: Event, kind: str = "") -> _Step | None:
        """Return the step to change; None for an iteration, and for one that is not held for there are too many."""
        path = event.step_id or ""
        step = self._steps.get(path)
        if step is not None:
            step.record = None
            return step
        if path.endswith("]"):
            return None
        if len(self._steps) - self._failed_beyond >= MAX_STEPS:
            return None
        step = self._steps[path] = _Step(path, kind)
        return step

    def _step_started(self, event: Event) -> None:
        if event.attempt == 1:
            self._count(event)
        step = self._step(event, event.of(ev.StepStarted).step_type)
        if step is not None:
            step.status = "running"
            step.attempts += 1
            if step.started_at is None:
                step.started_at = event.ts

    def _step_completed(self, event: Event) -> None:
        data = event.of(ev.StepCompleted)
        if event.attempt is None:  # it never began
            self._count(event)
        if data.cache is not None:
            self._count_hit(data.cache.saved_nanos, data.cache.saved_ms)
        step = self._step(event)
        if step is not None:
            step.status, step.reason, step.ended_at = "skipped" if data.skipped else "succeeded", data.reason, event.ts

    def _count(self, event: Event) -> None:
        if event.step_id is not None and event.step_id[-1] != "]":
            self._step_count += 1

    def _step_failed(self, event: Event) -> None:
        if event.attempt is None:
            self._count(event)
        step = self._step(event) or self._step_beyond(event)
        if step is not None:
            step.status, step.ended_at, step.error_code = "failed", event.ts, event.of(ev.StepFailed).error.code

    def _step_beyond(self, event: Event) -> _Step | None:
        """Return a step to hold though there are too many, for it failed. How it began is not known any more."""
        path = event.step_id or ""
        if path.endswith("]") or self._failed_beyond >= MAX_FAILED:
            return None
        self._failed_beyond += 1
        step = self._steps[path] = _Step(path)
        step.attempts = event.attempt or 0
        return step

    def _step_over(self, event: Event) -> None:
        step = self._step(event)
        if step is not None:
            step.status, step.ended_at = event.type.removeprefix("step_"), event.ts

    def _step_waits(self, event: Event) -> None:
        step = self._step(event)
        if step is not None:
            step.status = "waiting"

    def _step_resumed(self, event: Event) -> None:
        step = self._step(event)
        if step is not None:
            step.status = "running"

    def _generation_completed(self, event: Event) -> None:
        data = event.of(ev.GenerationCompleted)
        self._usage = self._usage + data.usage
        if len(self._generations) >= MAX_GENERATIONS:
            return
        self.size += len(_encoder.encode(data.messages)) + len(_encoder.encode(data.response))
        self._generations.append(
            GenerationRecord(
                seq=event.seq,
                at=event.ts,
                step_path=event.step_id or "",
                provider=data.provider,
                model=data.response_model or data.model,
                ok=data.ok,
                latency_ms=data.latency_ms,
                first_token_ms=data.first_token_ms,
                usage=data.usage,
                messages=data.messages,
                response=data.response,
                error_message=None if data.error is None else data.error.message,
            )
        )

    def _tool_called(self, event: Event) -> None:
        self._tool_calls += 1

    def _comment_added(self, event: Event) -> None:
        self._comments += 1

    def _archived(self, event: Event) -> None:
        self._archived_at = event.ts if event.type == "run_archived" else None

    def _run_reviewed(self, event: Event) -> None:
        self._judgements.add(event.of(ev.RunReviewed))

    def _run_evaluated(self, event: Event) -> None:
        self._judgements.add(event.of(ev.RunEvaluated))


_HANDLERS: Final[dict[str, Callable[[RunRecorder, Event], None]]] = {
    "run_started": RunRecorder._run_started,
    "run_waiting": RunRecorder._run_waiting,
    "run_draining": RunRecorder._run_draining,
    "run_succeeded": RunRecorder._run_succeeded,
    "run_served_from_cache": RunRecorder._run_served,
    "run_failed": RunRecorder._run_ended_badly,
    "run_stopped": RunRecorder._run_ended_badly,
    "run_limit_exceeded": RunRecorder._run_ended_badly,
    "run_internal_error": RunRecorder._run_ended_badly,
    "run_archived": RunRecorder._archived,
    "run_unarchived": RunRecorder._archived,
    "run_reviewed": RunRecorder._run_reviewed,
    "run_evaluated": RunRecorder._run_evaluated,
    "step_started": RunRecorder._step_started,
    "step_completed": RunRecorder._step_completed,
    "step_failed": RunRecorder._step_failed,
    "step_cancelled": RunRecorder._step_over,
    "step_stopped": RunRecorder._step_over,
    "step_retrying": RunRecorder._step_waits,
    "step_waiting": RunRecorder._step_waits,
    "step_resumed": RunRecorder._step_resumed,
    "generation_completed": RunRecorder._generation_completed,
    "tool_called": RunRecorder._tool_called,
    "comment_added": RunRecorder._comment_added,
}


def recorded(events: Iterable[Event]) -> RunRecorder:
    """Return the recorder of a run after these events, the first one included."""
    log = iter(events)
    recorder = RunRecorder(next(log))
    for event in log:
        recorder.add(event)
    return recorder
