"""The protocols that are not OpenAI's chat completions: an answer, a stream, and a stream that ends too early."""

import asyncio
import json
from typing import Any, NamedTuple

import pytest

from runwell.adapters.models.router import ModelRouter
from runwell.adapters.models.sources import ModelSources
from runwell.model.errors import StepError
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.models import Message, ModelAnswer, ModelRequest
from runwell.testing import ScriptedServer
from runwell.testing.loopback import ServerRequest
from runwell.testing.scripted_replies import raw, refuse
from runwell.testing.scripted_server import Reply

LABEL = {"type": "object", "required": ["label"], "properties": {"label": {"enum": ["spam", "ham"]}}}


class Protocol(NamedTuple):
    """How a vendor says Hello: whole, and as events, of which the last `tail` tell that it is whole."""

    model: str
    path: str
    whole: dict[str, Any]
    events: list[dict[str, Any]]
    tail: int
    schema_at: tuple[str, ...]


def _anthropic() -> Protocol:
    message: dict[str, Any] = {"id": "m1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "stop_sequence": None}
    used = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 0}
    return Protocol(
        model="claude-sonnet-5",
        path="/v1/messages",
        whole={**message, "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn", "usage": used},
        events=[
            {"type": "message_start", "message": {**message, "content": [], "stop_reason": None, "usage": {**used, "output_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": used},
            {"type": "message_stop"},
        ],
        tail=2,
        schema_at=("output_config", "format", "schema"),
    )


def _google() -> Protocol:
    used = {"promptTokenCount": 14, "cachedContentTokenCount": 4, "candidatesTokenCount": 5, "totalTokenCount": 19}

    def told(text: str, **more: Any) -> dict[str, Any]:
        candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}, **more}
        return {"candidates": [candidate], "usageMetadata": used, "modelVersion": "gemini-2.5-flash"}

    return Protocol(
        model="gemini-2.5-flash",
        path="/v1beta/models/gemini-2.5-flash:",
        whole=told("Hello", finishReason="STOP"),
        events=[told("Hel"), told("lo"), told("", finishReason="STOP")],
        tail=1,
        schema_at=("generationConfig", "responseJsonSchema"),
    )


def _responses() -> Protocol:
    used = {
        "input_tokens": 14,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 19,
    }
    part = {"type": "output_text", "text": "Hello", "annotations": []}
    message = {"type": "message", "id": "i1", "role": "assistant", "status": "completed", "content": [part]}
    frame = {"id": "r1", "object": "response", "created_at": 1, "model": "gpt-4o-mini", "tools": [], "tool_choice": "auto"}
    whole = {**frame, "parallel_tool_calls": True, "status": "completed", "output": [message], "usage": used}
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": "i1", "output_index": 0, "content_index": 0, "logprobs": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": {**message, "status": "in_progress", "content": []}},
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **place, "delta": "Hel"},
        {"type": "response.output_text.delta", **place, "delta": "lo"},
        {"type": "response.output_text.done", **place, "text": "Hello"},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": whole},
    ]
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    return Protocol("gpt-4o-mini", "/responses", whole, numbered, tail=1, schema_at=("text", "format", "schema"))


PROTOCOLS = {"anthropic": _anthropic(), "google": _google(), "openai-responses": _responses()}

each = pytest.mark.parametrize("provider", PROTOCOLS)
both = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


def answering(protocol: Protocol) -> Reply:
    """Answer as asked: pydantic-ai streams long answers of Anthropic's even to callers that want them whole."""
    whole, stream = raw(json.dumps(protocol.whole).encode()), streaming(protocol)
    return lambda request: (stream if request.streams or "stream" in request.target else whole)(request)


def streaming(protocol: Protocol, *, without: int = 0) -> Reply:
    events = protocol.events[: len(protocol.events) - without]
    names = [f"event: {event['type']}\n" if "type" in event else "" for event in events]
    lines = [f"{name}data: {json.dumps(event)}\n\n" for name, event in zip(names, events, strict=True)]
    return raw("".join(lines).encode(), content_type="text/event-stream")


def call(
    provider: str, reply: Reply, *, streamed: bool = False, schema: dict[str, Any] | None = None
) -> tuple[ModelAnswer, list[str], ServerRequest]:
    async def run() -> tuple[ModelAnswer, list[str], ServerRequest]:
        deltas: list[str] = []
        async with ScriptedServer([reply]) as server:
            address = server.base_url.removesuffix("/v1")
            settings = {"PROVIDER": provider, "BASE_URL": address, "API_KEY": "sk-secret"}
            models = ModelRouter(ModelSources({f"RUNWELL_CONNECTION_X_{name}": value for name, value in settings.items()}))
            request = ModelRequest(
                scope=DEFAULT_SCOPE,
                model=f"x:{PROTOCOLS[provider].model}",
                messages=(Message(role="user", content="Hi"),),
                output_schema=schema,
            )
            try:
                answer = await models.generate(request, on_delta=deltas.append if streamed else None)
            finally:
                await models.aclose()
                assert len(server.requests) == 1, "the engine retries, not the library"
            return answer, deltas, server.requests[0]

    return asyncio.run(run())


@each
@both
def test_an_answer(provider: str, streamed: bool) -> None:
    protocol = PROTOCOLS[provider]
    answer, deltas, request = call(provider, answering(protocol), streamed=streamed)
    assert (answer.text, answer.finish_reason, answer.response_model) == ("Hello", "stop", protocol.model)
    assert deltas == (["Hel", "lo"] if streamed else [])
    assert (answer.usage.input_tokens, answer.usage.cached_tokens, answer.usage.output_tokens) == (14, 4, 5)
    assert request.target.startswith(protocol.path)


@each
def test_the_providers_own_structured_output(provider: str) -> None:
    protocol = PROTOCOLS[provider]
    sent = call(provider, answering(protocol), schema=LABEL)[2].json
    for name in protocol.schema_at:
        sent = sent[name]
    assert sent["required"] == ["label"]


@each
def test_a_stream_that_ends_too_early(provider: str) -> None:
    protocol = PROTOCOLS[provider]
    with pytest.raises(StepError) as caught:
        call(provider, streaming(protocol, without=protocol.tail), streamed=True)
    assert (caught.value.retryable, caught.value.details) == (True, {"reason": "connection"})


def test_a_stream_that_nobody_asked_for_may_end_too_early_as_well() -> None:
    protocol = PROTOCOLS["anthropic"]
    with pytest.raises(StepError) as caught:
        call("anthropic", streaming(protocol, without=protocol.tail))
    assert (caught.value.retryable, caught.value.details) == (True, {"reason": "connection"})


@each
@both
@pytest.mark.parametrize(("status", "reason"), [(429, "rate_limit"), (401, "auth"), (404, "unknown_model"), (503, "overloaded")])
def test_a_refusal(provider: str, streamed: bool, status: int, reason: str) -> None:
    with pytest.raises(StepError, match="sorry") as caught:
        call(provider, refuse(status, "sorry, sk-secret", retry_after="9"), streamed=streamed)
    assert caught.value.details == {"reason": reason, "status": status, "retry_after_s": 9}
    assert caught.value.retryable is (status in (429, 503))
    assert caught.value.retry_after_s == 9
    assert "sk-secret" not in caught.value.message
