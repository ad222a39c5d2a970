"""A conversation of ten turns over HTTP: a real server that is killed in the middle, a provider, a web service and an MCP server."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from tests.acceptance.served import serving
from tests.acceptance.workbench import run_async
from tests.local_server import LocalServer, Received, answer
from tests.mcp_server import Served, served_desk
from tests.unit.query.test_run_document import EXAMPLE, SHAPE

from runwell.testing import ScriptedServer
from runwell.testing.loopback import ServerRequest
from runwell.testing.scripted_replies import call_tool, call_tools, hang, json_object, say
from runwell.testing.scripted_server import Wire

NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
PRODUCT = {"type": "object", "properties": {"product": {"type": "string"}}, "required": ["product"]}
MODEL = "local:gpt-4o-mini"


def document(web: str) -> dict[str, Any]:
    nodes: list[dict[str, Any]] = [
        {"id": "greet", "type": "say", "name": "Greeting", "description": "Opens", "messages": ["Welcome to {{ vars.shop }}. Your name?"]},
        {
            "id": "identify", "type": "worker", "description": "Finds the name", "prompt": "IDENTIFY the person.", "output_schema": NAME,
            "variable": "person", "reply": "Thank you, {{ conversation.output.name }}. What is it about?", "params": {"seed": 1},
        },
        {
            "id": "look_up", "type": "http", "request": {"url": web + "/products/{{ vars.product }}"}, "variable": "stock",
            "messages": ["One moment, please."], "default_error_message": "Our shelf cannot be looked at.",
        },
        {
            "id": "advise", "type": "worker", "prompt": "ADVISE on {{ vars.stock.title }}.", "self_loop": True,
            "backchannel": "BACKCHANNEL: be short.",
            "tools": ["mcp:desk/find_ticket", {"tool": "python:slots", "variable": "slots", "messages": ["Looking at the calendar."]}],
            "max_consecutive_tool_calls": 2,
        },
        {"id": "book", "type": "tool", "tool": "python:slots", "args": {"day": "today"}, "variable": "booked"},
        {"id": "confirm", "type": "say", "messages": ["Booked: {{ vars.booked[0] }}."], "selection": "in_turn"},
        {"id": "refund", "type": "worker", "prompt": "REFUND for {{ vars.person.name }}.", "models": [MODEL], "self_loop": True},
        {
            "id": "hours", "type": "say", "messages": ["We are open from nine to five."],
            "global": {"freeform": "the person asks for opening hours", "returns": True},
        },
        {
            "id": "human", "type": "say", "messages": ["I hand you over to a colleague."],
            "global": {"freeform": "the person wants a human", "messages": ["Of course."], "args_schema": PRODUCT},
        },
        {"id": "bye", "type": "say", "messages": ["Goodbye."], "global": {"when": 'conversation.message == "bye"'}},
    ]  # fmt: skip
    edges = [
        {"from": "greet", "to": "identify", "name": "named", "description": "whatever was said"},
        {"from": "identify", "to": "look_up", "freeform": "something is broken", "args_schema": PRODUCT, "messages": ["I am sorry."]},
        {"from": "identify", "to": "refund", "when": 'conversation.message.contains("refund")'},
        {"from": "identify", "to": "greet"},
        {"from": "look_up", "to": "advise"},
        {"from": "advise", "to": "book", "when": 'conversation.message.startsWith("10:")'},
        {"from": "book", "to": "confirm"},
        {"from": "confirm", "to": "refund"},
    ]
    talk = {
        "id": "talk", "type": "conversation", "model": MODEL, "nodes": nodes, "edges": edges, "variables": {"shop": "{{ input.shop }}"},
        "params": {"temperature": 0}, "prompt": "Help.", "prompt_prefix": "You work for {{ vars.shop }}.", "prompt_suffix": "Be kind.",
        "backchannel": "BACKCHANNEL.", "default_error_message": "Could you repeat that?",
    }  # fmt: skip
    take_over = {
        "id": "take_over", "type": "approval", "depends_on": ["talk"], "title": "Take over from {{ steps.talk.result.ended.node }}",
        "payload": "{{ steps.talk.result.turns }}",
    }  # fmt: skip
    slots = {
        "type": "python", "name": "slots", "description": "Free slots of a day.",
        "code": '[f"10:00 {day}", "11:00"]', "inputs": {"day": "{{ args.day }}"},
        "input_schema": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
    }  # fmt: skip
    return {
        "name": "support", "description": "A shop's support", "input_schema": {"type": "object"}, "tools": [slots],
        "steps": [talk, take_over], "output": "{{ steps.take_over.result.comment }}",
    }  # fmt: skip


class Provider:
    """Plays the model by what it is asked, and counts. While `held`, refunds get no answer."""

    def __init__(self) -> None:
        self.held = False
        self.asked: list[str] = []

    def __call__(self, request: ServerRequest) -> Wire:
        body = request.json
        system = next(message["content"] for message in body["messages"] if message["role"] == "system")
        said = [message["content"] for message in body["messages"] if message["role"] == "user"][-1]
        what = next(word for word in ("You route", "IDENTIFY", "BACKCHANNEL", "ADVISE", "REFUND") if word in system)
        self.asked.append(f"{what} {said}")
        return self._reply(what, said, body)(request)

    def _reply(self, what: str, said: str, body: dict[str, Any]) -> Callable[[ServerRequest], Wire]:
        offered = {tool["function"]["name"] for tool in body.get("tools") or ()}
        if what == "You route":
            return self._route(said, offered)
        if what == "IDENTIFY":
            return json_object({"name": "Ann"})
        if what == "BACKCHANNEL":
            return say("Hm, let me see.")
        if what == "REFUND":
            return hang() if self.held else say(f"Refund noted: {said}")
        if said == "when could I come?" and body["messages"][-1]["role"] == "user":
            find = next(name for name in offered if "find_ticket" in name)
            slots = next(name for name in offered if "slots" in name)
            return call_tools([("c1", find, {"number": 7}), ("c2", slots, {"day": "today"})])
        return say(f"Advice on {said}")

    def _route(self, said: str, offered: set[str]) -> Callable[[ServerRequest], Wire]:
        assert "none_of_these" in offered
        if "broken" in said:
            return call_tool("identify-look_up", {"product": "toaster/../7"})
        if "open" in said:
            return call_tool("hours", {})
        if "human" in said:
            return call_tool("human", {"product": "toaster"})
        return call_tool("none_of_these", {})


def shelf(received: Received) -> bytes:
    return answer(200, json.dumps({"title": "Toaster", "at": received.target}).encode(), content_type="application/json")


class Client:
    """The person's side: HTTP."""

    def __init__(self, http: httpx2.AsyncClient, workflow: str = "", run_id: str = "") -> None:
        self.http, self.workflow, self.run_id = http, workflow, run_id

    async def post(self, path: str, body: Any) -> dict[str, Any]:
        sent = await self.http.post(path, json=body)
        assert sent.status_code < 300, sent.text
        return dict(sent.json())

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        return dict((await self.http.get(path, params=query)).raise_for_status().json())

    async def start(self, web: str, desk: Served) -> None:
        headers = {"headers": {"X-Team": "support"}, "secret_headers": {"X-Key": "k-secret"}}
        await self.post("/v1/connections", {"name": "desk", "type": "mcp", "base_url": desk.url, **headers})
        made = await self.post("/v1/workflows", {"document": document(web)})
        await self.post(f"/v1/workflows/{made['id']}/versions", {"activate": True})
        self.workflow = made["id"]
        params = {"input": {"shop": "Toasty"}, "tags": ["vip"], "metadata": {"channel": "web"}}
        self.run_id = (await self.post(f"/v1/workflows/{made['id']}/command", {"command": "start", "params": params}))["run_id"]

    async def tell(self, message: str, **params: Any) -> None:
        body = {"command": "data", "run_id": self.run_id, "params": {"message": message, **params}}
        await self.post(f"/v1/workflows/{self.workflow}/command", body)

    async def say(self, message: str, **params: Any) -> list[str]:
        """Say something; return what was answered."""
        turn = len(await self.turns()) + 1
        await self.tell(message, **params)
        return await self.answered(turn)

    async def turns(self) -> list[dict[str, Any]]:
        return [event["data"] for event in (await self.get(f"/v1/runs/{self.run_id}/events", type="turn_ended"))["data"]]

    async def answered(self, turn: int) -> list[str]:
        """Return what a turn said, once it has ended."""
        for attempt in range(300):
            turns = await self.turns()
            if len(turns) >= turn:
                return [told["text"] for told in turns[turn - 1]["output"]]
            if attempt % 20 == 19:
                run = await self.get(f"/v1/runs/{self.run_id}")
                assert run["status"] in ("running", "waiting", "queued"), run["error"]
            await asyncio.sleep(0.1)
        raise AssertionError(f"turn {turn} does not end")

    async def generations(self) -> int:
        return len((await self.get(f"/v1/runs/{self.run_id}/generations"))["data"])


