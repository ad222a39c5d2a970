"""Messages and tools as pydantic-ai takes them, and its answers as ours.

Our tools' names (`mcp:github/search`) hold signs that providers refuse, so each gets a name for the wire: its letters, digits,
`_` and `-`, and where two would then be one, a part of its hash.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.messages import ModelRequest as VendorRequest
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from runwell.adapters.models.failures import failed
from runwell.ports.models import File, Message, ModelRequest, Text, Thought, ToolCall

FILE_LIMIT: Final = 20 * 1_048_576
FILES_LIMIT: Final = 32 * 1_048_576
"""Bytes of one file, and of all files of a request."""

_LONGEST: Final = 64
_STRANGE: Final = re.compile(r"[^A-Za-z0-9_-]+")
_DATA_URL: Final = re.compile(r"data:([a-z0-9.+-]+/[a-z0-9.+-]+)((?:;[^,;]+)*);base64,", re.IGNORECASE)


class ToolNames:
    """The names of a request's tools on the wire, and back."""

    def __init__(self, request: ModelRequest) -> None:
        called = (call.name for message in request.messages for call in message.tool_calls)
        self._wire: dict[str, str] = {}
        self._ours: dict[str, str] = {}
        for name in dict.fromkeys((*(tool.name for tool in request.tools), *called)):
            wire = _wire_name(name)
            if self._ours.get(wire, name) != name:
                wire = f"{wire[: _LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
            self._wire[name], self._ours[wire] = wire, name

    def wire(self, name: str) -> str:
        return self._wire.get(name) or _wire_name(name)

    def ours(self, wire: str) -> str:
        """Return our name; of a tool that was not offered, the one that the model made up."""
        return self._ours.get(wire, wire)


def _wire_name(name: str) -> str:
    """Names that providers take stay as they are."""
    wire = _STRANGE.sub("_", name).strip("_") or "tool"
    if len(wire) > _LONGEST:
        wire = f"{wire[: _LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return wire


def tool_parameters(request: ModelRequest, names: ToolNames) -> ModelRequestParameters:
    offers = [
        ToolDefinition(
            name=names.wire(tool.name), description=tool.description, parameters_json_schema=tool.input_schema, strict=tool.strict
        )
        for tool in request.tools
    ]
    return ModelRequestParameters(function_tools=offers)


def tool_choice(request: ModelRequest, names: ToolNames) -> Any:
    """Return the setting; None leaves it to the model. Raises `StepError` (reason `bad_request`) for a tool that is not offered."""
    choice = request.tool_choice
    if choice == "auto" or (choice == "none" and not request.tools):
        return None
    if choice in ("none", "required") and request.tools:
        return choice
    if choice not in {tool.name for tool in request.tools}:
        raise failed("bad_request", f"tool_choice is {choice!r}, which is none of the tools offered")
    return [names.wire(choice)]


def messages_of(messages: tuple[Message, ...], names: ToolNames) -> list[ModelMessage]:
    """Runs of messages that are not the assistant's become one request. Raises `StepError` (reason `bad_request`)."""
    turns: list[ModelMessage] = []
    called: dict[str, str] = {}
    room = FILES_LIMIT
    for message in messages:
        if message.role == "assistant":
            turns.append(_response(message, names))
            called.update((call.id, names.wire(call.name)) for call in message.tool_calls)
            continue
        part = _part(message, called)
        room -= sum(len(content.data) for content in _files(part))
        if room < 0:
            raise failed("bad_request", f"the messages hold more than {FILES_LIMIT} bytes of files")
        if turns and isinstance(turns[-1], VendorRequest):
            turns[-1].parts = [*turns[-1].parts, part]
        else:
            turns.append(VendorRequest(parts=[part]))
    return turns


def _part(message: Message, called: dict[str, str]) -> ModelRequestPart:
    match message.role:
        case "system":
            return SystemPromptPart(message.text)
        case "tool":
            call_id = message.tool_call_id or ""
            if call_id not in called:
                raise failed("bad_request", f"a tool's message answers the call {call_id!r}, which no message before it makes")
            return ToolReturnPart(tool_name=called[call_id], content=message.text, tool_call_id=call_id)
        case _:
            return UserPromptPart(message.content if isinstance(message.content, str) else [_content(part) for part in message.content])


def _files(part: ModelRequestPart) -> Iterable[BinaryContent]:
    content = part.content if isinstance(part, UserPromptPart) else ()
    return (item for item in content if isinstance(item, BinaryContent))


def _content(part: Text | File) -> UserContent:
    if isinstance(part, Text):
        return part.text
    found = _DATA_URL.match(part.url)
    if found is None:
        raise failed("bad_request", f"a file is {part.url[:40]!r}, no data URL: write it as data:image/png;base64,...")
    try:
        data = base64.b64decode(unquote_to_bytes(part.url[found.end() :]), validate=True)
    except binascii.Error as exc:
        raise failed("bad_request", f"a file of type {part.media_type!r} is not base64: {exc}") from None
    if len(data) > FILE_LIMIT:
        raise failed("bad_request", f"a file of type {part.media_type!r} has {len(data)} bytes, more than {FILE_LIMIT}")
    return BinaryContent.narrow_type(BinaryContent(data, media_type=part.media_type))


def _response(message: Message, names: ToolNames) -> ModelResponse:
    parts: list[ModelResponsePart] = [ThinkingPart(thought.text, **(thought.opaque or {})) for thought in message.thoughts]
    if message.text or not message.tool_calls:
        parts.append(TextPart(message.text))
    for call in message.tool_calls:
        args = call.args if isinstance(call.args, dict | str) else {} if call.args is None else msgspec.json.encode(call.args).decode()
        parts.append(ToolCallPart(names.wire(call.name), args, call.id, **(call.opaque or {})))
    return ModelResponse(parts=parts)


def tool_calls_of(response: ModelResponse, names: ToolNames) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(id=part.tool_call_id, name=names.ours(part.tool_name), args=_args(part.args), opaque=_opaque(part))
        for part in response.parts
        if isinstance(part, ToolCallPart)
    )


def thoughts_of(response: ModelResponse) -> tuple[Thought, ...]:
    return tuple(Thought(text=part.content, opaque=_opaque(part)) for part in response.parts if isinstance(part, ThinkingPart))


def _args(args: Any) -> Any:
    if not isinstance(args, str):
        return {} if args is None else args
    if not args.strip():
        return {}
    try:
        return msgspec.json.decode(args)
    except msgspec.DecodeError:
        return args


def _opaque(part: ToolCallPart | ThinkingPart) -> dict[str, Any] | None:
    """Return what the provider knows its own part by; what is no JSON data cannot be kept."""
    told = {name: getattr(part, name, None) for name in ("id", "signature", "provider_name", "provider_details")}
    if not any(told[name] for name in ("id", "signature", "provider_details")):
        return None
    try:
        return {name: msgspec.to_builtins(value) for name, value in told.items() if value is not None}
    except TypeError:
        return None
