"""Tools, thoughts, files and raw bodies over every wire format, against a real HTTP server."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.wire_formats import WIRE_FORMATS, WireFormat

from runwell.adapters.models.router import ModelRouter
from runwell.adapters.models.sources import ModelSources
from runwell.model.errors import StepError
from runwell.model.raw_body import RAW_LIMIT, WITHHELD
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.models import File, Message, ModelAnswer, ModelCallFailed, ModelRequest, Text, ToolOffer
from runwell.testing import ScriptedServer
from runwell.testing.scripted_replies import broken, chunks, hang, raw, refuse
from runwell.testing.scripted_server import Reply, Wire

KEY = "sk-very-secret-key"
SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"], "additionalProperties": False}
TOOLS = (
    ToolOffer(name="mcp:github/search", description="Find", input_schema=SCHEMA),
    ToolOffer(name="mcp_github_search", description="Another", input_schema=SCHEMA),
)
HI = Message(role="user", content="Hi")
PIXEL = "data:image/png;base64," + base64.b64encode(b"\x89PNG not really").decode()

each = pytest.mark.parametrize("format_", WIRE_FORMATS.values(), ids=WIRE_FORMATS.keys())
both = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])

Ask = Callable[..., Awaitable[ModelAnswer]]


def asking(format_: WireFormat, replies: list[Reply], test: Callable[[Ask, ScriptedServer], Awaitable[None]]) -> None:
    async def run() -> None:
        async with ScriptedServer(replies) as server:
            address = server.base_url.removesuffix("/v1") + format_.path
            settings = {"PROVIDER": format_.provider, "BASE_URL": address, "API_KEY": KEY}
            models = ModelRouter(ModelSources({f"RUNWELL_CONNECTION_X_{name}": value for name, value in settings.items()}))

            async def ask(*messages: Message, streamed: bool = False, **fields: Any) -> ModelAnswer:
                request = ModelRequest(scope=DEFAULT_SCOPE, model=f"x:{format_.model}", messages=messages or (HI,), **fields)
                return await models.generate(request, on_delta=(lambda text: None) if streamed else None)

            try:
                await test(ask, server)
            finally:
                await models.aclose()

    asyncio.run(run())


@each
@both
def test_a_tool_is_offered_called_and_answered(format_: WireFormat, streamed: bool) -> None:
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("call_1", "mcp_github_search", {"query": "bug"}),
        ("call_2", "mcp_github_search", {"query": "crash"}),
    ]

    async def test(ask: Ask, server: ScriptedServer) -> None:
        answer = await ask(streamed=streamed, tools=TOOLS)
        offered = format_.tools(server.requests[0].json)
        assert [tool["description"] for tool in offered] == ["Find", "Another"]
        assert offered[0]["name"] == "mcp_github_search" != offered[1]["name"]
        assert offered[0]["schema"]["properties"]["query"]["type"] == "string"
        assert [(call.name, call.args) for call in answer.tool_calls] == [
            ("mcp:github/search", {"query": "bug"}),
            ("mcp:github/search", {"query": "crash"}),
        ]
        assert answer.text == "Let me look."
        assert len({call.id for call in answer.tool_calls}) == 2
        results = [Message(role="tool", content=f"{call.args['query']}: none", tool_call_id=call.id) for call in answer.tool_calls]
        last = await ask(HI, answer.as_message(), *results, streamed=streamed, tools=TOOLS)
        assert (last.text, last.tool_calls) == ("There is none.", ())
        told = json.dumps(server.requests[1].json)
        for word in ("mcp_github_search", "Let me look.", "bug: none", "crash: none"):
            assert word in told

    asking(format_, [format_.say("Let me look.", calls, None), format_.say("There is none.", [], None)], test)


@pytest.mark.parametrize("name", ["anthropic", "google", "openai-responses"])
@both
def test_a_thought_is_told_and_goes_back_to_who_thought_it(name: str, streamed: bool) -> None:
    format_ = WIRE_FORMATS[name]

    async def test(ask: Ask, server: ScriptedServer) -> None:
        answer = await ask(streamed=streamed, tools=TOOLS)
        assert answer.thought == "The user greets me."
        [call] = answer.tool_calls
        params = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000} if name == "anthropic" else {}
        await ask(HI, answer.as_message(), Message(role="tool", content="none", tool_call_id=call.id), tools=TOOLS, params=params)
        told = json.dumps(server.requests[1].json)
        assert "c2ln" in told, "without what it signed or sealed, a provider does not know its own thought"

    said = format_.say("", [("call_1", "mcp_github_search", {"query": "bug"})], "The user greets me.")
    asking(format_, [said, format_.say("None.", [], None)], test)


@each
def test_which_tool_must_be_called(format_: WireFormat) -> None:
    async def test(ask: Ask, server: ScriptedServer) -> None:
        for choice in ("required", "none", "mcp:github/search"):
            await ask(tools=TOOLS, tool_choice=choice)
        required, none, one = (json.dumps(request.json) for request in server.requests)
        assert any(word in required for word in ('"required"', '"any"', '"ANY"'))
        assert '"none"' in none or '"NONE"' in none or '"tools"' not in none
        assert "mcp_github_search" in one
        with pytest.raises(StepError, match="none of the tools offered"):
            await ask(tools=TOOLS, tool_choice="other")

    asking(format_, [format_.say("Well.", [], None)] * 3, test)


@each
@both
def test_the_raw_bodies_are_what_the_server_saw_and_wrote(format_: WireFormat, streamed: bool) -> None:
    written: list[bytes] = []

    def reply(request: Any) -> Any:
        wire = format_.say("Hello to you", [], None)(request)
        written.append(b"".join(wire.pieces).partition(b"\r\n\r\n")[2])
        return wire

    async def test(ask: Ask, server: ScriptedServer) -> None:
        answer = await ask(streamed=streamed)
        assert answer.raw_request is not None
        assert answer.raw_response is not None
        assert answer.raw_request.text.encode() == server.requests[0].body
        assert answer.raw_request.bytes == len(server.requests[0].body)
        assert str(answer.raw_request.url).endswith(server.requests[0].target.partition("?")[0])
        assert _unchunked(written[0]) == answer.raw_response.text.encode()
        assert (answer.raw_response.status, answer.raw_response.truncated, answer.raw_response.cut) == (200, False, False)

    asking(format_, [reply], test)


def _unchunked(body: bytes) -> bytes:
    """Return the body without the marks of chunked encoding, if it has them."""
    if body.startswith((b"{", b"data:", b"event:")):
        return body
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    return whole


@both
def test_a_refusal_is_kept_raw_without_the_key(streamed: bool) -> None:
    async def test(ask: Ask, server: ScriptedServer) -> None:
        with pytest.raises(ModelCallFailed) as caught:
            await ask(streamed=streamed)
        call = caught.value.call
        assert call is not None
        assert call.raw_response is not None
        assert call.raw_request is not None
        assert (call.provider, call.key, call.raw_response.status) == ("x", "own", 401)
        assert json.loads(call.raw_response.text)["error"]["message"] == "*** is no key"
        assert call.latency_ms > 0

    asking(WIRE_FORMATS["openai-chat"], [refuse(401, f"{KEY} is no key")], test)


@pytest.mark.parametrize("cut", [False, True])
def test_a_key_that_is_streamed_back_in_pieces_is_not_kept(cut: bool) -> None:
    async def test(ask: Ask, server: ScriptedServer) -> None:
        if cut:
            with pytest.raises(ModelCallFailed) as caught:
                await ask(streamed=True)
            assert caught.value.call is not None
            received = caught.value.call.raw_response
        else:
            received = (await ask(streamed=True)).raw_response
        assert received is not None
        assert received.text == WITHHELD
        assert received.truncated

    pieces = [KEY[:7], KEY[7:], " is yours"]
    whole = chunks(pieces)

    def broken_off(request: Any) -> Any:
        wire = whole(request)
        return Wire(wire.pieces[:5], "close")

    asking(WIRE_FORMATS["openai-chat"], [broken_off if cut else whole], test)


def test_of_a_cut_stream_is_kept_what_came() -> None:
    async def test(ask: Ask, server: ScriptedServer) -> None:
        with pytest.raises(ModelCallFailed) as caught:
            await ask(streamed=True)
        assert caught.value.call is not None
        received = caught.value.call.raw_response
        assert received is not None
        assert received.cut
        assert "Once " in received.text
        assert "upon" in received.text

    asking(WIRE_FORMATS["openai-chat"], [broken("Once upon")], test)


def test_a_long_body_is_cut_and_says_so() -> None:
    text = "ä" * RAW_LIMIT

    async def test(ask: Ask, server: ScriptedServer) -> None:
        answer = await ask(Message(role="user", content=text))
        assert answer.raw_request is not None
        assert answer.raw_response is not None
        assert answer.raw_request.truncated
        assert answer.raw_request.bytes == len(server.requests[0].body) > RAW_LIMIT
        assert RAW_LIMIT - 100 < len(answer.raw_request.text.encode()) <= RAW_LIMIT
        assert not answer.raw_response.truncated

    asking(WIRE_FORMATS["openai-chat"], [WIRE_FORMATS["openai-chat"].say("Hi", [], None)], test)


@each
def test_a_compressed_answer_is_kept_plain(format_: WireFormat) -> None:
    import gzip

    def reply(request: Any) -> Any:
        assert "gzip" in request.headers["accept-encoding"]
        plain = b"".join(format_.say("Hello", [], None)(request).pieces).partition(b"\r\n\r\n")[2]
        kind = "text/event-stream" if not plain.startswith(b"{") else "application/json"
        return raw(gzip.compress(plain), content_type=kind, content_encoding="gzip")(request)

    async def test(ask: Ask, server: ScriptedServer) -> None:
        answer = await ask()
        assert answer.text == "Hello"
        assert answer.raw_response is not None
        assert "Hello" in answer.raw_response.text

    asking(format_, [reply], test)


@each
def test_a_file_goes_along(format_: WireFormat) -> None:
    async def test(ask: Ask, server: ScriptedServer) -> None:
        await ask(Message(role="user", content=(Text(text="What is this?"), File(url=PIXEL, media_type="image/png"))))
        told = json.dumps(server.requests[0].json)
        assert PIXEL.partition(",")[2] in told
        assert "image/png" in told
        for url in ("https://example.com/x.png", "data:image/png;base64,***"):
            with pytest.raises(StepError) as caught:
                await ask(Message(role="user", content=(File(url=url, media_type="image/png"),)))
            assert (caught.value.details or {})["reason"] == "bad_request"

    asking(format_, [format_.say("A pixel.", [], None)], test)


def test_a_call_that_takes_too_long_fails_and_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with ScriptedServer([hang()]) as server:
            settings = {"BASE_URL": server.base_url, "API_KEY": KEY, "TIMEOUT_S": "0.3"}
            models = ModelRouter(ModelSources({f"RUNWELL_CONNECTION_X_{name}": value for name, value in settings.items()}))
            with pytest.raises(ModelCallFailed) as caught:
                await models.generate(ModelRequest(scope=DEFAULT_SCOPE, model="x:m", messages=(HI,)))
            assert (caught.value.retryable, caught.value.details) == (True, {"reason": "timeout"})
            assert caught.value.call is not None
            assert caught.value.call.raw_request is not None
            await server.left(patience_s=1)
            await models.aclose()

    asyncio.run(run())


PROVIDERS = {
    "groq": ("llama-3.3-70b-versatile", "/v1", "openai-chat", "/v1/chat/completions"),
    "mistral": ("mistral-large-latest", "", "openai-chat", "/v1/chat/completions"),
    "azure": ("gpt-5-mini", "/openai/v1", "openai-chat", "/openai/v1/chat/completions"),
    "ollama": ("llama3.2", "/v1", "openai-chat", "/v1/chat/completions"),
    "bedrock": ("openai.gpt-5.5", "", "openai-responses", "/openai/v1/responses"),
}


@pytest.mark.parametrize("provider", PROVIDERS)
@both
def test_the_other_providers(provider: str, streamed: bool) -> None:
    model, path, wire, target = PROVIDERS[provider]
    format_ = WIRE_FORMATS[wire]._replace(provider=provider, model=model, path=path)
    calls: list[tuple[str, str, dict[str, Any]]] = [("call00001", "mcp_github_search", {"query": "bug"})]

    async def test(ask: Ask, server: ScriptedServer) -> None:
        answer = await ask(streamed=streamed, tools=TOOLS, params={"max_tokens": 9})
        [request] = server.requests
        assert (request.target, request.headers["authorization"]) == (target, f"Bearer {KEY}")
        assert "stream_options" not in request.json or provider != "mistral", "which refuses it"
        [call] = answer.tool_calls
        assert (call.name, call.args, answer.usage.input_tokens) == ("mcp:github/search", {"query": "bug"}, 10)
        assert answer.raw_request is not None
        assert answer.raw_request.text.encode() == request.body
        result = Message(role="tool", content="none", tool_call_id=call.id)
        assert (await ask(HI, answer.as_message(), result, streamed=streamed, tools=TOOLS)).text == "There is none."

    asking(format_, [format_.say("", calls, None), format_.say("There is none.", [], None)], test)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (refuse(429, "slow down", retry_after="7"), "rate_limit"),
        (refuse(401, "no"), "auth"),
        (refuse(503, "busy"), "overloaded"),
        (broken("Once upon"), "connection"),
        (raw(b'{"id": "x", "cho'), "invalid_response"),
    ],
    ids=["429", "401", "503", "cut", "garbage"],
)
def test_how_the_other_providers_fail(provider: str, reply: Reply, reason: str) -> None:
    model, path, wire, _ = PROVIDERS[provider]
    format_ = WIRE_FORMATS[wire]._replace(provider=provider, model=model, path=path)

    async def test(ask: Ask, server: ScriptedServer) -> None:
        with pytest.raises(ModelCallFailed) as caught:
            await ask()
        assert len(server.requests) == 1, "the engine retries, not the library"
        assert (caught.value.details or {})["reason"] == reason
        assert caught.value.retry_after_s == (7.0 if reason == "rate_limit" else None)
        assert KEY not in str(caught.value)

    asking(format_, [reply], test)
