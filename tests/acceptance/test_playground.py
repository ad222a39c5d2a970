"""The playground: variants side by side, over real sockets, of which nothing is kept unless it is saved."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.openai_clients import HI, KEY, MODEL, World, with_world

from runwell.testing.loopback import ServerRequest
from runwell.testing.scripted_replies import broken, call_tool, chunks, hang, refuse, say
from runwell.testing.scripted_server import Reply, Wire

TRIAGE: dict[str, Any] = {
    "name": "triage",
    "input_schema": {"type": "object", "required": ["ticket"], "properties": {"ticket": {"type": "string"}}},
    "steps": [
        {"id": "trimmed", "type": "transform", "value": "{{ input.ticket }}!"},
        {
            "id": "classify",
            "type": "llm",
            "depends_on": ["trimmed"],
            "model": MODEL,
            "system": "You classify.",
            "prompt": "Ticket: {{ steps.trimmed.result }}",
            "params": {"temperature": 1, "max_tokens": 7},
        },
    ],
    "output": {"said": "{{ steps.classify.result }}"},
}


def by_model(replies: dict[str, Reply]) -> Reply:
    """Answer by the model's name, for variants come in any order."""

    def reply(request: ServerRequest) -> Wire:
        return replies[request.json["model"]](request)

    return reply