@asynccontextmanager
async def connected(address: str, known: Client | None = None) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(base_url=address, timeout=60) as http:
        yield Client(http, known.workflow, known.run_id) if known else Client(http)


async def live(client: Client, opened: asyncio.Event, until: str) -> str:
    """Follow the run's stream from now on; return the text shown live before the next event of the type."""
    seen = ""
    last = (await client.get(f"/v1/runs/{client.run_id}/events", before=2**31 - 1, limit=1))["data"][-1]["seq"]
    async with client.http.stream("GET", f"/v1/runs/{client.run_id}/stream", params={"after": last}) as stream:
        async for line in stream.aiter_lines():
            message = json.loads(line[5:]) if line.startswith("data:") else {}
            opened.set()
            if message.get("type") == "delta":
                seen += message["text"]
            if message.get("type") == until:
                return seen
    raise AssertionError(f"the stream ended: {line}")


async def first_half(client: Client, provider: Provider) -> None:
    assert await client.answered(1) == ["Welcome to Toasty. Your name?"]
    assert await client.say("I am Ann") == ["Thank you, Ann. What is it about?"]
    assert await client.say("it is broken") == [
        *("I am sorry.", "One moment, please.", "Hm, let me see."),
        "Advice on (The person waits for your answer.)",
    ]
    opened = asyncio.Event()
    shown = asyncio.ensure_future(live(client, opened, "turn_ended"))
    await opened.wait()
    said = await client.say("when could I come?", variables={"urgent": True}, message_id="m4")
    assert said == ["Hm, let me see.", "Looking at the calendar.", "Advice on when could I come?"]
    live_text = await shown
    assert [text in live_text for text in said] == [True] * 3
    await client.tell("when could I come?", message_id="m4")  # the same again counts once
    assert await client.say("when are you open?") == ["We are open from nine to five."]
    assert (await client.turns())[-1]["node"] == "advise"
    assert await client.say("10:00") == ["Hm, let me see.", "Booked: 10:00 today."]


