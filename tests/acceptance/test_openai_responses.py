"""OpenAI's Python SDK drives Runwell by responses."""

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from tests.acceptance.openai_clients import MODEL, World, with_world

from runwell.testing.scripted_replies import broken, call_tools, chunks, hang, json_object, refuse, say

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    "strict": True,
}
BEGINNING = ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"]
END = ["response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"]


class Label(BaseModel):
    label: str


def test_a_response_is_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            answer = await client.responses.create(
                model=MODEL,
                input="Hi",
                instructions="Be brief.",
                max_output_tokens=50,
                reasoning={"effort": "low"},
                metadata={"customer": "c-1"},
                user="ann",
                store=False,
            )
        assert (answer.status, answer.output_text, answer.model, answer.instructions) == ("completed", "Hello there", MODEL, "Be brief.")
        assert answer.usage is not None
        assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (10, 5, 15)
        sent = world.provider.requests[0].json
        assert [message["content"] for message in sent["messages"]] == ["Be brief.", "Hi"]
        assert sent["reasoning_effort"] == "low"
        assert 50 in (sent.get("max_completion_tokens"), sent.get("max_tokens"))
        assert not sent.keys() & {"user", "metadata", "store", "instructions", "reasoning"}
        run = await world.get(f"/v1/runs/{answer.id}")
        assert (run["output"], run["trigger"], run["metadata"]) == ("Hello there", "openai", {"customer": "c-1", "user": "ann"})

    with_world(tmp_path, monkeypatch, [say("Hello there")], test)


def test_text_is_streamed_in_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            events = [event async for event in await client.responses.create(model=MODEL, input="Hi", stream=True)]
        kinds = [event.type for event in events]
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert kinds == [*BEGINNING, *["response.output_text.delta"] * len(deltas), *END]
        assert "".join(deltas) == "One two three"
        assert [event.sequence_number for event in events] == list(range(len(events)))
        last: Any = events[-1]
        assert (last.response.status, last.response.output_text, last.response.usage.total_tokens) == ("completed", "One two three", 15)
        assert (await world.get(f"/v1/runs/{last.response.id}"))["output"] == "One two three"

    with_world(tmp_path, monkeypatch, [chunks(["One ", "two ", "three"])], test)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_functions_are_called_by_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            said: list[Any] = [{"role": "user", "content": [{"type": "input_text", "text": "How is the weather?"}]}]
            asked: dict[str, Any] = {"model": MODEL, "tools": [WEATHER]}
            if streamed:
                async with client.responses.stream(input=said, **asked) as stream:
                    first = await stream.get_final_response()
            else:
                first = await client.responses.create(input=said, **asked)
            calls = [item for item in first.output if item.type == "function_call"]
            assert [(call.call_id, call.name, json.loads(call.arguments)) for call in calls] == [
                ("c1", "get_weather", {"place": "Bern"}),
                ("c2", "get_weather", {"place": "Rome"}),
            ]
            assert first.output_text == "Let me look"
            said += [item.model_dump(exclude_none=True) for item in first.output]
            said += [{"type": "function_call_output", "call_id": call.call_id, "output": f"sun in {call.call_id}"} for call in calls]
            last = await client.responses.create(input=said, **asked)
        assert last.output_text == "Sunny"
        messages = world.provider.requests[1].json["messages"]
        assert [message["role"] for message in messages] == ["user", "assistant", "tool", "tool"]
        assert messages[1]["content"] == "Let me look"
        assert [call["id"] for call in messages[1]["tool_calls"]] == ["c1", "c2"]
        assert messages[2] == {"role": "tool", "tool_call_id": "c1", "content": "sun in c1"}

    asking = call_tools([("c1", "get_weather", {"place": "Bern"}), ("c2", "get_weather", {"place": "Rome"})], text="Let me look")
    with_world(tmp_path, monkeypatch, [asking, say("Sunny")], test)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_output_is_structured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            if streamed:
                async with client.responses.stream(model=MODEL, input="Hi", text_format=Label) as stream:
                    answer = await stream.get_final_response()
            else:
                answer = await client.responses.parse(model=MODEL, input="Hi", text_format=Label)
        assert answer.output_parsed == Label(label="spam")
        assert (await world.get(f"/v1/runs/{answer.id}"))["output"] == {"label": "spam"}

    with_world(tmp_path, monkeypatch, [json_object({"label": "spam"})], test)


def test_an_answer_that_is_cut_is_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            answer = await client.responses.create(model=MODEL, input="Hi")
            assert answer.status == "incomplete"
            assert answer.incomplete_details is not None
            assert (answer.incomplete_details.reason, answer.output_text) == ("max_output_tokens", "Half")
            events = [event.type async for event in await client.responses.create(model=MODEL, input="Hi", stream=True)]
            assert events[-1] == "response.incomplete"

    with_world(tmp_path, monkeypatch, say("Half", finish_reason="length"), test)


def test_errors_are_those_that_the_sdk_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client("rw_unknown") as stranger:
            with pytest.raises(openai.AuthenticationError):
                await stranger.responses.create(model=MODEL, input="Hi")
        async with world.client() as client:
            with pytest.raises(openai.NotFoundError):
                await client.responses.create(model="nobody:gpt", input="Hi")
            with pytest.raises(openai.RateLimitError) as limited:
                await client.responses.create(model=MODEL, input="Hi", stream=True)
            assert limited.value.response.headers["retry-after"] == "7"
            stream = await client.responses.create(model=MODEL, input="Hi", stream=True)
            last: Any = [event async for event in stream][-1]
            assert (last.type, last.response.status, last.response.error.code) == ("response.failed", "failed", "server_error")

    with_world(tmp_path, monkeypatch, [refuse(429, retry_after="7"), broken("Half an")], test)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "what was said before": ({"previous_response_id": "run_1"}, "previous_response_id"),
    "an answer in the background": ({"background": True}, "background"),
    "a tool that OpenAI carries out": ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
    "an item without its call": ({"input": [{"type": "function_call_output", "output": "x"}]}, "input.0"),
    "an item that is not known": ({"input": [{"type": "computer_call"}]}, "input.0.type"),
    "nothing": ({"input": []}, "input"),
}


def test_what_cannot_be_answered_is_refused_before_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.http() as client:
            for name, (more, param) in REFUSED.items():
                response = await client.post("/v1/responses", json={"model": MODEL, "input": "Hi", **more})
                assert response.status_code == 400, (name, response.text)
                assert response.json()["error"]["param"] == param, (name, response.text)
        assert world.provider.requests == []

    with_world(tmp_path, monkeypatch, [], test)


def test_who_hangs_up_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as client:
            stream = await client.responses.create(model=MODEL, input="Hi", stream=True)
            async with asyncio.timeout(10):
                async for event in stream:
                    if event.type == "response.output_text.delta":
                        break
            await stream.close()
            await world.provider.left()
        assert (await world.the_run())["status"] == "stopped"

    with_world(tmp_path, monkeypatch, [broken("One two", "hang")], test)


def test_tenants_are_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.client() as mine, world.http(world.neighbour) as theirs:
            answer = await mine.responses.create(model=MODEL, input="Hi")
            assert (await theirs.get(f"/v1/runs/{answer.id}")).status_code == 404
            assert (await theirs.get("/v1/runs")).json()["data"] == []

    with_world(tmp_path, monkeypatch, [say("Hello"), hang()], test)