async def events(client: httpx2.AsyncClient, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    async with client.stream("POST", "/v1/playground", json=body) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        async for line in response.aiter_lines():
            if line:
                yield json.loads(line.removeprefix("data: "))


async def told(world: World, body: dict[str, Any]) -> list[dict[str, Any]]:
    async with world.http() as client:
        return [event async for event in events(client, body)]


async def published(world: World, document: dict[str, Any], **more: Any) -> str:
    async with world.http() as client:
        made = await client.post("/v1/workflows", json={"document": document, **more})
        assert made.is_success, made.text
        key = str(made.json()["id"])
        version = await client.post(f"/v1/workflows/{key}/versions", json={})
        assert version.is_success, version.text
        return key


async def kept(world: World) -> list[Any]:
    """Return all runs that are kept, of trials too."""
    await asyncio.sleep(0)
    return list((await world.get("/v1/runs"))["data"]) + list((await world.get("/v1/runs?environment=testing"))["data"])


def test_variants_are_told_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        variants = [
            {"model": "local:a", "instructions": "Be brief.", "params": {"temperature": 0}},
            {"name": "broken", "model": "local:b"},
            {"name": "nobody", "model": "nobody:x"},
            {"name": "long", "model": "local:c", "params": {"max_tokens": None}},
        ]
        messages = [{"role": "system", "content": "Be long."}, *HI]
        said = await told(world, {"messages": messages, "params": {"max_tokens": 9}, "variants": variants})
        assert said[-1] == {"type": "end"}
        ends = {event["variant"]: event for event in said if event["type"] in ("done", "failed")}
        assert [ends[i]["type"] for i in range(4)] == ["done", "failed", "failed", "done"]
        texts = ["".join(event["text"] for event in said if event["type"] == "delta" and event["variant"] == i) for i in range(4)]
        assert texts == ["Hello", "", "", "One two three"]
        first = ends[0]
        assert (first["name"], first["output"], first["model"], first["finish_reason"]) == ("variant 1", "Hello", "a", "stop")
        assert (first["usage"]["input_tokens"], first["usage"]["output_tokens"], first["cost_usd"]) == (10, 5, "0")
        assert 0 < first["first_token_ms"] <= first["latency_ms"]
        assert first["run_id"] is None
        assert (ends[1]["name"], ends[1]["error"]["details"]["reason"]) == ("broken", "overloaded")
        assert ends[2]["error"]["details"]["reason"] == "unknown_model"
        sent = {request.json["model"]: request.json for request in world.provider.requests}
        assert [message["content"] for message in sent["a"]["messages"]] == ["Be brief.", "Hi"]
        assert [message["content"] for message in sent["c"]["messages"]] == ["Be long.", "Hi"]
        assert sent["a"]["temperature"] == 0
        limits = [request.get("max_completion_tokens", request.get("max_tokens")) for request in (sent["a"], sent["c"])]
        assert limits == [9, None]
        assert KEY not in json.dumps(said)
        assert await kept(world) == []
        assert (await world.get("/v1/workflows"))["data"] == []

    replies = {"a": say("Hello"), "b": refuse(500, f"no {KEY}"), "c": chunks(["One ", "two ", "three"])}
    with_world(tmp_path, monkeypatch, by_model(replies), test)


def test_no_variant_waits_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        async with world.http() as client:
            body = {"input": "Hi", "variants": [{"model": "local:slow"}, {"model": "local:quick"}]}
            said = events(client, body)
            async with asyncio.timeout(10):
                async for event in said:
                    if event["type"] == "done":
                        break
            assert (event["variant"], event["output"]) == (1, "Hello")
            await said.aclose()  # type: ignore[attr-defined]
            await world.provider.left()

    with_world(tmp_path, monkeypatch, by_model({"slow": hang(), "quick": say("Hello")}), test)


def test_variants_of_a_workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        key = await published(world, TRIAGE)
        variants = [
            {"name": "as it is"},
            {"name": "other words", "instructions": "Classify!", "prompt": "{{ steps.trimmed.result }}?", "params": {"max_tokens": None}},
            {"name": "other model", "model": "gpt-4o", "connection": "local", "params": {"temperature": 0}},
        ]
        async with world.http() as client:
            answer = await client.post(
                "/v1/playground", json={"workflow": key, "input": {"ticket": "Refund"}, "variants": variants, "stream": False}
            )
        outcomes = answer.json()["variants"]
        assert [one["name"] for one in outcomes] == ["as it is", "other words", "other model"]
        assert [one["output"] for one in outcomes] == [{"said": "Hello"}] * 3
        sent = sorted(world.provider.requests, key=lambda request: [m["content"] for m in request.json["messages"]])
        prompts = [[message["content"] for message in request.json["messages"]] for request in sent]
        assert prompts == [["Classify!", "Refund!?"], *[["You classify.", "Ticket: Refund!"]] * 2]
        assert {request.json["model"]: request.json.get("temperature") for request in sent[1:]} == {"gpt-4o-mini": 1, "gpt-4o": 0}
        assert await kept(world) == []
        assert (await world.get(f"/v1/workflows/{key}"))["latest_version"] == 1

    with_world(tmp_path, monkeypatch, say("Hello"), test)


def test_what_is_wrong_is_told_before_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = {"name": "fetch", "steps": [{"id": "get", "type": "http", "request": {"method": "GET", "url": "https://example.com"}}]}

    async def test(world: World) -> None:
        triage, fetching = await published(world, TRIAGE), await published(world, fetch)
        good: dict[str, Any] = {"workflow": triage, "input": {"ticket": "x"}, "variants": [{}]}
        asked: list[tuple[dict[str, Any], int, str]] = [
            ({**good, "input": {}}, 422, "ticket"),
            ({**good, "workflow": "nobody"}, 404, "nobody"),
            ({**good, "variants": [{"version": 7}]}, 404, "7"),
            ({**good, "variants": [{"step": "trimmed", "model": "x"}]}, 422, "trimmed"),
            ({**good, "variants": []}, 422, "at least 1"),
            ({**good, "variants": [{}] * 9}, 422, "at most 8"),
            ({**good, "messages": HI}, 422, "messages"),
            ({**good, "workflow": fetching}, 422, "save"),
            ({"messages": HI, "variants": [{}]}, 422, "model"),
            ({"messages": HI, "variants": [{"model": MODEL, "prompt": "x"}]}, 422, "prompt"),
            ({"messages": HI, "input": 1, "variants": [{"model": MODEL}]}, 422, "input"),
            ({"messages": [{"role": "king"}], "variants": [{"model": MODEL}]}, 422, "king"),
            ({"messages": HI, "variants": [{"model": MODEL, "speed": 1}]}, 422, "speed"),
        ]
        async with world.http() as client:
            for body, status, words in asked:
                response = await client.post("/v1/playground", json=body)
                assert response.status_code == status, (body, response.text)
                assert words in response.text, (body, response.text)
        assert world.provider.requests == []

    with_world(tmp_path, monkeypatch, [], test)


def test_a_variant_that_cannot_be_compiled_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        key = await published(world, TRIAGE)
        variants = [{"prompt": "{{ steps.nobody.result }}"}, {"prompt": "{{ secrets.token }}"}, {"connection": "missing"}, {}]
        said = await told(world, {"workflow": key, "input": {"ticket": "x"}, "variants": variants})
        ends = {event["variant"]: event for event in said if event["type"] in ("done", "failed")}
        assert [ends[i]["type"] for i in range(4)] == ["failed", "failed", "failed", "done"]
        assert "nobody" in json.dumps(ends[0]["error"])
        assert "secret" in json.dumps(ends[1]["error"])
        assert "missing" in json.dumps(ends[2]["error"])
        assert len(world.provider.requests) == 1

    with_world(tmp_path, monkeypatch, [say("Hello")], test)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_who_hangs_up_ends_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool) -> None:
    async def test(world: World) -> None:
        async with world.http() as client:
            body = {"input": "Hi", "variants": [{"model": f"local:m{i}"} for i in range(8)], "stream": streamed}
            asking = asyncio.create_task(client.post("/v1/playground", json=body))
            await world.provider.asked(8)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await world.provider.left(8)
        assert await kept(world) == []

    with_world(tmp_path, monkeypatch, broken("Half", "hang"), test)


