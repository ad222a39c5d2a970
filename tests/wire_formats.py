"""How the vendors say a thought, a text and tool calls: whole and streamed, for a `ScriptedServer`."""

import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from runwell.testing.loopback import ServerRequest
from runwell.testing.scripted_replies import call_tools, raw, say
from runwell.testing.scripted_server import Reply

Call = tuple[str, str, dict[str, Any]]
"""Id, tool, arguments."""

Say = Callable[[str, list[Call], str | None], Reply]
"""From text, calls and thought to the reply."""

Json = dict[str, Any]


class WireFormat(NamedTuple):
    provider: str
    model: str
    path: str
    say: Say
    tools: Callable[[Json], list[Json]]
    """Of a request's body the tools offered, as `{name, description, schema}`."""


def _pieces(text: str, size: int = 7) -> list[str]:
    return ["".join(part) for part in itertools.zip_longest(*[iter(text)] * size, fillvalue="")]


def _either(whole: Json, events: Iterable[Json]) -> Reply:
    named = [(f"event: {event['type']}\n" if "type" in event else "") + f"data: {json.dumps(event)}\n\n" for event in events]
    stream = raw("".join(named).encode(), content_type="text/event-stream")
    body = raw(json.dumps(whole).encode())
    return lambda request: (stream if _streams(request) else body)(request)


def _streams(request: ServerRequest) -> bool:
    return request.streams or "streamGenerate" in request.target


def _chat(text: str, calls: list[Call], thought: str | None) -> Reply:
    return call_tools(calls, text=text or None) if calls else say(text)


def _anthropic(text: str, calls: list[Call], thought: str | None) -> Reply:
    used = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    message: Json = {"id": "m1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "stop_sequence": None}
    thinking = [{"type": "thinking", "thinking": thought, "signature": "c2lnbmVk"}] if thought else []
    told = [{"type": "text", "text": text}] if text else []
    blocks: list[Json] = [*thinking, *told, *({"type": "tool_use", "id": id_, "name": name, "input": args} for id_, name, args in calls)]
    stop = "tool_use" if calls else "end_turn"
    events: list[Json] = [{"type": "message_start", "message": {**message, "content": [], "stop_reason": None, "usage": used}}]
    for index, block in enumerate(blocks):
        events += [{"index": index, **event} for event in _anthropic_block(block)]
    events += [{"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": used}, {"type": "message_stop"}]
    return _either({**message, "content": blocks, "stop_reason": stop, "usage": used}, events)


def _anthropic_block(block: Json) -> list[Json]:
    empty: Json
    match block["type"]:
        case "thinking":
            empty = {**block, "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case "text":
            empty, deltas = {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in _pieces(block["text"])]
        case _:
            empty = {**block, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in _pieces(json.dumps(block["input"]))]
    start = {"type": "content_block_start", "content_block": empty}
    return [start, *({"type": "content_block_delta", "delta": delta} for delta in deltas), {"type": "content_block_stop"}]


def _google(text: str, calls: list[Call], thought: str | None) -> Reply:
    used = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    parts: list[Json] = [{"text": thought, "thought": True}] if thought else []
    parts += [{"text": text}] if text else []
    parts += [{"functionCall": {"id": id_, "name": name, "args": args}, "thoughtSignature": "c2lnbmVk"} for id_, name, args in calls]

    def told(parts: list[Json], **more: Any) -> Json:
        candidate = {"index": 0, "content": {"role": "model", "parts": parts}, **more}
        return {"candidates": [candidate], "usageMetadata": used, "modelVersion": "gemini-2.5-flash"}

    return _either(told(parts, finishReason="STOP"), [*(told([part]) for part in parts), told([{"text": ""}], finishReason="STOP")])


def _responses(text: str, calls: list[Call], thought: str | None) -> Reply:
    used: Json = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    used |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    part = {"type": "output_text", "text": text, "annotations": []}
    items: list[Json] = []
    if thought:
        items.append(
            {"type": "reasoning", "id": "rs1", "summary": [{"type": "summary_text", "text": thought}], "encrypted_content": "c2ln"}
        )
    if text:
        items.append({"type": "message", "id": "i1", "role": "assistant", "status": "completed", "content": [part]})
    for place, (id_, name, args) in enumerate(calls):
        call = {"type": "function_call", "id": f"fc{place}", "call_id": id_, "name": name, "arguments": json.dumps(args)}
        items.append({**call, "status": "completed"})
    frame: Json = {"id": "r1", "object": "response", "created_at": 1, "model": "gpt-5-mini", "tools": [], "tool_choice": "auto"}
    whole = {**frame, "parallel_tool_calls": True, "status": "completed", "output": items, "usage": used}
    events: list[Json] = [{"type": "response.created", "response": {**whole, "status": "in_progress", "output": [], "usage": None}}]
    for index, item in enumerate(items):
        events += _responses_item(index, item)
    events.append({"type": "response.completed", "response": whole})
    return _either(whole, [{**event, "sequence_number": number} for number, event in enumerate(events)])


def _responses_item(index: int, item: Json) -> list[Json]:
    place = {"item_id": item["id"], "output_index": index}
    deltas: list[Json] = []
    begun = dict(item)
    match item["type"]:
        case "message":
            begun |= {"status": "in_progress", "content": []}
            at = {**place, "content_index": 0}
            text = item["content"][0]["text"]
            deltas.append({"type": "response.content_part.added", **at, "part": {**item["content"][0], "text": ""}})
            deltas += [{"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in _pieces(text)]
            deltas.append({"type": "response.output_text.done", **at, "text": text, "logprobs": []})
        case "function_call":
            begun |= {"status": "in_progress", "arguments": ""}
            written = item["arguments"]
            deltas += [{"type": "response.function_call_arguments.delta", **place, "delta": piece} for piece in _pieces(written)]
            deltas.append({"type": "response.function_call_arguments.done", **place, "arguments": written, "name": item["name"]})
        case _:
            begun |= {"summary": [], "encrypted_content": None}
            at = {**place, "summary_index": 0}
            text = item["summary"][0]["text"]
            deltas.append({"type": "response.reasoning_summary_part.added", **at, "part": {"type": "summary_text", "text": ""}})
            deltas.append({"type": "response.reasoning_summary_text.delta", **at, "delta": text})
            deltas.append({"type": "response.reasoning_summary_text.done", **at, "text": text})
    added = {"type": "response.output_item.added", "output_index": index, "item": begun}
    return [added, *deltas, {"type": "response.output_item.done", "output_index": index, "item": item}]


def _function_tools(body: Json) -> list[Json]:
    return [
        {"name": tool["function"]["name"], "description": tool["function"]["description"], "schema": tool["function"]["parameters"]}
        for tool in body["tools"]
    ]


def _flat_tools(schema: str) -> Callable[[Json], list[Json]]:
    return lambda body: [{"name": tool["name"], "description": tool["description"], "schema": tool[schema]} for tool in body["tools"]]


def _google_tools(body: Json) -> list[Json]:
    return _flat_tools("parameters_json_schema")({"tools": body["tools"][0]["functionDeclarations"]})


WIRE_FORMATS = {
    "openai-chat": WireFormat("openai-chat", "gpt-5-mini", "/v1", _chat, _function_tools),
    "openai-responses": WireFormat("openai-responses", "gpt-5-mini", "/v1", _responses, _flat_tools("parameters")),
    "anthropic": WireFormat("anthropic", "claude-sonnet-5", "", _anthropic, _flat_tools("input_schema")),
    "google": WireFormat("google", "gemini-2.5-flash", "", _google, _google_tools),
}
