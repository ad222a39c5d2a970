"""Events: what happened to a run, past tense, in the order of `seq`.

An event's JSON form, the same on the command line and in the API (`event_json`):

    {"seq": 3, "id": "evt_..._3", "run_id": "run_...", "type": "step_started", "ts": 1792000000000,
     "step_id": "each[3].send", "attempt": 1, "actor": null, "data": {...}, "v": 1}

The journal's record (`encode_event`) is the same but for `id`, which run and `seq` tell, and holds the raw bodies of model
calls (`generation.RAW_FIELDS`), which are long and wanted by few. `ts` is milliseconds since 1970 UTC. `step_id` is the
step's path: its id, inside loops behind the loop's path and iteration. An iteration of a loop has events of its own (`each[3]`).
A released event never changes its meaning: `v` grows and `upcast` lifts the old form.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

import msgspec

from runwell.model.caching import CacheHit, CacheUse, KeptResult
from runwell.model.errors import ErrorInfo, InvalidInput, LimitName
from runwell.model.generation import EventData as EventData
from runwell.model.generation import GenerationCompleted as GenerationCompleted
from runwell.model.judgement import RunEvaluated as RunEvaluated
from runwell.model.judgement import RunReviewed as RunReviewed
from runwell.model.judgement import Verdict as Verdict
from runwell.model.statuses import SkipReason, WaitingFor
from runwell.model.traces import SpanRecorded as SpanRecorded
from runwell.model.turn import TurnEnded as TurnEnded
from runwell.model.turn import TurnStarted as TurnStarted

EVENT_VERSION: Final = 1

StopMode = Literal["immediate", "graceful"]


class RunCreated(EventData, frozen=True, kw_only=True):
    """`history` is what was said before, when an agent replies to an earlier run; its last message is the reply.
    `cache_key` stands for all that the run's result follows from; empty for one that is not cached."""

    org_id: str
    project_id: str
    workflow_id: str
    workflow_slug: str
    workflow_name: str
    version: int
    version_hash: str
    kind: str = "workflow"
    input: Any = None
    trigger: str = "api"
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    environment: str = "production"
    source_run_id: str | None = None
    parent_run_id: str | None = None
    parent_step_id: str | None = None
    root_run_id: str | None = None
    depth: int = 0
    use_cache: CacheUse = "auto"
    cache_key: str = ""
    history: list[dict[str, Any]] | None = None


class RunStarted(EventData, frozen=True, kw_only=True):
    pass


class RunPaused(EventData, frozen=True, kw_only=True):
    pass


class RunResumed(EventData, frozen=True, kw_only=True):
    pass


class RunWaiting(EventData, frozen=True, kw_only=True):
    waiting_for: WaitingFor
    steps: tuple[str, ...]


class RunStopRequested(EventData, frozen=True, kw_only=True):
    mode: StopMode
    drain_timeout_s: float | None = None


class RunDraining(EventData, frozen=True, kw_only=True):
    """Nothing new starts; attempts and child runs in flight may end. `reason` is a stop or a failure under `on_failure: drain`."""

    reason: Literal["stop", "failure"]
    until: int | None = None
    failed_step: str | None = None
    error: ErrorInfo | None = None


class RunSucceeded(EventData, frozen=True, kw_only=True):
    output: Any = None


class RunFailed(EventData, frozen=True, kw_only=True):
    error: ErrorInfo
    failed_step: str | None = None


class RunStopped(EventData, frozen=True, kw_only=True):
    error: ErrorInfo


class RunLimitExceeded(EventData, frozen=True, kw_only=True):
    which: LimitName
    error: ErrorInfo
    failed_step: str | None = None


class RunInternalError(EventData, frozen=True, kw_only=True):
    error: ErrorInfo
    failed_step: str | None = None


class RunServedFromCache(EventData, frozen=True, kw_only=True):
    """The run has the output of an earlier one, and nothing was carried out. `saved_*`: what that one had taken."""

    source_run_id: str
    output: Any = None
    saved_nanos: int = 0
    saved_ms: int = 0


class StepStarted(EventData, frozen=True, kw_only=True):
    """An attempt began. `items` holds a for_each's list; `deadline` is the attempt's end in ms since 1970."""

    step_type: str
    input: Any = None
    items: list[Any] | None = None
    deadline: int | None = None


