"""Agents over HTTP: made, published, run, replied to; models, tools and MCP servers over real sockets."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.api_bench import ASK, Api, open_api, say, with_api
from tests.mcp_server import served_desk
from tests.wire_formats import WIRE_FORMATS, WireFormat

from runwell.testing import ScriptedServer
from runwell.testing.scripted_server import Reply

LABEL = {"type": "object", "required": ["label"], "properties": {"label": {"enum": ["spam", "ham"]}}, "additionalProperties": False}
CHAT = WIRE_FORMATS["openai-chat"]
both = pytest.mark.parametrize("format_", [CHAT, WIRE_FORMATS["anthropic"]], ids=["openai", "anthropic"])

Test = Callable[[Api, ScriptedServer], Awaitable[None]]


def serving(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, replies: Iterable[Reply], test: Test, format_: WireFormat = CHAT, **settings: Any
) -> None:
    async def main() -> None:
        async with ScriptedServer(replies) as server:
            address = server.base_url.removesuffix("/v1") + format_.path
            for name, value in {"PROVIDER": format_.provider, "BASE_URL": address, "API_KEY": "sk-made-up-key"}.items():
                monkeypatch.setenv(f"RUNWELL_CONNECTION_X_{name}", value)
            async with open_api(data_dir, **settings) as api:
                await test(api, server)

    asyncio.run(main())


def document(format_: WireFormat = CHAT, *tools: str, declared: Iterable[Any] = (), **step: Any) -> dict[str, Any]:
    agent = {"id": "agent", "type": "agent", "model": f"x:{format_.model}", "instructions": "Help.", "tools": list(tools), **step}
    return {"name": "Helper", "tools": list(declared), "steps": [agent]}


async def published(api: Api, doc: dict[str, Any], **more: Any) -> str:
    made = await api.post("/v1/agents", {"document": {**doc, **more}}, status=201)
    assert made["kind"] == "agent"
    assert made["problems"] in (None, [])
    await api.post(f"/v1/agents/{made['id']}/versions", {}, status=201)
    return str(made["slug"])


def text_of(response: httpx2.Response) -> list[Any]:
    """Return the messages of a stream."""
    return [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]


@both
def test_an_agent_calls_the_tools_of_a_real_mcp_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: WireFormat) -> None:
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("call_1", "mcp_desk_find_ticket", {"number": 7}),
        ("call_2", "mcp_desk_refuse", {"why": "spite"}),
    ]

    async def test(api: Api, server: ScriptedServer) -> None:
        async with served_desk() as desk:
            await api.post("/v1/connections", {"name": "desk", "type": "mcp", "base_url": desk.url}, status=201)
            slug = await published(api, document(format_, "mcp:desk/*"))
            run = await api.post(f"/v1/agents/{slug}/runs", {"input": "Where is ticket 7?"})
            assert (run["status"], run["output"]) == ("succeeded", "It is here.")
            assert [call[:2] for call in desk.calls] == [("find_ticket", 7)]
            offered = {tool["name"] for tool in format_.tools(server.requests[0].json)}
            assert {"mcp_desk_find_ticket", "mcp_desk_shout"} <= offered
            last = json.dumps(server.requests[1].json)
            assert "Ticket 7" in last
            assert "MCP_TOOL_FAILED" in last
            told = await api.get(f"/v1/runs/{run['id']}/steps/agent/timeline")
            first, second = told["rounds"]
            assert [call["tool"] for call in first["calls"]] == ["mcp:desk/find_ticket", "mcp:desk/refuse"]
            assert first["calls"][0]["args"] == {"number": 7}
            assert first["calls"][0]["result"]["title"] == "Ticket 7"
            assert first["calls"][0]["duration_ms"] >= 0
            assert first["calls"][1]["error"]["code"] == "MCP_TOOL_FAILED"
            assert (second["text"], second["calls"], second["number"]) == ("It is here.", [], 2)
            assert told["usage"]["generations"] == 2
            assert float(told["cost_usd"]) == pytest.approx(float(run["cost_usd"]))
            assert (told["usage"]["input_tokens"], told["usage"]["output_tokens"]) == (20, 10)

    replies = [format_.say("Let me look.", calls, None), format_.say("It is here.", [], None)]
    serving(tmp_path, monkeypatch, replies, test, format_, http_allow=("127.0.0.0/8",))


@both
def test_an_agent_answers_by_a_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: WireFormat) -> None:
    async def test(api: Api, server: ScriptedServer) -> None:
        slug = await published(api, document(format_, output_schema=LABEL))
        run = await api.post(f"/v1/agents/{slug}/runs", {"input": "Buy now!"})
        assert run["output"] == {"label": "spam"}
        assert len(server.requests) == 2

    serving(tmp_path, monkeypatch, [format_.say("spam", [], None), format_.say('{"label": "spam"}', [], None)], test, format_)


@both
def test_an_agents_run_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: WireFormat) -> None:
    async def test(api: Api, server: ScriptedServer) -> None:
        slug = await published(api, document(format_))
        kinds: list[str] = []
        while "delta" not in kinds:  # a model that has said everything before its reader is there is not heard live
            answer = await api.send("POST", f"/v1/agents/{slug}/runs", json={"input": "Hi", "stream": True})
            assert answer.headers["content-type"].startswith("text/event-stream")
            told = text_of(answer)
            kinds = [message["type"] for message in told]
        assert kinds.index("run_created") < kinds.index("delta") < kinds.index("run_succeeded")
        assert "".join(message["text"] for message in told if message["type"] == "delta") == "Hello to you"
        assert kinds[-1] == "end"
        run_id = next(message["run_id"] for message in told if message["type"] == "run_created")
        assert answer.headers["location"] == f"/v1/runs/{run_id}"

    serving(tmp_path, monkeypatch, [format_.say("Hello to you", [], None)] * 10, test, format_)


def test_input_that_breaks_the_schema_is_refused_before_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(api: Api, server: ScriptedServer) -> None:
        schema = {"type": "object", "required": ["question"], "properties": {"question": {"type": "string"}}}
        slug = await published(api, document(prompt="{{ input.question }}"), input_schema=schema)
        refused = await api.post(f"/v1/agents/{slug}/runs", {"input": {"question": 5}}, status=422)
        assert refused["errors"][0]["pointer"] == "/input/question"
        assert server.requests == []
        assert (await api.get("/v1/runs"))["data"] == []

    serving(tmp_path, monkeypatch, [], test)


def test_how_long_a_caller_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = {"type": "python", "name": "find", "input_schema": {"type": "object"}, "code": "1", "requires_approval": True}

    async def test(api: Api, server: ScriptedServer) -> None:
        slug = await published(api, document(CHAT, "python:find", declared=[find]))
        answer = await api.send("POST", f"/v1/agents/{slug}/runs", json={"input": "x"}, headers={"Prefer": "respond-async"})
        assert answer.status_code == 202
        run_id = answer.json()["run_id"]
        assert answer.headers["location"] == f"/v1/runs/{run_id}"
        assert (await api.ended(run_id))["output"] == "at once"
        waiting = await api.post(f"/v1/agents/{slug}/runs", {"input": "x"}, status=202)
        assert waiting["status"] == "waiting", "a run that waits for a person is not waited for"
        [task] = (await api.get(f"/v1/runs/{waiting['run_id']}/tasks/pending"))["data"]
        assert task["payload"] == {"tool": "python:find", "args": {"a": 1}}
        path = f"/v1/runs/{waiting['run_id']}/tasks/{task['id']}/complete"
        refused = await api.post(path, {"approved": True, "result": {"a": 2}}, status=422)
        assert "breaks its schema" in refused["detail"]
        await api.post(path, {"approved": True, "result": {"args": {"a": 2}}, "comment": "less"})
        assert (await api.ended(waiting["run_id"]))["output"] == "done"
        told = await api.get(f"/v1/runs/{waiting['run_id']}/steps/agent/timeline")
        [call] = told["rounds"][0]["calls"]
        assert (call["args"], call["approval"]["args"], call["approval"]["approved"]) == ({"a": 1}, {"a": 2}, True)
        assert (call["approval"]["by"], call["approval"]["comment"], call["result"]) == ("usr_ann", "less", 1)
        late = await api.send("POST", f"/v1/agents/{slug}/runs", json={"input": "x"}, headers={"Prefer": "wait=0"})
        assert late.status_code == 202
        await api.ended(late.json()["run_id"])

    calls: list[tuple[str, str, dict[str, Any]]] = [("call_1", "python_find", {"a": 1})]
    replies = [CHAT.say("at once", [], None), CHAT.say("", calls, None), CHAT.say("done", [], None), CHAT.say("late", [], None)]
    serving(tmp_path, monkeypatch, replies, test)


def test_a_reply_goes_on_with_what_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(api: Api, server: ScriptedServer) -> None:
        double = {"type": "python", "name": "double", "input_schema": {"type": "object"}, "code": "n * 2", "inputs": {"n": "{{ args.n }}"}}
        slug = await published(api, document(CHAT, "python:double", declared=[double], instructions="Help {{ input.name }}."))
        asked = {"input": {"name": "Ann"}, "tags": ["a"]}
        first = await api.post(f"/v1/agents/{slug}/runs", asked)
        second = await api.post(f"/v1/runs/{first['id']}/reply", {"message": "And twice that?", "metadata": {"turn": "2"}})
        third = await api.post(f"/v1/runs/{second['id']}/reply", {"message": "Thanks"})
        assert [run["output"] for run in (first, second, third)] == ["It is 42.", "84", "You are welcome."]
        assert (second["source_run_id"], third["source_run_id"]) == (first["id"], second["id"])
        assert (second["input"], second["trigger"], second["metadata"]) == ({"name": "Ann"}, "reply", {"turn": "2"})
        assert second["workflow"]["version"] == 1
        messages = server.requests[-1].json["messages"]
        assert [message["role"] for message in messages] == ["system", "user", "assistant", "tool", *["assistant", "user"] * 2]
        assert messages[0]["content"] == "Help Ann."
        assert [message["content"] for message in messages[-3:]] == ["And twice that?", "84", "Thanks"]

    calls: list[tuple[str, str, dict[str, Any]]] = [("call_1", "python_double", {"n": 21})]
    texts = ["It is 42.", "84", "You are welcome."]
    serving(tmp_path, monkeypatch, [CHAT.say("", calls, None), *(CHAT.say(text, [], None) for text in texts)], test)


def test_what_cannot_be_replied_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(api: Api, server: ScriptedServer) -> None:
        run_id = await api.finished(say())
        refused = await api.post(f"/v1/runs/{run_id}/reply", {"message": "Hi"}, status=409)
        assert "no run of an agent" in refused["detail"]
        slug = await published(api, document(CHAT, limits={"rounds": 1}))
        failed = await api.post(f"/v1/agents/{slug}/runs", {"input": "x"})
        assert failed["error"]["code"] == "AGENT_LIMIT_EXCEEDED"
        refused = await api.post(f"/v1/runs/{failed['id']}/reply", {"message": "Hi"}, status=409)
        assert "no answer to reply to" in refused["detail"]
        await api.post(f"/v1/runs/{failed['id']}/reply", {"message": "Hi"}, status=404, who="elsewhere")
        await api.post(f"/v1/runs/{failed['id']}/reply", {"message": ""}, status=422)

    serving(tmp_path, monkeypatch, [CHAT.say("", [("c", "nothing", {})], None)], test)


def test_agents_are_workflows_of_their_own_kind(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        doc = {"name": "Greeter", "steps": [{"id": "agent", "type": "agent", "model": "demo:a"}]}
        slug = await published(api, doc)
        made = await api.get(f"/v1/agents/{slug}")
        await api.post("/v1/workflows", {"document": ASK}, status=201)
        assert [agent["slug"] for agent in (await api.get("/v1/agents"))["data"]] == ["greeter"]
        assert {one["slug"] for one in (await api.get("/v1/workflows"))["data"]} == {"greeter", "ask"}
        for path in ("/v1/agents/ask", "/v1/agents/none"):
            assert "there is no agent" in (await api.get(path, status=404))["detail"]
        assert (await api.post("/v1/agents/ask/runs", {}, status=404))["code"] == "NOT_FOUND"
        wrong = {"document": {**doc, "steps": [*doc["steps"], {"id": "more", "type": "transform", "value": 1}]}}
        changed = await api.send("PUT", f"/v1/agents/{slug}", json=wrong, headers={"If-Match": made["draft_etag"]})
        assert changed.json()["problems"][0]["code"] == "no_agent"
        refused = await api.post(f"/v1/agents/{slug}/versions", {}, status=422)
        assert refused["errors"][0]["code"] == "no_agent"
        named = {"name": "caller", "steps": [{"id": "a", "type": "agent", "agent": "ask"}]}
        await api.post("/v1/workflows/ask/versions", {}, status=201)
        check = await api.post("/v1/workflows/validate", {"document": named})
        assert [problem["code"] for problem in check["problems"]] == ["no_agent"]
        run = await api.post(f"/v1/agents/{slug}/runs", {"input": "Hello"})
        assert run["status"] == "succeeded"
        assert [found["id"] for found in (await api.get("/v1/runs", q="kind:agent"))["data"]] == [run["id"]]
        assert len((await api.get(f"/v1/agents/{slug}/versions"))["data"]) == 1
        assert (await api.send("DELETE", f"/v1/agents/{slug}")).status_code == 204
        assert (await api.get("/v1/agents"))["data"] == []
        assert (await api.get("/v1/runs"))["data"] == []

    with_api(tmp_path, main)


def test_the_same_key_runs_an_agent_once(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        slug = await published(api, {"name": "Greeter", "steps": [{"id": "agent", "type": "agent", "model": "demo:a"}]})
        for stream in (False, True):
            headers = {"Idempotency-Key": f"once-{stream}"}
            sent = [
                await api.send("POST", f"/v1/agents/{slug}/runs", json={"input": "x", "stream": stream}, headers=headers) for _ in range(2)
            ]
            assert sent[1].headers["idempotency-replayed"] == "true"
            assert sent[0].headers["location"] == sent[1].headers["location"]
        assert sent[1].status_code == 202, "a stream is told once; the run's own stream tells it again"
        assert len((await api.get("/v1/runs"))["data"]) == 2

    with_api(tmp_path, main)