async def killed_within_a_turn(client: Client, provider: Provider, process: Any) -> None:
    provider.held = True
    before = await client.generations()
    await client.tell("and a refund")
    while not any(asked.startswith("REFUND") for asked in provider.asked) or await client.generations() == before:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    process.kill()
    process.wait()
    provider.held = False


async def second_half(client: Client) -> None:
    assert await client.answered(7) == ["Refund noted: and a refund"]
    assert await client.say("50 Euro") == ["Refund noted: 50 Euro"]
    assert await client.say("thanks") == ["Refund noted: thanks"]
    assert await client.say("now a human") == ["Of course.", "I hand you over to a colleague."]


async def handed_over(client: Client) -> None:
    for _ in range(200):
        tasks = (await client.get("/v1/tasks/pending"))["data"]
        if tasks:
            break
        await asyncio.sleep(0.1)
    assert tasks[0]["title"] == "Take over from human"
    assert len(tasks[0]["payload"]) == 10
    await client.post(f"/v1/tasks/{tasks[0]['id']}/complete", {"approved": True, "comment": "I called Ann"})
    await client.post(f"/v1/runs/{client.run_id}/comments", {"content": "Nice work"})
    for _ in range(200):
        run = await client.get(f"/v1/runs/{client.run_id}")
        if run["ended_at"]:
            break
        await asyncio.sleep(0.1)
    assert (run["status"], run["output"]) == ("succeeded", "I called Ann")


def blank(example: Any, told: list[Any], path: str = "") -> list[str]:
    """Return the places of the example that are nowhere filled in: null, empty text, or nothing in a block."""
    if isinstance(example, dict):
        if not example:
            return [] if any(told) else [path]
        return [place for name, value in example.items() for place in blank(value, [one[name] for one in told], f"{path}/{name}")]
    if isinstance(example, list):
        items = [item for one in told for item in one]
        return [path] if not items else [] if example == ["<unknown>"] else blank(example[0], items, f"{path}/*")
    return [] if any(one is not None and one != "" for one in told) else [path]


RUN = "/workflow_run/workflow_run"
NOT_HERE = {f"{RUN}/source_workflow_run_id"}
"""The run retries no other."""