class StepCompleted(EventData, frozen=True, kw_only=True):
    """`cache`: the result is one that was had before. `kept`: it may be had again."""

    result: Any = None
    skipped: bool = False
    reason: SkipReason | None = None
    caused_by: str | None = None
    reused_from: str | None = None
    cache: CacheHit | None = None
    kept: KeptResult | None = None


class StepFailed(EventData, frozen=True, kw_only=True):
    """`handled`: the step has `on_error: continue`, so the run goes on with `result`, its fallback."""

    error: ErrorInfo
    handled: bool = False
    result: Any = None
    caused_by: str | None = None


class StepCancelled(EventData, frozen=True, kw_only=True):
    caused_by: str


class StepStopped(EventData, frozen=True, kw_only=True):
    code: str = "RUN_STOPPED"


class StepRetrying(EventData, frozen=True, kw_only=True):
    """The attempt ended without success and another follows at `retry_at` (ms since 1970).

    `suspect`: the process died during the attempt, which may have caused it.
    """

    error: ErrorInfo
    retry_at: int
    reason: Literal["failed", "interrupted"] = "failed"
    suspect: bool = False


class StepWaiting(EventData, frozen=True, kw_only=True):
    """The step waits. `key` names the wait of a handler in the middle of an attempt, of which the step has one by one.

    `workflow`, `version` and `input` are what such a handler wants the child run to be.
    """

    waiting_for: WaitingFor
    wake_at: int | None = None
    message: str | None = None
    task_id: str | None = None
    child_run_id: str | None = None
    key: str | None = None
    workflow: str | None = None
    version: int | None = None
    input: Any = None


class StepResumed(EventData, frozen=True, kw_only=True):
    """The wait is over. With a `key` the attempt goes on; `output` or `error` is what came of its child run."""

    by: Literal["timer", "task", "message", "child_run"]
    key: str | None = None
    output: Any = None
    error: ErrorInfo | None = None


class ToolCalled(EventData, frozen=True, kw_only=True):
    """A tool is about to be called. `call_id` tells apart the calls of one attempt."""

    tool: str
    args: Any = None
    call_id: str | None = None


class ToolReturned(EventData, frozen=True, kw_only=True):
    """What came of a call: a result, or an error."""

    tool: str
    result: Any = None
    error: ErrorInfo | None = None
    call_id: str | None = None


class TaskCreated(EventData, frozen=True, kw_only=True):
    """Somebody is to decide. `result_schema` is the JSON Schema of what may be edited; without it anything may be."""

    task_id: str
    task_type: str
    title: str
    description: str | None = None
    payload: Any = None
    assignees: tuple[str, ...] = ()
    expires_at: int | None = None
    result_schema: dict[str, Any] | None = None


class TaskCompleted(EventData, frozen=True, kw_only=True):
    """Decided once: by a person (`by`), or by its expiry (`expired`)."""

    task_id: str
    approved: bool
    by: str | None = None
    comment: str | None = None
    result: dict[str, Any] | None = None
    expired: bool = False


class MessageReceived(EventData, frozen=True, kw_only=True):
    name: str
    body: Any = None
    message_id: str | None = None


class Log(EventData, frozen=True, kw_only=True):
    message: str
    level: Literal["debug", "info", "warning", "error"] = "info"
    stream: str | None = None


class CommentAdded(EventData, frozen=True, kw_only=True):
    comment_id: str
    content: str


class RunArchived(EventData, frozen=True, kw_only=True):
    """Lists leave the run out unless they are asked for it. Only a run that has ended is archived."""


class RunUnarchived(EventData, frozen=True, kw_only=True):
    """Lists show the run again."""


