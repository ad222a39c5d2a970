"""What OpenAI's Python SDK makes of Runwell's refusals and failures, and what becomes of calls whose caller goes away."""

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.acceptance.openai_clients import HI, KEY, MODEL, World, with_world

from runwell.testing.scripted_replies import broken, hang, refuse, say

REFUSED: dict[str, tuple[dict[str, Any], str | None, str]] = {
    "more than one choice": ({"n": 2}, "n", "n is 2"),
    "log probabilities": ({"logprobs": True}, "logprobs", "log probabilities"),
    "sound": ({"modalities": ["text", "audio"]}, "modalities", "text"),
    "functions": ({"functions": [{"name": "f"}]}, "functions", "tools"),
    "no message": ({"messages": []}, "messages", "at least 1"),
    "a role that there is not": ({"messages": [{"role": "king", "content": "x"}]}, "messages.0.role", "system"),
    "a schema that is none": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "objekt"}}}},
        "response_format.json_schema.schema.type",
        "objekt",
    ),
    "a tool's schema that is none": (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": 7}}}]},
        "tools.0.function.parameters.type",
        "7",
    ),
    "a schema that is missing": ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema", "schema"),
    "text that JSON cannot carry": ({"messages": [{"role": "user", "content": "\ud800"}]}, "messages.0.content", "surrogates"),
}


def test_what_cannot_be_answered_is_refused_before_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.http() as client:
            for name, (more, param, words) in REFUSED.items():
                body = json.dumps({"model": MODEL, "messages": HI, **more})
                headers = {"content-type": "application/json"}
                response = await client.post("/v1/chat/completions", content=body, headers=headers)
                assert response.status_code == 400, (name, response.text)
                error = response.json()["error"]
                assert error["type"] == "invalid_request_error", name
                assert param is None or error["param"] == param, (name, error)
                assert words in error["message"], (name, error)
        assert world.provider.requests == []
        assert (await world.get("/v1/runs"))["data"] == []

    with_world(tmp_path, monkeypatch, [], test)


def test_errors_are_those_that_the_sdk_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async def fails(kind: type[openai.APIStatusError], key: str | None = None, model: str = MODEL) -> Any:
            async with world.client(key) as client:
                with pytest.raises(kind) as failed:
                    await client.chat.completions.create(model=model, messages=HI)
            return failed.value

        stranger = await fails(openai.AuthenticationError, "rw_unknown")
        assert stranger.type == "authentication_error"
        assert "www-authenticate" in stranger.response.headers
        reads = (await world.server.key(world.admin, "workflow:read"))["key"]
        assert (await fails(openai.PermissionDeniedError, reads)).type == "permission_error"
        for model in ("gpt-4o-mini", "nobody:gpt", "agent:nobody"):
            unknown = await fails(openai.NotFoundError, model=model)
            assert unknown.code == "model_not_found", model
        limited = await fails(openai.RateLimitError)
        assert (limited.code, limited.response.headers["retry-after"]) == ("rate_limit_exceeded", "7")
        long = await fails(openai.BadRequestError)
        assert long.code == "context_length_exceeded"
        refused = await fails(openai.InternalServerError)
        assert (refused.status_code, refused.code, refused.response.headers["x-should-retry"]) == (502, "provider_auth", "false")
        assert KEY not in str(refused)
        busy = await fails(openai.InternalServerError)
        assert (busy.status_code, busy.code) == (503, "overloaded")
        keyless = await fails(openai.BadRequestError, model="mistral:large")
        assert keyless.code == "missing_key"
        for error in (limited, long, refused, busy, keyless):
            run = await world.get(f"/v1/runs/{error.response.headers['x-runwell-run-id']}")
            assert run["status"] == "failed"

    for name in ("MISTRAL_API_KEY", "MISTRAL_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    replies = [
        refuse(429, retry_after="7"),
        refuse(400, "too long", code="context_length_exceeded"),
        refuse(401, f"wrong key {KEY}"),
        refuse(503),
    ]
    with_world(tmp_path, monkeypatch, replies, test)


def test_a_stream_that_fails_before_it_begins_has_its_own_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            with pytest.raises(openai.RateLimitError) as limited:
                await client.chat.completions.create(model=MODEL, messages=HI, stream=True)
            assert limited.value.response.headers["retry-after"] == "3"
            stream = await client.chat.completions.create(model=MODEL, messages=HI, stream=True)
            said = ""
            while said != "Half an":
                said += (await anext(stream)).choices[0].delta.content or ""
            with pytest.raises(openai.APIError, match="connection"):
                await anext(stream)

    with_world(tmp_path, monkeypatch, [refuse(429, retry_after="3"), broken("Half an")], test)


def test_the_sdk_tries_again_when_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client(max_retries=2) as client:
            answer = await client.chat.completions.create(model=MODEL, messages=HI)
        assert answer.choices[0].message.content == "Hello"
        statuses = [run["status"] for run in (await world.get("/v1/runs"))["data"]]
        assert sorted(statuses) == ["failed", "succeeded"]

    with_world(tmp_path, monkeypatch, [refuse(429, retry_after="0"), say("Hello")], test)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_who_hangs_up_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            calling = asyncio.create_task(client.chat.completions.create(model=MODEL, messages=HI, stream=streamed))
            await world.provider.asked()
            assert not calling.done()
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            await world.provider.left()
        run = await world.the_run()
        assert (run["status"], run["error"]["code"]) == ("stopped", "RUN_STOPPED")

    with_world(tmp_path, monkeypatch, [hang()], test)


def test_a_run_that_somebody_stops_answers_its_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client(max_retries=2) as client:
            calling = asyncio.create_task(client.chat.completions.create(model=MODEL, messages=HI))
            await world.provider.asked()
            [run] = (await world.get("/v1/runs"))["data"]
            async with world.http() as http:
                stop = {"command": "stop", "run_id": run["id"]}
                assert (await http.post("/v1/workflows/chat-completions/command", json=stop)).is_success
            with pytest.raises(openai.ConflictError) as stopped:
                await calling
        assert stopped.value.code == "run_stopped"
        assert len(world.provider.requests) == 1

    with_world(tmp_path, monkeypatch, [hang()], test)
