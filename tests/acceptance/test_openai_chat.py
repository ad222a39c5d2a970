"""OpenAI's Python SDK drives Runwell by chat completions: each call is a run."""

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from tests.acceptance.openai_clients import HI, MODEL, World, with_world

from runwell.testing.scripted_replies import broken, call_tool, call_tools, chunks, hang, json_object, say

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a place.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    },
}


class Label(BaseModel):
    label: str
    score: float


LABEL: Any = {"type": "json_schema", "json_schema": {"name": "label", "strict": True, "schema": Label.model_json_schema()}}


def test_a_call_is_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            raw = await client.chat.completions.with_raw_response.create(
                model=MODEL,
                messages=[{"role": "developer", "content": "Be brief."}, *HI],
                temperature=0.2,
                max_completion_tokens=50,
                metadata={"customer": "c-1"},
                user="ann",
            )
        answer = raw.parse()
        assert answer.choices[0].message.content == "Hello there"
        assert answer.choices[0].finish_reason == "stop"
        assert answer.model == MODEL
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (10, 5, 15)
        assert answer.id == raw.headers["x-runwell-run-id"]
        sent = world.provider.requests[0]
        assert sent.json["model"] == "gpt-4o-mini"
        assert [message["content"] for message in sent.json["messages"]] == ["Be brief.", "Hi"]
        assert sent.json["temperature"] == 0.2
        assert 50 in (sent.json.get("max_completion_tokens"), sent.json.get("max_tokens"))
        assert not sent.json.keys() & {"user", "metadata"}
        run = await world.get(f"/v1/runs/{answer.id}")
        assert (run["status"], run["output"], run["trigger"]) == ("succeeded", "Hello there", "openai")
        assert run["metadata"] == {"customer": "c-1", "user": "ann"}
        assert run["workflow"]["slug"] == "chat-completions"
        [call] = (await world.get(f"/v1/runs/{answer.id}/generations"))["data"]
        assert call["response"] == "Hello there"
        whole = await world.get(f"/v1/runs/{answer.id}/generations/{call['seq']}")
        assert whole["raw_request"]["text"].encode() == sent.body

    with_world(tmp_path, monkeypatch, [say("Hello there")], test)


def test_all_calls_are_runs_of_one_workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            await asyncio.gather(*(client.chat.completions.create(model=f"local:model-{i}", messages=HI) for i in range(20)))
        assert [flow["slug"] for flow in (await world.get("/v1/workflows"))["data"]] == ["chat-completions"]
        assert len((await world.get("/v1/workflows/chat-completions/runs"))["data"]) == 20
        assert (await world.get("/v1/workflows/chat-completions"))["latest_version"] == 1

    with_world(tmp_path, monkeypatch, say("Hello"), test)


def test_text_is_streamed_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            stream = await client.chat.completions.create(
                model=MODEL, messages=HI, stream=True, stream_options={"include_usage": True}, metadata={"a": "b"}
            )
            run_id = stream.response.headers["x-runwell-run-id"]
            pieces = [piece async for piece in stream]
        assert {piece.id for piece in pieces} == {run_id}
        assert pieces[0].choices[0].delta.role == "assistant"
        texts = [piece.choices[0].delta.content or "" for piece in pieces if piece.choices]
        assert "".join(texts) == "One two three four"
        assert pieces[-2].choices[0].finish_reason == "stop"
        assert [piece.usage is not None for piece in pieces] == [False] * (len(pieces) - 1) + [True]
        assert pieces[-1].choices == []
        assert pieces[-1].usage is not None
        assert pieces[-1].usage.total_tokens == 15
        run = await world.get(f"/v1/runs/{run_id}")
        assert (run["status"], run["output"], run["metadata"]) == ("succeeded", "One two three four", {"a": "b"})

    with_world(tmp_path, monkeypatch, [chunks(["One ", "two ", "three ", "four"])], test)