EVENT_TYPES: Final[dict[str, type[EventData]]] = {
    "run_created": RunCreated,
    "run_started": RunStarted,
    "run_paused": RunPaused,
    "run_resumed": RunResumed,
    "run_waiting": RunWaiting,
    "run_stop_requested": RunStopRequested,
    "run_draining": RunDraining,
    "run_succeeded": RunSucceeded,
    "run_failed": RunFailed,
    "run_stopped": RunStopped,
    "run_limit_exceeded": RunLimitExceeded,
    "run_internal_error": RunInternalError,
    "run_served_from_cache": RunServedFromCache,
    "step_started": StepStarted,
    "step_completed": StepCompleted,
    "step_failed": StepFailed,
    "step_cancelled": StepCancelled,
    "step_stopped": StepStopped,
    "step_retrying": StepRetrying,
    "step_waiting": StepWaiting,
    "step_resumed": StepResumed,
    "generation_completed": GenerationCompleted,
    "tool_called": ToolCalled,
    "tool_returned": ToolReturned,
    "turn_started": TurnStarted,
    "turn_ended": TurnEnded,
    "task_created": TaskCreated,
    "task_completed": TaskCompleted,
    "message_received": MessageReceived,
    "log": Log,
    "span_recorded": SpanRecorded,
    "comment_added": CommentAdded,
    "run_archived": RunArchived,
    "run_unarchived": RunUnarchived,
    "run_reviewed": RunReviewed,
    "run_evaluated": RunEvaluated,
}

AFTERWARDS: Final = frozenset({"comment_added", "run_archived", "run_unarchived", "run_reviewed", "run_evaluated"})
"""What may still be said of a run that has ended. Nothing of it changes how it ended."""

TYPE_OF: Final[dict[type[EventData], str]] = {data: name for name, data in EVENT_TYPES.items()}

D = TypeVar("D", bound=EventData)
DataType = type[D]


class Event(msgspec.Struct, frozen=True):
    """One event of one run; see the top of this file."""

    seq: int
    run_id: str
    type: str
    ts: int
    step_id: str | None
    attempt: int | None
    actor: str | None
    data: EventData
    v: int = EVENT_VERSION

    @property
    def id(self) -> str:
        """The event's id, unique over all runs."""
        return f"evt_{self.run_id.removeprefix('run_')}_{self.seq}"

    def of(self, kind: DataType[D]) -> D:
        """Return the data, which must be of this kind."""
        if not isinstance(self.data, kind):
            raise TypeError(f"event {self.seq} is {self.type!r}, not {TYPE_OF[kind]!r}")
        return self.data


class _Record(msgspec.Struct):
    seq: int
    run_id: str
    type: str
    ts: int
    step_id: str | None = None
    attempt: int | None = None
    actor: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")
    v: int = EVENT_VERSION


_encoder = msgspec.json.Encoder()
_record = msgspec.json.Decoder(_Record)
_data = {name: msgspec.json.Decoder(kind) for name, kind in EVENT_TYPES.items()}

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: Final[dict[tuple[str, int], Upcaster]] = {}
"""From (type, version) to the function that lifts its data one version up."""


def encode_event(event: Event) -> bytes:
    """Return the journal's record of the event."""
    return _encoder.encode(event)


def event_json(event: Event, *, raw: bool = False) -> bytes:
    """Return the event as everybody outside sees it: the record and its `id`; the raw bodies of a model call with `raw` only."""
    fields = msgspec.structs.asdict(event)
    if not raw and isinstance(event.data, GenerationCompleted) and (event.data.raw_request or event.data.raw_response):
        fields["data"] = msgspec.structs.replace(event.data, raw_request=None, raw_response=None)
    return _encoder.encode({"seq": fields.pop("seq"), "id": event.id, **fields})


def decode_event(text: bytes | str) -> Event:
    """Return the event of a journal record, lifted to the current version.

    Raises `InvalidInput` when the record is damaged or of an unknown type or a newer version.
    """
    try:
        rec = _record.decode(text)
        data = _lifted(rec) if rec.v != EVENT_VERSION else _data[rec.type].decode(rec.data)
    except KeyError as exc:
        raise InvalidInput(f"unknown event type {exc.args[0]!r}", hint="a newer Runwell wrote this journal: upgrade") from exc
    except msgspec.MsgspecError as exc:
        raise InvalidInput(f"damaged journal record: {exc}") from exc
    return Event(rec.seq, rec.run_id, rec.type, rec.ts, rec.step_id, rec.attempt, rec.actor, data)


def _lifted(rec: _Record) -> EventData:
    if rec.v > EVENT_VERSION:
        raise InvalidInput(f"event version {rec.v} is newer than {EVENT_VERSION}", hint="upgrade Runwell")
    data: dict[str, Any] = msgspec.json.decode(rec.data)
    for version in range(rec.v, EVENT_VERSION):
        lift = UPCASTERS.get((rec.type, version))
        data = lift(data) if lift else data
    return msgspec.convert(data, EVENT_TYPES[rec.type])
