"""OpenAI's Python SDK drives Runwell's agents: `model="agent:<slug>"`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.acceptance.openai_clients import MODEL, World, with_world

from runwell.testing.scripted_replies import call_tool, call_tools, hang, json_object, say

HI: Any = [{"role": "user", "content": "Where is order 7?"}]
LOOKUP: dict[str, Any] = {
    "type": "python",
    "name": "lookup",
    "code": "'order ' + str(args['order']) + ' is in Bern'",
    "inputs": {"args": "{{ args }}"},
    "input_schema": {"type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]},
}


def desk(**more: Any) -> dict[str, Any]:
    tools = more.pop("document_tools", [LOOKUP])
    agent = {"id": "agent", "type": "agent", "model": MODEL, "instructions": "Help.", "tools": ["python:lookup"], **more}
    return {"name": "desk", "tools": tools, "steps": [agent]}


async def publish(world: World, document: dict[str, Any], slug: str = "desk") -> None:
    async with world.http() as client:
        made = await client.post("/v1/agents", json={"slug": slug, "document": document})
        assert made.is_success, made.text
        version = await client.post(f"/v1/agents/{slug}/versions", json={})
        assert version.is_success, version.text


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_an_agent_answers_with_its_own_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool) -> None:
    async def test(world: World) -> None:
        await publish(world, desk())
        async with world.client() as client:
            if streamed:
                async with client.chat.completions.stream(
                    model="agent:desk", messages=HI, stream_options={"include_usage": True}
                ) as stream:
                    answer = await stream.get_final_completion()
            else:
                answer = await client.chat.completions.create(model="agent:desk", messages=HI, user="ann")  # type: ignore[assignment]
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("It is in Bern.", "stop")
        assert answer.choices[0].message.tool_calls is None
        assert answer.usage is not None
        assert answer.usage.total_tokens == 30, "of both rounds"
        run = await world.get(f"/v1/runs/{answer.id}")
        assert (run["workflow"]["slug"], run["trigger"], run["input"], run["output"]) == (
            "desk",
            "openai",
            "Where is order 7?",
            "It is in Bern.",
        )
        second = world.provider.requests[1].json["messages"]
        assert [message["role"] for message in second] == ["system", "user", "assistant", "tool"]
        assert second[3]["content"] == "order 7 is in Bern"

    with_world(tmp_path, monkeypatch, [call_tool("python_lookup", {"order": 7}), say("It is in Bern.")], test)


def test_what_was_said_before_goes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        await publish(world, desk())
        said: Any = [*HI, {"role": "assistant", "content": "In Bern."}, {"role": "user", "content": "And now?"}]
        async with world.client() as client:
            answer = await client.chat.completions.create(model="agent:desk", messages=said)
            response = await client.responses.create(model="agent:desk", input=said)
        assert response.output_text == answer.choices[0].message.content == "In Rome."
        for request in world.provider.requests:
            told = [(message["role"], message["content"]) for message in request.json["messages"]]
            assert told == [("system", "Help."), *((message["role"], message["content"]) for message in said)]
        assert (await world.get(f"/v1/runs/{answer.id}"))["input"] == "And now?"

    with_world(tmp_path, monkeypatch, say("In Rome."), test)


def test_an_input_of_a_schema_is_sent_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"type": "object", "required": ["order"], "properties": {"order": {"type": "integer"}}}
    out = {"type": "object", "required": ["place"], "properties": {"place": {"type": "string"}}}

    async def test(world: World) -> None:
        await publish(world, {**desk(output_schema=out, prompt="Order {{ input.order }}"), "input_schema": schema})
        async with world.client() as client:
            asked: Any = [{"role": "user", "content": '{"order": 7}'}]
            answer = await client.chat.completions.create(model="agent:desk", messages=asked)
            assert json.loads(answer.choices[0].message.content or "") == {"place": "Bern"}
            with pytest.raises(openai.BadRequestError, match="input"):
                await client.chat.completions.create(model="agent:desk", messages=HI)
        assert world.provider.requests[0].json["messages"][1]["content"] == "Order 7"
        assert len(world.provider.requests) == 1

    with_world(tmp_path, monkeypatch, [json_object({"place": "Bern"})], test)


def test_what_an_agent_has_of_its_own_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        await publish(world, desk())
        tool: Any = {"type": "function", "function": {"name": "f"}}
        async with world.client() as client, world.client(world.neighbour) as neighbour:
            with pytest.raises(openai.BadRequestError, match="agent's own"):
                await client.chat.completions.create(model="agent:desk", messages=HI, tools=[tool])
            for one, model in ((client, "agent:nobody"), (client, "agent:"), (neighbour, "agent:desk")):
                with pytest.raises(openai.NotFoundError) as unknown:
                    await one.chat.completions.create(model=model, messages=HI)
                assert unknown.value.code == "model_not_found"
            assert "agent:desk" in {model.id async for model in client.models.list()}
            assert "agent:desk" not in {model.id async for model in neighbour.models.list()}
            assert (await client.models.retrieve("agent:desk")).id == "agent:desk"
            with pytest.raises(openai.NotFoundError):
                await neighbour.models.retrieve("agent:desk")

    with_world(tmp_path, monkeypatch, [], test)


def test_an_agent_that_asks_a_person_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        await publish(world, desk(document_tools=[{**LOOKUP, "requires_approval": True}]))
        async with world.client(max_retries=2) as client:
            with pytest.raises(openai.ConflictError) as waiting:
                await client.chat.completions.create(model="agent:desk", messages=HI)
        assert waiting.value.code == "run_waiting"
        run_id = waiting.value.response.headers["x-runwell-run-id"]
        assert (await world.get(f"/v1/runs/{run_id}"))["status"] == "waiting", "it is not stopped"
        assert len(world.provider.requests) == 1

    with_world(tmp_path, monkeypatch, [call_tools([("c1", "python_lookup", {"order": 7})])], test)


def test_who_hangs_up_stops_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        await publish(world, desk())
        async with world.client() as client:
            calling = asyncio.create_task(client.chat.completions.create(model="agent:desk", messages=HI))
            await world.provider.asked(2)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            await world.provider.left()
        assert (await world.the_run())["status"] == "stopped"

    with_world(tmp_path, monkeypatch, [call_tool("python_lookup", {"order": 7}), hang()], test)
