"""Messages as the various conventions write them, in the one form in which runs keep them.

{"role": "assistant", "content": "...", "tool_calls": [{"id": ..., "name": ..., "args": ...}], "tool_call_id": ...}
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from runwell.adapters.otlp.attributes import data_of

_ROLES: Final = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool", "developer": "system"}

Message = dict[str, Any]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a model wrote. `response` is text, or the messages where there were several."""

    response: Any = None
    tool_calls: list[dict[str, Any]] | None = None
    thought: str | None = None
    finish_reason: str | None = None


def messages_of(said: Any, role: str = "user") -> list[Message]:
    """Return the messages of what is a list of them, one, an object that holds them, or plain text."""
    said = data_of(said)
    if isinstance(said, dict) and isinstance(said.get("messages"), list):
        said = said["messages"]
    if isinstance(said, list) and len(said) == 1 and isinstance(said[0], list):  # LangChain's batches
        said = said[0]
    if isinstance(said, list) and said and all(_is_message(item) for item in said):
        return [message for item in said for message in _message(item, role)]
    if said is None or said == "":
        return []
    return list(_message(said, role)) if _is_message(said) else [{"role": role, "content": _plain(said)}]


def answer_of(messages: list[Message]) -> Answer:
    if not messages:
        return Answer()
    calls = [call for message in messages for call in message.get("tool_calls", ())]
    thoughts = [message["thought"] for message in messages if message.get("thought")]
    reasons = [message["finish_reason"] for message in messages if message.get("finish_reason")]
    contents = [message["content"] for message in messages if message.get("content") not in ("", None)]
    return Answer(
        response=contents[0] if len(contents) == 1 else contents or "",
        tool_calls=calls or None,
        thought="\n\n".join(thoughts) or None,
        finish_reason=reasons[0] if reasons else None,
    )


def _is_message(item: Any) -> bool:
    return isinstance(item, dict) and not item.keys().isdisjoint(("role", "parts", "message", "content", "tool_calls"))


def _message(item: Any, role: str) -> Iterable[Message]:
    if isinstance(item.get("message"), dict):  # OpenInference; an OpenAI choice
        item = {**item["message"], **({"finish_reason": item["finish_reason"]} if item.get("finish_reason") else {})}
    told = str(item.get("role") or item.get("type") or role)
    message: Message = {"role": _ROLES.get(told, told), "content": ""}
    if item.get("tool_call_id"):
        message["tool_call_id"] = str(item["tool_call_id"])
    if item.get("finish_reason"):
        message["finish_reason"] = str(item["finish_reason"])
    if isinstance(item.get("parts"), list):
        yield from _of_parts(message, item["parts"])
        return
    content = item.get("contents", item.get("content"))
    message["content"] = _content(data_of(content))
    calls = item.get("tool_calls")
    if isinstance(calls, list) and calls:
        message["tool_calls"] = [_call(call) for call in calls]
    yield message


def _of_parts(message: Message, parts: list[Any]) -> Iterable[Message]:
    """OpenTelemetry's: a tool's results are messages of their own."""
    contents: list[Any] = []
    calls: list[dict[str, Any]] = []
    thoughts: list[str] = []
    results: list[Message] = []
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else "text"
        if kind == "tool_call":
            calls.append(_call(part))
        elif kind == "tool_call_response":
            content = _text(part.get("response", part.get("result")))
            results.append({"role": "tool", "content": content, "tool_call_id": str(part.get("id") or "")})
        elif kind in ("reasoning", "thinking"):
            thoughts.append(_text(part.get("content")))
        else:
            contents.append(part)
    if calls:
        message["tool_calls"] = calls
    if thoughts:
        message["thought"] = "\n\n".join(thoughts)
    message["content"] = _content(contents)
    if contents or calls or thoughts or not results:
        yield message
    yield from results


def _content(content: Any) -> Any:
    """Return text where all of it is text, otherwise the parts."""
    if not isinstance(content, list):
        return _plain(content)
    parts = [_part(part) for part in content]
    if all(isinstance(part, str) for part in parts):
        return "\n".join(parts)
    return [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]


def _part(part: Any) -> Any:
    """Return the text of a part that is text; anything else as it is."""
    if isinstance(part, dict) and isinstance(part.get("message_content"), dict):
        part = part["message_content"]
    if not isinstance(part, dict):
        return _text(part)
    if part.get("type", "text") in ("text", "input_text", "output_text"):
        return _text(part.get("text", part.get("content")))
    return part


def _call(call: Any) -> dict[str, Any]:
    if isinstance(call, dict) and isinstance(call.get("tool_call"), dict):
        call = call["tool_call"]
    if not isinstance(call, dict):
        return {"id": "", "name": "", "args": call}
    function = call["function"] if isinstance(call.get("function"), dict) else call
    args = function.get("arguments", function.get("args", function.get("input")))
    return {"id": str(call.get("id") or ""), "name": str(function.get("name") or ""), "args": data_of(args)}


def _plain(said: Any) -> Any:
    return "" if said is None else said if isinstance(said, str) else _text(said)


def _text(said: Any) -> str:
    return said if isinstance(said, str) else "" if said is None else msgspec.json.encode(said).decode()
