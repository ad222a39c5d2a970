"""Calls to a real HTTP server: what goes over the wire, what comes back, and how it fails."""

import asyncio
import subprocess
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeVar

import pytest
from genai_prices import calc_price
from genai_prices.types import Usage as PricedUsage
from tests.step_context import FakeContext

from runwell.adapters.models import connections
from runwell.adapters.models.router import ModelRouter
from runwell.adapters.models.sources import ModelSources
from runwell.model.errors import StepError
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.usage import Usage
from runwell.ports.models import Message, ModelAnswer, ModelRequest
from runwell.steps.llm import LlmStep, ask
from runwell.testing import ScriptedServer, memory_app
from runwell.testing.scripted_replies import broken, call_tool, chunks, hang, invalid_json, json_object, raw, refuse, say
from runwell.testing.scripted_server import Reply

T = TypeVar("T")

KEY = "sk-very-secret-1"
LABEL = {"type": "object", "required": ["label"], "properties": {"label": {"enum": ["spam", "ham"]}}}


class Call:
    """A router with one connection, `local`, to a scripted server."""

    def __init__(self, server: ScriptedServer, models: ModelRouter) -> None:
        self.server = server
        self.models = models
        self.deltas: list[str] = []
        self.shown = asyncio.Event()

    async def __call__(self, *, streamed: bool = False, model: str = "local:m", **fields: Any) -> ModelAnswer:
        said = (Message(role="system", content="Be brief"), Message(role="user", content="Hi"))
        request = ModelRequest(scope=DEFAULT_SCOPE, model=model, messages=said, **fields)
        return await self.models.generate(request, on_delta=self._show if streamed else None)

    def _show(self, text: str) -> None:
        self.deltas.append(text)
        self.shown.set()


def calling(replies: Iterable[Reply], test: Callable[[Call], Awaitable[T]], **environ: str) -> T:
    async def run() -> T:
        async with ScriptedServer(replies) as server:
            settings = {"RUNWELL_CONNECTION_LOCAL_BASE_URL": server.base_url, "RUNWELL_CONNECTION_LOCAL_API_KEY": KEY, **environ}
            models = ModelRouter(ModelSources(settings))
            try:
                return await test(Call(server, models))
            finally:
                await models.aclose()

    return asyncio.run(run())


def failure(reply: Reply, **fields: Any) -> StepError:
    """Return the error of the one request that the reply gets; the key is nowhere in it."""

    async def fail(call: Call) -> StepError:
        with pytest.raises(StepError) as caught:
            await call(**fields)
        assert len(call.server.requests) == 1, "the engine retries, not the library"
        assert KEY not in "".join(traceback.format_exception(caught.value))
        return caught.value

    return calling([reply], fail)


both = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


def test_plain() -> None:
    used = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 80},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }

    async def plain(call: Call) -> None:
        answer = await call(params={"temperature": 0.5, "max_tokens": 9, "top_k": 3})
        assert answer.text == "Hello to you"
        assert (answer.provider, answer.model, answer.response_model, answer.finish_reason) == ("local", "m", "m", "stop")
        assert answer.usage == Usage(input_tokens=100, cached_tokens=80, output_tokens=50, reasoning_tokens=30, generations=1)
        assert answer.latency_ms > 0
        assert answer.first_token_ms is None
        [request] = call.server.requests
        assert (request.method, request.target, request.headers["authorization"]) == ("POST", "/v1/chat/completions", f"Bearer {KEY}")
        assert request.json == {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}],
            "stream": False,
            "temperature": 0.5,
            "max_tokens": 9,
            "top_k": 3,
        }

    calling([say("Hello to you", usage=used)], plain)


def test_streamed() -> None:
    async def stream(call: Call) -> None:
        answer = await call(streamed=True)
        assert call.deltas == ["Hel", "lo ", "you"]
        assert answer.text == "Hello you"
        assert answer.usage == Usage(input_tokens=10, output_tokens=5, generations=1)
        assert answer.first_token_ms is not None
        assert 0 < answer.first_token_ms <= answer.latency_ms
        assert answer.finish_reason == "stop"

    calling([chunks(["Hel", "lo ", "you"])], stream)


@both
def test_structured(streamed: bool) -> None:
    async def structured(call: Call) -> None:
        answer = await call(streamed=streamed, output_schema=LABEL)
        assert answer.text == '{"label": "spam"}'
        sent = call.server.requests[0].json
        assert sent["response_format"]["type"] == "json_schema"
        assert sent["response_format"]["json_schema"]["schema"]["required"] == ["label"]
        assert "JSON Schema" in sent["messages"][0]["content"], "a foreign server may know no response_format"

    calling([json_object({"label": "spam"})], structured)