def test_the_first_text_does_not_wait_for_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            stream = await client.chat.completions.create(model=MODEL, messages=HI, stream=True)
            text = ""
            async with asyncio.timeout(10):
                async for piece in stream:
                    text += piece.choices[0].delta.content or ""
                    if text == "One two":
                        break
            assert (await world.get(f"/v1/runs/{piece.id}"))["status"] == "running"
            await stream.close()
            await world.provider.left()
            run = await world.ended(piece.id)
            assert (run["status"], run["error"]["code"]) == ("stopped", "RUN_STOPPED")

    with_world(tmp_path, monkeypatch, [broken("One two", "hang")], test)


def test_without_usage_asked_for_none_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            pieces = [piece async for piece in await client.chat.completions.create(model=MODEL, messages=HI, stream=True)]
        assert all(piece.usage is None and len(piece.choices) == 1 for piece in pieces)

    with_world(tmp_path, monkeypatch, [say("Hello")], test)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_tools_are_called_by_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            asked: dict[str, Any] = {"model": MODEL, "tools": [WEATHER], "tool_choice": "auto"}
            if streamed:
                async with client.chat.completions.stream(messages=HI, **asked) as stream:
                    first = (await stream.get_final_completion()).choices[0]
            else:
                first = (await client.chat.completions.create(messages=HI, **asked)).choices[0]
            assert first.finish_reason == "tool_calls"
            assert first.message.tool_calls is not None
            [call, other] = first.message.tool_calls
            assert call.type == other.type == "function"
            assert (call.id, call.function.name, json.loads(call.function.arguments)) == ("c1", "get_weather", {"place": "Bern"})
            assert (other.id, json.loads(other.function.arguments)) == ("c2", {"place": "Rome"})
            told: Any = first.message.model_dump(exclude_none=True)
            results: Any = [{"role": "tool", "tool_call_id": one.id, "content": f"sun in {one.id}"} for one in (call, other)]
            last = await client.chat.completions.create(messages=[*HI, told, *results], **asked)
        assert last.choices[0].message.content == "Sunny"
        offered = world.provider.requests[0].json["tools"][0]["function"]
        assert (offered["name"], offered["description"]) == ("get_weather", "The weather of a place.")
        assert offered["parameters"]["required"] == ["place"]
        messages = world.provider.requests[1].json["messages"]
        assert [message["role"] for message in messages] == ["user", "assistant", "tool", "tool"]
        assert [one["id"] for one in messages[1]["tool_calls"]] == ["c1", "c2"]
        assert messages[3] == {"role": "tool", "tool_call_id": "c2", "content": "sun in c2"}

    calls = [("c1", "get_weather", {"place": "Bern"}), ("c2", "get_weather", {"place": "Rome"})]
    with_world(tmp_path, monkeypatch, [call_tools(calls), say("Sunny")], test)


def test_a_tool_can_be_demanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            choice: Any = {"type": "function", "function": {"name": "get_weather"}}
            await client.chat.completions.create(model=MODEL, messages=HI, tools=[WEATHER], tool_choice=choice)
            await client.chat.completions.create(model=MODEL, messages=HI, tools=[WEATHER], tool_choice="required")
            other: Any = {"type": "function", "function": {"name": "other"}}
            with pytest.raises(openai.BadRequestError, match="none of the tools"):
                await client.chat.completions.create(model=MODEL, messages=HI, tools=[WEATHER], tool_choice=other)
        named, required = (request.json["tool_choice"] for request in world.provider.requests)
        assert named == choice or named == "required"
        assert required == "required"

    with_world(tmp_path, monkeypatch, call_tool("get_weather", {"place": "Bern"}), test)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_output_is_structured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            if streamed:
                async with client.chat.completions.stream(model=MODEL, messages=HI, response_format=Label) as stream:
                    answer = await stream.get_final_completion()
            else:
                answer = await client.chat.completions.parse(model=MODEL, messages=HI, response_format=Label)
        assert answer.choices[0].message.parsed == Label(label="spam", score=0.5)
        assert (await world.get(f"/v1/runs/{answer.id}"))["output"] == {"label": "spam", "score": 0.5}
        assert world.provider.requests[0].json["response_format"]["json_schema"]["schema"]["required"] == ["label", "score"]

    with_world(tmp_path, monkeypatch, [json_object({"label": "spam", "score": 0.5})], test)


