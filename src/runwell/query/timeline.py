"""What an agent did, round by round: thought, tool calls with what came of them, tokens, cost, time."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from runwell.model.errors import ErrorInfo
from runwell.model.events import Event, GenerationCompleted, StepWaiting, TaskCompleted, ToolCalled, ToolReturned
from runwell.model.model_call import Reason
from runwell.model.times import rfc3339
from runwell.model.usage import NO_USAGE, Usage, usd
from runwell.ports.journal import EventFilter, Journal
from runwell.query.events import all_events

TYPES: Final = ("generation_completed", "tool_called", "tool_returned", "step_waiting", "task_completed")


class Approval(msgspec.Struct, kw_only=True):
    """What a person was asked about a call. `approved` is null while nobody decided; `args` are the edited ones."""

    task_id: str
    asked_at: str
    decided_at: str | None = None
    approved: bool | None = None
    by: str | None = None
    comment: str | None = None
    args: Any = None


class TimedCall(msgspec.Struct, kw_only=True):
    """A tool call that the model wanted. `args` are the model's; null times: it was not called, or did not return (yet).

    Called again after its process died, its times are those of the last time. `child_run_id` is the run of a `workflow:` tool.
    """

    id: str
    tool: str
    args: Any = None
    result: Any = None
    error: ErrorInfo | None = None
    called_at: str | None = None
    returned_at: str | None = None
    duration_ms: int | None = None
    approval: Approval | None = None
    child_run_id: str | None = None


class Round(msgspec.Struct, kw_only=True):
    """One answer of the model, or one that failed. `seq` is that of its event; times in ms, `at` is when it ended."""

    number: int
    seq: int
    at: str
    attempt: int | None
    provider: str
    model: str
    ok: bool
    thought: str | None
    text: Any
    error: ErrorInfo | None
    error_class: Reason | None
    latency_ms: float
    usage: Usage
    cost_usd: str
    calls: list[TimedCall]


class Timeline(msgspec.Struct, kw_only=True):
    """The rounds of a step, in order, over all of its attempts."""

    step_id: str
    rounds: list[Round] = []
    usage: Usage = NO_USAGE
    cost_usd: str = "0"


async def step_timeline(journal: Journal, run_id: str, path: str) -> Timeline:
    wanted = EventFilter(types=TYPES, step_id=path, lean=True)
    return timeline(path, [event async for event in all_events(journal, run_id, wanted)])


def timeline(path: str, events: Iterable[Event]) -> Timeline:
    """Return the timeline that the step's events tell."""
    reader = _Reader(path)
    for event in events:
        reader.read(event)
    return reader.found


class _Reader:
    def __init__(self, path: str) -> None:
        self.found = Timeline(step_id=path)
        self._calls: dict[str, TimedCall] = {}
        self._called: dict[str, int] = {}
        self._asked: dict[str, Approval] = {}

    def read(self, event: Event) -> None:
        match event.data:
            case GenerationCompleted() as data:
                self._round(event, data)
            case ToolCalled(call_id=str(call_id)) if call_id in self._calls:
                self._calls[call_id].called_at, self._called[call_id] = rfc3339(event.ts), event.ts
            case ToolReturned(call_id=str(call_id)) as data if call_id in self._calls:
                self._returned(self._calls[call_id], data, event.ts)
            case StepWaiting(key=str(key)) as data:
                self._waits(key, data, event.ts)
            case TaskCompleted() as data:
                self._decided(data, event.ts)

    def _round(self, event: Event, data: GenerationCompleted) -> None:
        calls = [TimedCall(id=call["id"], tool=call["name"], args=call.get("args")) for call in data.tool_calls or ()]
        self._calls |= {call.id: call for call in calls}
        self.found.usage = self.found.usage + data.usage
        self.found.cost_usd = usd(self.found.usage.cost_nanos)
        self.found.rounds.append(
            Round(
                number=len(self.found.rounds) + 1,
                seq=event.seq,
                at=rfc3339(event.ts),
                attempt=event.attempt,
                provider=data.provider,
                model=data.response_model or data.model,
                ok=data.ok,
                thought=data.thought,
                text=data.response,
                error=data.error,
                error_class=data.error_class,
                latency_ms=data.latency_ms,
                usage=data.usage,
                cost_usd=usd(data.usage.cost_nanos),
                calls=calls,
            )
        )

    def _returned(self, call: TimedCall, data: ToolReturned, ts: int) -> None:
        call.result, call.error, call.returned_at = data.result, data.error, rfc3339(ts)
        began = self._called.get(call.id)
        call.duration_ms = None if began is None else ts - began

    def _waits(self, key: str, data: StepWaiting, ts: int) -> None:
        call = self._calls.get(key.partition(":")[2])
        if call is None:
            return
        call.child_run_id = data.child_run_id or call.child_run_id
        if data.task_id is not None:
            call.approval = self._asked[data.task_id] = Approval(task_id=data.task_id, asked_at=rfc3339(ts))

    def _decided(self, data: TaskCompleted, ts: int) -> None:
        approval = self._asked.get(data.task_id)
        if approval is not None:
            approval.decided_at, approval.approved = rfc3339(ts), data.approved
            approval.by, approval.comment, approval.args = data.by, data.comment, (data.result or {}).get("args")