def test_a_schema_that_is_no_object_is_asked_for_in_words() -> None:
    async def structured(call: Call) -> None:
        answer = await call(output_schema={"type": "array", "items": {"type": "integer"}})
        assert answer.text == "[1, 2]"
        assert "response_format" not in call.server.requests[0].json

    calling([json_object([1, 2])], structured)


def test_a_server_that_knows_no_schemas_is_asked_in_words_from_then_on() -> None:
    async def structured(call: Call) -> None:
        for _ in range(2):
            assert (await call(output_schema=LABEL)).text == '{"label": "ham"}'
        assert ["response_format" in request.json for request in call.server.requests] == [True, False, False]

    refused = refuse(400, "This response_format type is unavailable now", kind="invalid_request_error")
    calling([refused, json_object({"label": "ham"}), json_object({"label": "ham"})], structured)


def test_repair() -> None:
    async def repair(call: Call) -> None:
        spec = LlmStep.model_validate({"id": "ask", "type": "llm", "model": "local:m", "prompt": "Hi", "output_schema": LABEL})
        context = FakeContext(spec, {"model": "local:m", "prompt": "Hi"}, models=call.models)
        assert await ask(context) == {"label": "ham"}
        repeated = call.server.requests[1].json["messages"]
        assert repeated[-2] == {"role": "assistant", "content": "Surely ham"}
        assert "not JSON" in repeated[-1]["content"]

    calling([say("Surely ham"), json_object({"label": "ham"})], repair)


@both
def test_a_rate_limit_says_when_to_come_again(streamed: bool) -> None:
    error = failure(refuse(429, "slow down", code="rate_limit_exceeded", retry_after="7"), streamed=streamed)
    assert error.retryable
    assert error.retry_after_s == 7.0
    assert error.details == {"reason": "rate_limit", "status": 429, "retry_after_s": 7.0}


def test_a_rate_limit_may_name_a_moment() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    error = failure(refuse(429, "slow down", retry_after=moment))
    assert error.retry_after_s is not None
    assert 50 < error.retry_after_s <= 60


@both
def test_a_spent_quota_is_not_waited_for(streamed: bool) -> None:
    error = failure(refuse(429, "You exceeded your current quota", code="insufficient_quota"), streamed=streamed)
    assert (error.retryable, error.details) == (False, {"reason": "rate_limit", "status": 429})


@both
@pytest.mark.parametrize("status", [500, 502, 503, 529])
def test_a_server_in_trouble(status: int, streamed: bool) -> None:
    error = failure(refuse(status), streamed=streamed)
    assert (error.retryable, error.details) == (True, {"reason": "overloaded", "status": status})


@both
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (refuse(401, f"Incorrect API key provided: {KEY}", code="invalid_api_key"), "auth"),
        (refuse(403, f"{KEY} may not do this"), "auth"),
        (refuse(404, "no such model", code="model_not_found"), "unknown_model"),
        (refuse(400, "too long", code="context_length_exceeded"), "context_length"),
        (refuse(400, "no", code="content_filter"), "content_filter"),
        (refuse(400, f"bad {KEY}"), "bad_request"),
        (raw(b"<html>" + KEY.encode(), status=418, content_type="text/html"), "bad_request"),
    ],
)
def test_what_no_other_attempt_mends(reply: Reply, reason: str, streamed: bool) -> None:
    error = failure(reply, streamed=streamed)
    assert error.details is not None
    assert (error.retryable, error.details["reason"]) == (False, reason)


@both
def test_a_filtered_answer_is_none(streamed: bool) -> None:
    error = failure(say("I will", finish_reason="content_filter"), streamed=streamed)
    assert (error.retryable, error.details) == (False, {"reason": "content_filter"})


@pytest.mark.parametrize("end", ["cut", "end"])
@both
def test_a_broken_answer_is_no_short_one(end: Any, streamed: bool) -> None:
    error = failure(broken("Once upon a", end), streamed=streamed)
    assert (error.retryable, error.details) == (True, {"reason": "connection"})


def test_what_came_before_a_break_was_shown() -> None:
    async def cut(call: Call) -> None:
        with pytest.raises(StepError):
            await call(streamed=True)
        assert call.deltas == ["Once ", "upon"]

    calling([broken("Once upon")], cut)


@pytest.mark.parametrize("reply", [invalid_json(), raw(b"fine", content_type="text/plain"), raw(b"{}"), raw(b"")])
@both
def test_a_body_that_is_no_answer(reply: Reply, streamed: bool) -> None:
    error = failure(reply, streamed=streamed)
    assert (error.retryable, error.details) == (True, {"reason": "invalid_response"})


def test_an_error_within_a_stream() -> None:
    event = b'data: {"error": {"message": "slow down", "type": "x", "code": "rate_limit_exceeded"}}\n\n'
    error = failure(raw(event, content_type="text/event-stream"), streamed=True)
    assert error.retryable
    assert error.details is not None
    assert error.details["reason"] == "rate_limit"