def test_an_answer_that_breaks_its_schema_is_sent_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            answer = await client.chat.completions.create(model=MODEL, messages=HI, response_format=LABEL)
            assert json.loads(answer.choices[0].message.content or "") == {"label": "spam", "score": 1.0}
            assert answer.usage is not None
            assert answer.usage.total_tokens == 30, "of both calls"
            with pytest.raises(openai.InternalServerError, match="output_schema") as failed:
                await client.chat.completions.create(model=MODEL, messages=HI, response_format=LABEL)
        assert failed.value.code == "llm_invalid_output"
        run = await world.get(f"/v1/runs/{failed.value.response.headers['x-runwell-run-id']}")
        assert run["error"]["details"]["raw"] == "no JSON"
        assert len(world.provider.requests) == 5

    with_world(tmp_path, monkeypatch, [say("no JSON"), json_object({"label": "spam", "score": 1.0}), *[say("no JSON")] * 3], test)


def test_a_stream_that_breaks_its_schema_ends_in_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            stream = await client.chat.completions.create(model=MODEL, messages=HI, response_format=LABEL, stream=True)
            with pytest.raises(openai.APIError, match="output_schema"):
                [piece async for piece in stream]
        assert len(world.provider.requests) == 1, "what was said cannot be taken back"

    with_world(tmp_path, monkeypatch, [say("no JSON")], test)


def test_an_answer_that_is_cut_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            answer = await client.chat.completions.create(model=MODEL, messages=HI, response_format=LABEL)
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ('{"label": "sp', "length")

    with_world(tmp_path, monkeypatch, [say('{"label": "sp', finish_reason="length")], test)


def test_files_are_sent_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
            content: Any = [{"type": "text", "text": "What is this?"}, image]
            await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])
            content[1] = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
            with pytest.raises(openai.BadRequestError, match="no data URL") as refused:
                await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])
            assert refused.value.param == "messages.0.content.1"
        [sent] = world.provider.requests
        assert sent.json["messages"][0]["content"][1]["image_url"]["url"] == "data:image/png;base64,aGk="

    with_world(tmp_path, monkeypatch, [say("A cat")], test)


def test_an_idempotency_key_answers_again_without_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            again = {"Idempotency-Key": "one"}
            answers = [await client.chat.completions.create(model=MODEL, messages=HI, extra_headers=again) for _ in range(2)]
            assert answers[0] == answers[1]
            assert len(world.provider.requests) == 1
            again = {"Idempotency-Key": "two"}
            for _ in range(2):  # what was streamed is not kept
                stream = await client.chat.completions.create(model=MODEL, messages=HI, extra_headers=again, stream=True)
                assert "".join([piece.choices[0].delta.content or "" async for piece in stream]) == "Hello"

    with_world(tmp_path, monkeypatch, say("Hello"), test)


def test_tenants_are_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as mine, world.client(world.neighbour) as theirs:
            one = await mine.chat.completions.create(model=MODEL, messages=HI)
            other = await theirs.chat.completions.create(model=MODEL, messages=HI)
        async with world.http() as mine_http, world.http(world.neighbour) as their_http:
            for client, foreign in ((mine_http, other.id), (their_http, one.id)):
                assert (await client.get(f"/v1/runs/{foreign}")).status_code == 404
        flows = [(await world.get("/v1/workflows/chat-completions", key))["id"] for key in (world.key, world.neighbour)]
        assert flows[0] != flows[1]

    with_world(tmp_path, monkeypatch, say("Hello"), test)