def test_the_limits_of_the_project_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        limits = {"max_running": 1, "max_queued": 1}
        assert (await world.admin.put("/v1/settings/limits", json=limits, headers={"If-Match": "*"})).is_success
        async with world.http() as client, world.client() as sdk:
            body = {"input": "Hi", "variants": [{"model": f"local:m{i}"} for i in range(3)]}
            said = events(client, body)
            first = await anext(said)
            assert (first["type"], first["error"]["code"]) == ("failed", "QUEUE_FULL")
            await world.provider.asked(1)
            with pytest.raises(Exception, match="queued"):
                await sdk.chat.completions.create(model=MODEL, messages=HI)
            assert len(world.provider.requests) == 1, "one at a time"
            await said.aclose()  # type: ignore[attr-defined]
            await world.provider.left(1)
            answer = await sdk.chat.completions.create(model="local:after", messages=HI)
            assert answer.choices[0].message.content == "Hello"

    hanging = {f"m{i}": hang() for i in range(3)}
    with_world(tmp_path, monkeypatch, by_model({**hanging, "after": say("Hello")}), test)


def test_variants_take_turns_where_there_is_room_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        assert (await world.admin.put("/v1/settings/limits", json={"max_running": 1}, headers={"If-Match": "*"})).is_success
        said = await told(world, {"input": "Hi", "variants": [{"model": MODEL}] * 8})
        assert sorted(event["variant"] for event in said if event["type"] == "done") == list(range(8))

    with_world(tmp_path, monkeypatch, say("Hello"), test)


def test_what_must_not_be_kept_reaches_no_model_and_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        rules = {"paths": [], "kinds": ["email"], "patterns": []}
        assert (await world.admin.put("/v1/settings/redaction", json=rules, headers={"If-Match": "*"})).is_success
        said = await told(world, {"input": "I am ann@example.com", "variants": [{"model": MODEL}]})
        assert [event["type"] for event in said] == ["done", "end"]
        assert said[0]["output"] == "Hello [redacted:email]"
        assert b"ann@example.com" not in world.provider.requests[0].body

    with_world(tmp_path, monkeypatch, [chunks(["Hello bob@", "example.com"])], test)


def test_tenants_are_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        key = await published(world, TRIAGE)
        async with world.client() as sdk, world.http(world.neighbour) as neighbour:
            run = await sdk.chat.completions.create(model=MODEL, messages=HI)
            for name in (key, "triage", "chat-completions"):
                response = await neighbour.post("/v1/playground", json={"workflow": name, "input": {"ticket": "x"}, "variants": [{}]})
                assert response.status_code == 404
            assert (await neighbour.get(f"/v1/runs/{run.id}/playground")).status_code == 404
        reads = (await world.server.key(world.admin, "workflow:read"))["key"]
        async with world.http(reads) as viewer:
            assert (await viewer.post("/v1/playground", json={"input": "Hi", "variants": [{"model": MODEL}]})).status_code == 403

    with_world(tmp_path, monkeypatch, [say("Hello")], test)


def test_an_agents_tools_are_told_and_not_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = {
        "name": "desk",
        "tools": [{"type": "python", "name": "lookup", "code": "1/0", "input_schema": {"type": "object"}}],
        "steps": [{"id": "agent", "type": "agent", "model": MODEL, "instructions": "Help.", "tools": ["python:lookup"]}],
    }

    async def test(world: World) -> None:
        key = await published(world, agent, kind="agent")
        said = await told(world, {"workflow": key, "input": "Where is my order?", "variants": [{}, {"instructions": "Help well."}]})
        done = [event for event in said if event["type"] == "done"]
        assert len(done) == 2
        assert [[call["name"], call["args"]] for call in done[0]["tool_calls"]] == [["python:lookup", {"order": 7}]]
        assert done[0]["finish_reason"] == "tool_call"
        assert len(world.provider.requests) == 2, "one round each"
        systems = {request.json["messages"][0]["content"] for request in world.provider.requests}
        assert systems == {"Help.", "Help well."}

    with_world(tmp_path, monkeypatch, call_tool("python_lookup", {"order": 7}), test)