def test_nobody_listens() -> None:
    async def call_in_vain(call: Call) -> None:
        with pytest.raises(StepError) as caught:
            await call(model="away:m")
        assert (caught.value.retryable, caught.value.details) == (True, {"reason": "connection"})

    calling([], call_in_vain, RUNWELL_CONNECTION_AWAY_BASE_URL="http://127.0.0.1:9/v1")


@both
def test_cancelling_ends_the_request(streamed: bool) -> None:
    async def cancel(call: Call) -> None:
        task = asyncio.ensure_future(call(streamed=streamed))
        await call.server.asked()
        await cancelled(task, call.server)

    calling([hang()], cancel)


def test_cancelling_ends_a_stream() -> None:
    async def cancel(call: Call) -> None:
        task = asyncio.ensure_future(call(streamed=True))
        await asyncio.wait_for(call.shown.wait(), 5)
        await cancelled(task, call.server)
        assert call.deltas[0] == "Once "

    calling([broken("Once upon a", "hang")], cancel)


async def cancelled(task: "asyncio.Task[Any]", server: ScriptedServer) -> None:
    """Cancel the call; the server sees within a second that the client has gone."""
    task.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.left()


def test_a_tool_call_that_nobody_asked_for_is_an_empty_text() -> None:
    async def call_back(call: Call) -> None:
        assert (await call()).text == ""

    calling([call_tool("search", {"q": "x"})], call_back)


def test_what_the_environment_holds_for_a_vendor_stays_from_named_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, f"secret-{name}")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer secret-1\nX-Team: secret-2")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-api-key: secret-3\nAuthorization: secret-4")

    async def look(call: Call) -> None:
        for provider in ("openai", "anthropic", "google"):
            sources = ModelSources({"RUNWELL_CONNECTION_X_PROVIDER": provider, "RUNWELL_CONNECTION_X_BASE_URL": call.server.base_url})
            models = ModelRouter(sources)
            with pytest.raises(StepError):
                await models.generate(ModelRequest(scope=DEFAULT_SCOPE, model="x:m", messages=(Message(role="user", content="Hi"),)))
            await models.aclose()
        assert [request.target for request in call.server.requests] == [
            "/v1/chat/completions",
            "/v1/v1/messages",
            "/v1/v1beta/models/m:generateContent",
        ]
        assert "secret-" not in str([request.headers for request in call.server.requests])

    calling([refuse(400)] * 3, look)


@both
def test_the_cost_is_that_of_the_price_table(monkeypatch: pytest.MonkeyPatch, streamed: bool) -> None:
    used = {"prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200, "prompt_tokens_details": {"cached_tokens": 400}}

    async def priced(call: Call) -> None:
        own = connections.VENDOR_VARIABLES["openai"]._replace(address=call.server.base_url)
        monkeypatch.setitem(connections.VENDOR_VARIABLES, "openai", own)
        answer = await call(model="local:gpt-4o-mini", streamed=streamed)
        price = calc_price(PricedUsage(input_tokens=1_000, cache_read_tokens=400, output_tokens=200), "gpt-4o-mini", provider_id="openai")
        assert answer.usage.cost_nanos == round(price.total_price * 1_000_000_000) > 0

    calling([say("Hi", usage=used)], priced)


def test_a_foreign_address_has_no_price() -> None:
    async def unpriced(call: Call) -> None:
        assert (await call(model="local:gpt-4o-mini")).usage.cost_nanos == 0

    calling([say("Hi")], unpriced)


def test_a_demo_call_loads_no_vendor() -> None:
    code = """
import asyncio, sys
from runwell import bootstrap
from runwell.adapters.models.router import ModelRouter
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.models import Message, ModelRequest
request = ModelRequest(scope=DEFAULT_SCOPE, model="demo:x", messages=(Message(role="user", content="Hi"),))
assert asyncio.run(ModelRouter().generate(request)).text.startswith("[demo model]")
assert {"pydantic_ai", "openai", "anthropic", "genai_prices"}.isdisjoint(sys.modules), "a vendor was loaded"
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_run_waits_as_long_as_the_provider_says() -> None:
    document = {
        "name": "ask",
        "steps": [{"id": "ask", "type": "llm", "model": "local:m", "prompt": "Hi", "retry": {"max_attempts": 3}}],
        "output": "{{ steps.ask.result }}",
    }

    async def run(call: Call) -> None:
        async with memory_app(models=call.models) as app:
            run_id = await app.start(document)
            run = await app.run_to_end(run_id)
            assert (run.status, run.output) == ("succeeded", "Hello")
            events = await app.journal.read(run_id)
            kinds = [event.type for event in events]
            assert kinds.count("generation_completed") == 2
            refused, answered = (event.ts for event in events if event.type == "generation_completed")
            assert answered - refused >= 30_000
        assert len(call.server.requests) == 2

    calling([refuse(429, "slow down", retry_after="30"), say("Hello")], run)