def test_another_workflow_of_that_name_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        document = {"name": "Mine", "steps": [{"id": "a", "type": "transform", "value": 1}]}
        async with world.http() as http:
            made = await http.post("/v1/workflows", json={"slug": "chat-completions", "document": document})
            assert made.is_success, made.text
            async with world.client() as client:
                with pytest.raises(openai.ConflictError, match="another slug"):
                    await client.chat.completions.create(model=MODEL, messages=HI)
                assert (await http.post("/v1/workflows/chat-completions/versions", json={})).is_success
                with pytest.raises(openai.ConflictError, match="another slug"):
                    await client.chat.completions.create(model=MODEL, messages=HI)
                assert (await http.patch("/v1/workflows/chat-completions", json={"slug": "mine"}, headers={"If-Match": "*"})).is_success
                assert (await client.chat.completions.create(model=MODEL, messages=HI)).choices[0].message.content == "Hello"
            assert (await world.get("/v1/workflows/mine"))["latest_version"] == 1

    with_world(tmp_path, monkeypatch, say("Hello"), test)


def test_the_workflow_may_be_archived_or_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client, world.http() as http:
            first = await client.chat.completions.create(model=MODEL, messages=HI)
            assert (await http.post("/v1/workflows/chat-completions/archive")).is_success
            with pytest.raises(openai.ConflictError, match="archive"):
                await client.chat.completions.create(model=MODEL, messages=HI)
            assert (await http.delete("/v1/workflows/chat-completions")).is_success
            assert (await http.get(f"/v1/runs/{first.id}")).status_code == 404
            again = await client.chat.completions.create(model=MODEL, messages=HI)
            assert (await world.get(f"/v1/runs/{again.id}"))["output"] == "Hello"

    with_world(tmp_path, monkeypatch, say("Hello"), test)


def test_what_must_not_be_kept_is_neither_sent_nor_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        rules = {"paths": [], "kinds": ["email"], "patterns": []}
        assert (await world.admin.put("/v1/settings/redaction", json=rules, headers={"If-Match": "*"})).is_success
        messages: Any = [{"role": "user", "content": "I am ann@example.com"}]
        async with world.client() as client:
            stream = await client.chat.completions.create(model=MODEL, messages=messages, stream=True)
            pieces = [piece async for piece in stream]
        said = [piece.choices[0].delta.content for piece in pieces if piece.choices[0].delta.content]
        assert said == ["Hello [redacted:email]"]
        assert b"ann@example.com" not in world.provider.requests[0].body
        exported = json.dumps(await world.get(f"/v1/runs/{pieces[0].id}/export"))
        assert "example.com" not in exported

    with_world(tmp_path, monkeypatch, [chunks(["Hello bob@", "example.com"])], test)


def test_models_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            names = {model.id async for model in client.models.list()}
            assert {"demo:large", "openai:gpt-5-mini"} <= names
            assert "openai:text-embedding-3-small" not in names
            assert not any(name.startswith(("anthropic:", "local:")) for name in names)
            assert (await client.models.retrieve("local:anything/at-all")).owned_by == "local"
            with pytest.raises(openai.NotFoundError):
                await client.models.retrieve("nobody:gpt")

    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with_world(tmp_path, monkeypatch, [], test)


def test_a_limit_of_the_project_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        limits = {"max_running": 1, "max_queued": 1}
        assert (await world.admin.put("/v1/settings/limits", json=limits, headers={"If-Match": "*"})).is_success
        async with world.client() as client:
            tasks = [asyncio.create_task(client.chat.completions.create(model=MODEL, messages=HI)) for _ in range(2)]
            await world.provider.asked()
            async with asyncio.timeout(10):
                while len((await world.get("/v1/runs"))["data"]) < 2:  # noqa: ASYNC110 - callers have no events
                    await asyncio.sleep(0.01)
            with pytest.raises(openai.RateLimitError) as full:
                await client.chat.completions.create(model=MODEL, messages=HI)
            assert full.value.response.headers["retry-after"] == "1"
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    with_world(tmp_path, monkeypatch, hang(), test)
