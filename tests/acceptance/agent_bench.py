"""Agents over scripted models and tools, in memory."""

from collections.abc import Sequence
from typing import Any

from tests.acceptance.workbench import sound

from runwell.model.errors import ErrorInfo, StepError
from runwell.model.run import RunView
from runwell.ports.models import ToolCall
from runwell.testing import MemoryApp, ScriptedModels

NUMBER = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
LABEL = {"type": "object", "required": ["label"], "properties": {"label": {"enum": ["spam", "ham"]}}}
BUSY = StepError("LLM_REQUEST_FAILED", "busy", retryable=True, details={"reason": "overloaded"})


def agent(*tools: str, declared: Sequence[dict[str, Any]] = (), **step: Any) -> dict[str, Any]:
    given = {"id": "agent", "type": "agent", "instructions": "Help.", "tools": list(tools), **step}
    return {
        "name": "helper",
        "tools": list(declared),
        "steps": [given if "models" in step or "agent" in step else {"model": "m:a", **given}],
    }


def find(number: int, call_id: str = "c1", name: str = "mcp:desk/find") -> ToolCall:
    return ToolCall(id=call_id, name=name, args={"number": number})


async def ended(app: MemoryApp, doc: dict[str, Any], given: Any = "Where is it?") -> RunView:
    run = await app.run_to_end(await app.start(doc, given))
    await sound(app, run.id)
    return run


def told(models: ScriptedModels, number: int = -1) -> list[tuple[str, str]]:
    """Return role and text of each message of a request."""
    return [(message.role, message.text) for message in models.requests[number].messages]


def error_of(run: RunView) -> ErrorInfo:
    assert run.error is not None
    return run.error


async def data_of(app: MemoryApp, run: RunView, kind: type[Any]) -> list[Any]:
    return [event.data for event in await app.journal.read(run.id) if isinstance(event.data, kind)]
