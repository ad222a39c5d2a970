"""The replies of a `ScriptedServer`. Those that hold an answer are streamed when the request asks for it."""

import itertools
import json
import re
from collections.abc import Iterable
from typing import Any, Final, Literal

from runwell.testing.loopback import ServerRequest
from runwell.testing.scripted_server import Reply, Wire

USAGE: Final[dict[str, Any]] = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
"""What each answer says that it used, unless told otherwise."""

End = Literal["cut", "end", "hang"]
"""How a stream breaks: the connection is cut, the stream ends as if it were whole, or nothing comes any more."""

_numbers = itertools.count(1)


def say(text: str, *, usage: dict[str, Any] | None = None, finish_reason: str = "stop") -> Reply:
    """Answer with text; a stream brings it word by word."""
    return _reply({"content": text}, [{"content": word} for word in _words(text)], usage, finish_reason)


def chunks(pieces: Iterable[str], *, usage: dict[str, Any] | None = None) -> Reply:
    """Answer with text; a stream brings it in these pieces."""
    pieces = list(pieces)
    return _reply({"content": "".join(pieces)}, [{"content": piece} for piece in pieces], usage, "stop")


def json_object(value: Any, *, usage: dict[str, Any] | None = None) -> Reply:
    """Answer with the JSON text of a value."""
    return say(json.dumps(value), usage=usage)


def call_tool(name: str, arguments: dict[str, Any], *, call_id: str = "call_1", usage: dict[str, Any] | None = None) -> Reply:
    """Answer with one tool call."""
    return call_tools([(call_id, name, arguments)], usage=usage)


def call_tools(calls: Iterable[tuple[str, str, dict[str, Any]]], *, text: str | None = None, usage: dict[str, Any] | None = None) -> Reply:
    """Answer with tool calls, each (call id, tool, arguments)."""
    told = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for call_id, name, arguments in calls
    ]
    message: dict[str, Any] = {"content": text, "tool_calls": told}
    deltas = [{"tool_calls": [{"index": index, **call}]} for index, call in enumerate(told)]
    return _reply(message, [{"content": text}, *deltas] if text else deltas, usage, "tool_calls")


def refuse(status: int, message: str = "refused", *, code: str | None = None, kind: str | None = None, **headers: str) -> Reply:
    """Answer with an error as OpenAI writes it; underscores in header names become hyphens: `refuse(429, retry_after="7")`."""
    body = {"error": {"message": message, "type": kind, "code": code, "param": None}}
    return raw(json.dumps(body).encode(), status=status, **headers)


def raw(body: bytes, *, status: int = 200, content_type: str = "application/json", **headers: str) -> Reply:
    """Answer with these bytes, whatever they are."""
    return lambda request: Wire((_head(status, content_type, {"content-length": str(len(body)), **headers}), body))


def invalid_json() -> Reply:
    """Answer 200 with a body that says it is JSON and is none."""
    return raw(b'{"id": "x", "choices": [{"mess')


def broken(text: str, end: End = "cut") -> Reply:
    """Begin an answer, and break it after `text`."""

    def reply(request: ServerRequest) -> Wire:
        if not request.streams:
            head = _head(200, "application/json", {"content-length": "10000"})
            return Wire((head, b'{"id": "x", "choices": ['), "hang" if end == "hang" else "close")
        events = _events(request, [{"content": word} for word in _words(text)])
        if end == "end":
            return Wire((_head(200, "text/event-stream", {"connection": "close"}), *events), "close")
        head = _head(200, "text/event-stream", {"transfer-encoding": "chunked"})
        return Wire((head, *map(_chunk, events)), "hang" if end == "hang" else "close")

    return reply


def hang() -> Reply:
    """Answer nothing, until the client goes."""
    return lambda request: Wire((), "hang")


def _reply(message: dict[str, Any], deltas: list[dict[str, Any]], usage: dict[str, Any] | None, finish_reason: str) -> Reply:
    def reply(request: ServerRequest) -> Wire:
        if request.streams:
            last = [_event(request, {}, finish_reason), _event(request, None, usage=usage or USAGE), b"data: [DONE]\n\n"]
            head = _head(200, "text/event-stream", {"transfer-encoding": "chunked"})
            return Wire((head, *map(_chunk, [*_events(request, deltas), *last]), b"0\r\n\r\n"))
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish_reason}
        body = {**_frame(request, "chat.completion"), "choices": [choice], "usage": usage or USAGE}
        return raw(json.dumps(body).encode())(request)

    return reply


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)


def _frame(request: ServerRequest, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{next(_numbers)}", "object": kind, "created": 1_792_000_000, "model": request.json["model"]}


def _events(request: ServerRequest, deltas: list[dict[str, Any]]) -> list[bytes]:
    return [_event(request, {"role": "assistant", "content": ""}), *(_event(request, delta) for delta in deltas)]


def _event(
    request: ServerRequest, delta: dict[str, Any] | None, finish_reason: str | None = None, usage: dict[str, Any] | None = None
) -> bytes:
    """Return one chunk of the stream; without a delta it has no choice, as the one with the usage."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    chunk = {**_frame(request, "chat.completion.chunk"), "choices": choices, "usage": usage}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def _head(status: int, content_type: str, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