async def evaluated(client: Client) -> None:
    """Let every turn be judged by itself, and the run."""
    made = await client.post(
        "/v1/evaluators", {"name": "brief", "code": {"code": "1.0 if len(str(output)) < 200 else 0.0"}, "pass_score": 0.5}
    )
    events = (await client.get(f"/v1/runs/{client.run_id}/events", type="turn_started"))["data"]
    asked = {event["data"]["turn"]: event["data"].get("message") for event in events}
    gave = {turn["turn"]: [told["text"] for told in turn["output"]] for turn in await client.turns()}
    for number, output in gave.items():
        turn = {"number": number, "input": asked[number], "output": output}
        await client.post(f"/v1/runs/{client.run_id}/evaluations", {"evaluator": made["name"], "turn": turn})
    await client.post(f"/v1/runs/{client.run_id}/evaluations", {"evaluator": made["name"]})
    for _ in range(600):
        if len((await client.get(f"/v1/runs/{client.run_id}"))["evaluations"]) == len(gave) + 1:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the turns are not judged")


async def its_document(client: Client, provider: Provider, desk: Served) -> None:
    short = client.run_id.removeprefix("run_")[:24]
    told = await client.get(f"/workflows/v1/workflow-runs/{short}")
    assert [f"{error.instance_path}: {error.message}" for error in SHAPE.iter_errors(told)] == []
    assert set(blank(EXAMPLE, [told])) - NOT_HERE == set()
    run = told["workflow_run"]["workflow_run"]
    pairs = run["input_output_pairs"]
    assert [pair["run_input"]["command"] for pair in pairs] == ["start", *["data"] * 9, "complete_task"]
    given = [pair["run_input"]["thread_to_node_inputs"].get("talk") for pair in pairs]
    assert given[4] == {"talk/advise": {"message": "when are you open?", "variables": {}}}
    judged = [pair["evaluation"].get("brief", {}).get("review") for pair in pairs]
    assert judged == [*["positive"] * 10, None]
    gave = [pair["run_output"]["thread_to_node_outputs"].get("talk") for pair in pairs]
    assert gave[2].keys() == {"talk/identify", "talk/look_up", "talk/advise"}
    assert gave[4]["talk/hours"]["messages"] == ["We are open from nine to five."]
    assert gave[9]["talk/human"]["via"] == "global"
    assert pairs[3]["run_input"]["dynamic_variables"] == {"shop": "Toasty", "urgent": True}
    assert pairs[3]["run_input"]["runtime_variables"].keys() == {"shop", "urgent", "person", "product", "stock"}
    events = [event["seq"] for pair in pairs for event in pair["run_output"]["events"]]
    assert events == sorted(set(events))
    assert len(events) == events[-1] == events[-1] - events[0] + 1
    config = run["workflow_config_fully_hydrated"]
    ids = {node["logical_id"] for node in config["node_configs"]}
    assert {end for edge in config["edge_configs"] for end in (edge["source_node_logical_id"], edge["destination_node_logical_id"])} < ids
    assert config["workflow_config"]["mcp_servers"] == [
        {"name": "desk", "server_url": desk.url, "api_headers": {"X-Team": "support", "X-Key": "***"}}
    ]
    assert run["llm_token_usage"]["call_count"] == len(provider.asked) - 1  # the one that was cut off by the kill left no record


async def check(folder: Path) -> None:
    provider = Provider()
    async with ScriptedServer(provider) as models, LocalServer(shelf) as web, served_desk() as desk:
        settings = {
            "RUNWELL_CONNECTION_LOCAL_BASE_URL": models.base_url,
            "RUNWELL_CONNECTION_LOCAL_API_KEY": "sk-key",
            "RUNWELL_HTTP_ALLOW": "127.0.0.0/8",
        }
        with serving(folder, **settings) as (address, process):
            async with connected(address) as client:
                await client.start(web.url(""), desk)
                await first_half(client, provider)
                await killed_within_a_turn(client, provider, process)
        with serving(folder, **settings) as (address, _):
            async with connected(address, client) as client:
                await second_half(client)
                await handed_over(client)
                await evaluated(client)
                await its_document(client, provider, desk)
        asked_twice = {what for what, times in Counter(provider.asked).items() if times > 1}
        assert asked_twice == {"ADVISE when could I come?", "REFUND and a refund"}  # about its tools; and what the kill cut off
        assert [request.target for request in web.requests] == ["/products/toaster%2F..%2F7"]
        assert [call[0] for call in desk.calls] == ["find_ticket"]


def test_ten_turns_with_branches_a_global_node_and_a_handover(tmp_path: Path) -> None:
    run_async(check(tmp_path))