def test_saved_variants_are_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        key = await published(world, TRIAGE)
        body = {"workflow": key, "input": {"ticket": "x"}, "variants": [{}, {"name": "Cold", "params": {"temperature": 0}}], "save": True}
        done = sorted([event for event in await told(world, body) if event["type"] == "done"], key=lambda event: int(event["variant"]))
        runs = [await world.ended(event["run_id"]) for event in done]
        assert [run["trigger"] for run in runs] == ["playground", "playground"]
        assert [run["workflow"]["version"] for run in runs] == [1, 2]
        assert [run["output"] for run in runs] == [{"said": "Hello"}] * 2
        version = await world.get(f"/v1/workflows/{key}/versions/2")
        assert (version["note"], version["document"]["steps"][1]["params"]) == ("playground: Cold", {"temperature": 0, "max_tokens": 7})
        assert (await world.get(f"/v1/workflows/{key}"))["active_version"] == 1
        again = [event for event in await told(world, body) if event["type"] == "done"]
        assert len(again) == 2
        assert len(world.provider.requests) == 4, "what is tried is asked anew"
        assert (await world.get(f"/v1/workflows/{key}"))["latest_version"] == 2, "the same variant is the same version"
        talk = await told(world, {"messages": HI, "variants": [{"model": MODEL}], "save": True})
        run = await world.ended(next(event["run_id"] for event in talk if event["type"] == "done"))
        assert (run["workflow"]["slug"], run["trigger"], run["input"]["messages"]) == ("chat-completions", "playground", HI)

    with_world(tmp_path, monkeypatch, say("Hello"), test)


def test_saving_variants_of_a_workflow_that_may_only_be_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        key = await published(world, TRIAGE)
        runs = (await world.server.key(world.admin, "workflow:run", "workflow:read"))["key"]
        body = {"workflow": key, "input": {"ticket": "x"}, "variants": [{}], "save": True, "stream": False}
        async with world.http(runs) as client:
            assert (await client.post("/v1/playground", json=body)).is_success
            body["variants"] = [{"params": {"temperature": 0}}]
            assert (await client.post("/v1/playground", json=body)).status_code == 403

    with_world(tmp_path, monkeypatch, say("Hello"), test)


def test_a_variant_becomes_a_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        key = await published(world, TRIAGE)
        async with world.http() as client:
            body = {"variant": {"name": "Cold", "params": {"temperature": 0}}, "activate": True, "note": "colder"}
            made = await client.post(f"/v1/workflows/{key}/playground/versions", json=body)
            assert made.status_code == 201, made.text
            assert (made.json()["number"], made.json()["note"], made.json()["active"]) == (2, "colder", True)
            same = await client.post(f"/v1/workflows/{key}/playground/versions", json=body)
            assert (same.status_code, same.json()["number"]) == (200, 2)
            bad = await client.post(f"/v1/workflows/{key}/playground/versions", json={"variant": {"prompt": "{{ nope }}"}})
            assert bad.status_code == 422
        steps = (await world.get(f"/v1/workflows/{key}/versions/2"))["document"]["steps"]
        assert steps[1]["params"] == {"temperature": 0, "max_tokens": 7}

    with_world(tmp_path, monkeypatch, [], test)


def test_a_run_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(world: World) -> None:
        key = await published(world, TRIAGE)
        async with world.http() as client:
            started = await client.post(
                f"/v1/workflows/{key}/command", json={"command": "start", "params": {"input": {"ticket": "Refund"}}}
            )
            run = await world.ended(started.json()["run_id"])
            again = await world.get(f"/v1/runs/{run['id']}/playground")
            assert (again["workflow"], again["input"]) == (key, {"ticket": "Refund"})
            whole = {name: again[name] for name in ("workflow", "input", "variants")}
            assert (await client.post("/v1/playground", json={**whole, "stream": False})).json()["variants"][0]["output"] == {
                "said": "Hello"
            }
            [call] = again["calls"]
            assert call["missing_files"] == 0
            one = {name: call[name] for name in ("messages", "tools", "output_schema", "params", "variants")}
            assert (await client.post("/v1/playground", json={**one, "stream": False})).json()["variants"][0]["output"] == "Hello"
        first, second, third = (request.json for request in world.provider.requests)
        assert first == second == third

    with_world(tmp_path, monkeypatch, say("Hello"), test)
