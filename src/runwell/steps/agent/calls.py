"""The tool calls of one round: each is answered, by what the tool returned or by why it was not called.

Calls that nothing holds up are made at once. A call that a person has to approve, and one that is another workflow's run, wait
with the step, one after the other; what was called before is in the journal then, and is not called again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from runwell.model.errors import ErrorInfo, LimitExceeded, StepError
from runwell.model.events import ToolCalled, ToolReturned
from runwell.model.schema import SchemaCheck, schema_problems
from runwell.model.waits import ChildWait, TaskWait
from runwell.ports.models import Message, ToolCall, ToolOffer
from runwell.ports.steps import StepContext, Suspended
from runwell.steps.agent.history import History
from runwell.steps.llm import as_text
from runwell.steps.tool_calls import call_tool

AT_ONCE: Final = 10
"""So many calls of a round are made at the same time."""

SHOWN_PROBLEMS: Final = 5


class Calls:
    """Answers the tool calls of one agent. `offers` are the tools that the model may call, by name."""

    def __init__(self, ctx: StepContext, history: History, offers: Mapping[str, ToolOffer]) -> None:
        self._ctx, self._history, self._offers = ctx, history, offers
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def answers(self, calls: Sequence[ToolCall]) -> list[Message]:
        """Return the tools' messages, in the order of the calls. Raises `Suspended` while one of them waits."""
        told: dict[str, str] = {}
        held: list[TaskWait | ChildWait] = []
        going: list[asyncio.Task[str]] = []
        try:
            async with asyncio.TaskGroup() as group:
                for call in calls:
                    ready = self._ready(call)
                    if isinstance(ready, str):
                        told[call.id] = ready
                    elif isinstance(ready, TaskWait | ChildWait):
                        held.append(ready)
                    else:
                        going.append(group.create_task(self._call(call, ready), name=call.id))
        except ExceptionGroup as exc:
            raise exc.exceptions[0] from None
        if held:
            raise Suspended(held[0])
        told |= {task.get_name(): task.result() for task in going}
        return [Message(role="tool", content=told[call.id], tool_call_id=call.id) for call in calls]

    def _ready(self, call: ToolCall) -> "str | TaskWait | ChildWait | _Go":
        """Return what the model is told, if that is known; else what the call waits for, or that it can be made."""
        returned = self._history.returned.get(call.id)
        if returned is not None:
            return _told(returned)
        try:
            go = self._allowed(call)
        except StepError as exc:
            return self._settled(ToolReturned(tool=call.name, error=exc.info(self._ctx.step_id), call_id=call.id))
        return self._run_of(call, go) if isinstance(go, _Go) and call.name.startswith("workflow:") else go

    def _allowed(self, call: ToolCall) -> "TaskWait | _Go":
        """Return with which arguments the call may be made, or what a person is asked. Raises `StepError` when it may not be."""
        offer = self._offers.get(call.name)
        if offer is None:
            raise _refused("unknown_tool", f"there is no tool {call.name!r}; call one of those that are offered")
        if not isinstance(call.args, Mapping):
            raise _refused("invalid_args", f"the arguments of {call.name!r} are no object")
        declared = self._ctx.tools.get(call.name)
        if declared is None or not declared.spec.requires_approval:
            return _Go(call.args)
        decision = self._history.decision(_asked(call))
        if decision is None:
            return _question(call, offer)
        if not decision.approved:
            raise StepError("TASK_REJECTED", "a person rejected this call" + (f": {decision.comment}" if decision.comment else ""))
        return _Go(call.args if decision.result is None else decision.result["args"], approved=True)

    def _run_of(self, call: ToolCall, go: "_Go") -> str | ChildWait:
        """Return what came of the other workflow's run, or that it is to be waited for."""
        key = f"run:{call.id}"
        end = self._history.end(key)
        if end is not None:
            return self._settled(ToolReturned(tool=call.name, result=end.output, error=end.error, call_id=call.id))
        if call.id not in self._history.called:
            self._ctx.record(ToolCalled(tool=call.name, args=dict(go.args), call_id=call.id))
        return ChildWait(key=key, workflow=call.name.partition(":")[2], input=dict(go.args))

    def _settled(self, returned: ToolReturned) -> str:
        self._ctx.record(returned)
        return _told(returned)

    async def _call(self, call: ToolCall, go: "_Go") -> str:
        async with self._turns:
            try:
                result = await call_tool(self._ctx, call.name, go.args, call_id=call.id, approved=go.approved)
            except LimitExceeded:
                raise
            except StepError as exc:
                error = exc.info(self._ctx.step_id)
                if exc.code == "TOOL_FAILED":  # nothing was called, and nothing recorded
                    self._ctx.record(ToolReturned(tool=call.name, error=error, call_id=call.id))
                return _told_error(error)
        return as_text(result)


class _Go(msgspec.Struct, frozen=True):
    """A call can be made."""

    args: Mapping[str, Any]
    approved: bool = False


def _asked(call: ToolCall) -> str:
    return f"ask:{call.id}"


def _question(call: ToolCall, offer: ToolOffer) -> TaskWait:
    """Return what a person is asked. Raises `StepError` for arguments that no approval would mend."""
    schema = {"type": "object"} if schema_problems(offer.input_schema) else offer.input_schema
    wrong = [str(problem) for problem in SchemaCheck(schema).problems(call.args)[:SHOWN_PROBLEMS]]
    if wrong:
        raise _refused("invalid_args", f"the arguments of {call.name!r} break its input_schema: {'; '.join(wrong)}")
    return TaskWait(
        key=_asked(call),
        title=f"Call {call.name}?",
        description=offer.description,
        payload={"tool": call.name, "args": call.args},
        result_schema=_edits(schema),
    )


def _edits(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of what may be edited. With an id of its own the tool's schema keeps meaning itself by `#/$defs/...`."""
    for args in ({"type": "object", "allOf": [{"$id": "urn:runwell:arguments", **schema}]}, {"type": "object"}):
        edits = {"type": "object", "required": ["args"], "additionalProperties": False, "properties": {"args": args}}
        if not schema_problems(edits):
            break
    return edits


def _refused(reason: str, message: str) -> StepError:
    return StepError("TOOL_FAILED", message, details={"reason": reason})


def _told(returned: ToolReturned) -> str:
    return as_text(returned.result) if returned.error is None else _told_error(returned.error)


def _told_error(error: ErrorInfo) -> str:
    return as_text({"error": {"code": error.code, "message": error.message}})
