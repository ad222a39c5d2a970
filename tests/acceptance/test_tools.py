"""Tools in workflows: declared ones, MCP servers by the command line and by the server, what is recorded and when."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from tests.acceptance.api_bench import Api, with_api
from tests.acceptance.command_line import CommandLine
from tests.acceptance.served import serving
from tests.acceptance.steered_journal import SteeredJournal
from tests.contract.samples import run
from tests.local_server import LocalServer, Received, answer
from tests.mcp_server import served_desk
from tests.scripted_tools import ScriptedTools

from runwell.model.errors import StepError
from runwell.model.run import RunView
from runwell.model.step import StepSpec
from runwell.ports.steps import StepContext, StepType
from runwell.sdk.client import Client
from runwell.steps.tool_calls import offered
from runwell.testing import MemoryApp, memory_app

ROOT = Path(__file__).parents[2]
LOOPBACK = ("127.0.0.0/8",)
ANY = {"type": "object"}


def document(*tools: Any, tool: Any = "mcp:desk/find", args: Any = None, **step: Any) -> dict[str, Any]:
    call = {"id": "call", "type": "tool", "tool": tool, "args": {"number": "{{ input.number }}"} if args is None else args, **step}
    return {"name": "t", "tools": list(tools), "steps": [call]}


async def events_of(app: MemoryApp, run_id: str) -> list[tuple[str, Any]]:
    found = await app.journal.read(run_id)
    return [(event.type, event.data) for event in found]


async def ended(app: MemoryApp, doc: dict[str, Any], given: Any = None) -> RunView:
    return await app.run_to_end(await app.start(doc, given))


def error_of(view: RunView) -> tuple[str, str | None]:
    error = view.error
    assert error is not None
    return error.code, (error.details or {}).get("reason")


def test_a_call_is_recorded_before_and_after() -> None:
    async def main() -> None:
        tools = ScriptedTools(lambda args: {"title": f"Ticket {args['number']}"})
        async with memory_app(tools=tools) as app:
            run_id = await app.start(document(timeout_s=7), {"number": 3})
            view = await app.run_to_end(run_id)
            assert (view.status, view.output) == ("succeeded", {"title": "Ticket 3"})
            [(name, args, key, timeout_s)] = tools.calls
            assert (name, args, timeout_s) == ("mcp:desk/find", {"number": 3}, 7)
            assert key.startswith("rw-")
            told = dict(await events_of(app, run_id))
            assert (told["tool_called"].tool, told["tool_called"].args) == ("mcp:desk/find", {"number": 3})
            assert told["tool_returned"].result == {"title": "Ticket 3"}
            assert (told["log"].message, told["log"].stream) == ("on it", "mcp:desk/find")
            kinds = [kind for kind, _ in await events_of(app, run_id)]
            assert kinds.index("step_started") < kinds.index("tool_called") < kinds.index("log") < kinds.index("tool_returned")
        assert tools.ended

    run(main())


@pytest.mark.parametrize("unsafe", [None, True, False])
def test_what_may_change_something_begins_only_once_that_is_durable(unsafe: bool | None) -> None:
    async def main() -> None:
        tools, journal = ScriptedTools(), SteeredJournal()
        terms = [] if unsafe is None else [{"type": "mcp", "name": "desk/find", "unsafe": unsafe}]
        async with memory_app(tools=tools, journal=journal) as app:
            version = await app.publish(document(*terms, args={}))
            journal.held = True
            starting = asyncio.ensure_future(app.start(version))
            await app.clock.settle()
            assert len(tools.calls) == (1 if unsafe is False else 0)
            journal.release()
            run_id = await starting
            assert (await app.run_to_end(run_id)).status == "succeeded"
            assert len(tools.calls) == 1

    run(main())


def test_a_failed_call_is_recorded_and_tried_again_with_the_same_key() -> None:
    async def main() -> None:
        answers: list[Any] = [StepError("MCP_TOOL_FAILED", "gone", retryable=True, details={"reason": "connection"}), "fine"]
        tools = ScriptedTools(lambda args: answers.pop(0))
        async with memory_app(tools=tools) as app:
            run_id = await app.start(document(args={}, retry={"max_attempts": 2}))
            assert (await app.run_to_end(run_id)).output == "fine"
            assert len({key for _, _, key, _ in tools.calls}) == 1
            returned = [data for kind, data in await events_of(app, run_id) if kind == "tool_returned"]
            assert [(data.error and data.error.code, data.result) for data in returned] == [("MCP_TOOL_FAILED", None), (None, "fine")]

    run(main())


TERMS = {"type": "mcp", "name": "desk/find", "requires_approval": True}
ADD = {"type": "python", "name": "add", "code": "a + b", "inputs": {"a": "{{ args.a }}", "b": "{{ args.b }}"},
       "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a", "b"]}}  # fmt: skip


@pytest.mark.parametrize(
    ("doc", "given", "code", "reason"),
    [
        (document(tool="{{ input }}", args={}), 7, "TOOL_FAILED", "unknown_tool"),
        (document(tool="{{ input }}", args={}), "desk", "TOOL_FAILED", "unknown_tool"),
        (document(tool="{{ input }}", args={}), "python:nothing", "TOOL_FAILED", "unknown_tool"),
        (document(tool="{{ input }}", args={}), "workflow:refund", "TOOL_FAILED", "not_here"),
        (document(TERMS, tool="{{ input }}", args={}), "mcp:desk/find", "TOOL_FAILED", "needs_approval"),
        (document(args="{{ input }}"), [1], "TOOL_FAILED", "invalid_args"),
        (document(ADD, tool="python:add", args="{{ input }}"), {"a": "x", "b": 1}, "TOOL_FAILED", "invalid_args"),
        (document(ADD, tool="python:add", args="{{ input }}"), {"a": 1, "b": "x"}, "PYTHON_FAILED", None),
        ({**document(args={}), "limits": {"output_bytes": 3}}, None, "OUTPUT_TOO_LARGE", None),
    ],
)
def test_what_cannot_be_called_is_not_called(doc: dict[str, Any], given: Any, code: str, reason: str | None) -> None:
    async def main() -> None:
        tools = ScriptedTools(lambda args: "a long answer")
        async with memory_app(tools=tools) as app:
            assert error_of(await ended(app, doc, given)) == (code, reason)
            assert len(tools.calls) == (code == "OUTPUT_TOO_LARGE")

    run(main())


def test_a_python_tool_is_code_of_the_document() -> None:
    async def main() -> None:
        async with memory_app() as app:
            assert (await ended(app, document(ADD, tool="python:add", args={"a": 2, "b": 40}))).output == 42

    run(main())


def test_what_is_offered_is_on_the_documents_terms() -> None:
    async def main() -> None:
        bench: list[Any] = []

        async def look(ctx: StepContext) -> None:
            bench.extend(await offered(ctx, ["python:add", "mcp:desk/find", "mcp:desk/other", "http:find", "python:add"]))
            with pytest.raises(StepError, match="there is no workflow for the tool 'workflow:refund'"):
                await offered(ctx, ["workflow:refund"])
            with pytest.raises(StepError, match="names no tool of the workflow document"):
                await offered(ctx, ["python:none"])

        kind = StepType(name="look", spec=Look, handler=look)
        async with memory_app([kind], tools=ScriptedTools()) as app:
            terms = {"type": "mcp", "name": "desk/find", "requires_approval": True, "unsafe": False}
            doc = {**document(ADD, terms, http_tool("https://a.example/")), "steps": [{"id": "look", "type": "look"}]}
            assert (await ended(app, doc)).status == "succeeded"
        told = [(info.name, info.unsafe, info.requires_approval) for info in bench]
        assert told == [
            ("python:add", False, False),
            ("mcp:desk/find", False, True),
            ("mcp:desk/other", True, False),
            ("http:find", True, False),
        ]
        assert bench[0].input_schema == ADD["input_schema"]

    run(main())


class Look(StepSpec):
    type: Literal["look"]


def http_tool(url: str, **fields: Any) -> dict[str, Any]:
    return {"type": "http", "name": "find", "input_schema": ANY, "request": {"url": url, **fields}}


def test_arguments_cannot_leave_their_place_in_a_url() -> None:
    def respond(received: Received) -> bytes:
        return answer(200, json.dumps({"target": received.target}).encode(), content_type="application/json")

    async def main() -> None:
        async with LocalServer(respond) as server, memory_app(http_allow=LOOPBACK) as app:
            url = server.url("/tickets/{{ args.id }}/notes?by={{ args.id }}")
            for given, expected in [
                ("7", "/tickets/7/notes?by=7"),
                ("../admin?x=1#", "/tickets/..%2Fadmin%3Fx%3D1%23/notes?by=..%2Fadmin%3Fx%3D1%23"),
                ("a b&c=ü", "/tickets/a%20b%26c%3D%C3%BC/notes?by=a%20b%26c%3D%C3%BC"),
            ]:
                view = await ended(app, document(http_tool(url), tool="http:find", args={"id": "{{ input }}"}), given)
                assert view.output == {"target": expected}
            for given in (".", ".."):
                view = await ended(app, document(http_tool(url), tool="http:find", args={"id": "{{ input }}"}), given)
                assert error_of(view) == ("EXPRESSION_FAILED", None)
            assert len(server.requests) == 3
            whole = document(http_tool("{{ args.url }}"), tool="http:find", args={"url": server.url("/as/it/is")})
            assert (await ended(app, whole)).output == {"target": "/as/it/is"}

    run(main())


def test_a_tools_secret_is_sent_and_kept_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWELL_SECRET_DESK", "sesame-sesame/+")

    def respond(received: Received) -> bytes:
        return answer(200, json.dumps({"headers": received.headers, "target": received.target}).encode(), content_type="application/json")

    async def main() -> None:
        async with LocalServer(respond) as server, memory_app(http_allow=LOOPBACK) as app:
            tool = http_tool(
                server.url("/{{ secrets.DESK }}/{{ args.id }}"),
                method="POST",
                headers={"Authorization": "Bearer {{ secrets.DESK }}"},
                json={"id": "{{ args.id }}"},
            )
            run_id = await app.start(document(tool, tool="http:find", args={"id": "a/b"}))
            view = await app.run_to_end(run_id)
            assert view.status == "succeeded", view.error
            [request] = server.requests
            assert request.target == "/sesame-sesame%2F%2B/a%2Fb"
            assert request.headers["authorization"] == "Bearer sesame-sesame/+"
            assert request.headers["idempotency-key"].startswith("rw-")
            assert request.json == {"id": "a/b"}
            assert "sesame" not in str([data for _, data in await events_of(app, run_id)])

    run(main())


WORKFLOW = """
name: desk
steps:
  - {id: find, type: tool, tool: mcp:desk/find_ticket, args: {number: "{{ input.number }}"}}
  - {id: shout, type: tool, depends_on: [find], tool: mcp:desk/shout, args: {text: "{{ steps.find.result.title }}"}}
output: "{{ steps.shout.result }}"
"""
COMMANDS = json.dumps(
    {"desk": {"command": sys.executable, "args": ["-m", "tests.mcp_server"], "cwd": str(ROOT), "env": {"T": "sesame-sesame"}}}
)


def test_the_command_line_runs_a_tool_of_an_allowed_command(tmp_path: Path) -> None:
    line = CommandLine(tmp_path)
    line.write("desk.yaml", WORKFLOW)
    line.env["RUNWELL_MCP_COMMANDS"] = COMMANDS
    told = line.json("run", "desk.yaml", "--input", '{"number": 7}', "-o", "json")
    assert (told["status"], told["output"]) == ("succeeded", "TICKET 7")
    kinds = [event["type"] for event in map(json.loads, line.run("runs", "events", told["id"]).stdout.splitlines())]
    assert kinds.count("tool_called") == kinds.count("tool_returned") == 2
    del line.env["RUNWELL_MCP_COMMANDS"]
    told = line.json("run", "desk.yaml", "--input", '{"number": 7}', "-o", "json", code=1)
    assert told["error"]["code"] == "CONNECTION_MISSING"
    for file in line.data_dir.rglob("*"):
        assert not file.is_file() or b"sesame" not in file.read_bytes()


def test_the_server_runs_a_tool_of_an_allowed_command(tmp_path: Path) -> None:
    with serving(tmp_path, RUNWELL_MCP_COMMANDS=COMMANDS, PYTHONPATH=str(ROOT)) as (address, process):
        with Client(address) as client:
            client.workflows.create(yaml.safe_load(WORKFLOW))
            client.workflows.publish("desk")
            done = client.runs.wait(client.runs.start("desk", {"number": 7}).run_id)
            assert done.output == "TICKET 7"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children
    assert not any(os.path.exists(f"/proc/{pid}") for pid in children)
    assert "sesame" not in (tmp_path / "server.log").read_text()


def test_tools_of_a_connection_are_shown_and_called(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        async with served_desk() as served:
            body = {"name": "desk", "type": "mcp", "base_url": served.url, "secret_headers": {"Authorization": "Bearer sesame-sesame"}}
            made = await api.post("/v1/connections", body, status=201)
            path = f"/v1/connections/{made['id']}"
            assert (await api.post(f"{path}/test", None))["ok"] is True
            for who, status in [("ann", 200), ("contributor", 200), ("viewer", 403), ("next door", 404)]:
                told = await api.get(f"{path}/tools", who=who, status=status)
                if status == 200:
                    [first, *_] = told["data"]
                    assert (len(told["data"]), first["name"], first["unsafe"]) == (5, "mcp:desk/find_ticket", False)
                    assert first["requires_approval"] is False
            view = await api.ended(await api.start(document(tool="mcp:desk/find_ticket", args={"number": 7})))
            assert view["output"] == {"number": 7, "title": "Ticket 7"}
            assert {request.get("authorization") for request in served.requests} == {"Bearer sesame-sesame"}
        told = await api.get(f"{path}/tools", status=200)
        assert len(told["data"]) == 5, "the list is kept"
        other = await api.post("/v1/connections", {**body, "name": "other", "base_url": "http://127.0.0.1:9/mcp"}, status=201)
        assert (await api.get(f"/v1/connections/{other['id']}/tools", status=502))["code"] == "UPSTREAM_FAILED"
        web = await api.post("/v1/connections", {"name": "web", "type": "http", "base_url": "https://a.example"}, status=201)
        assert await api.get(f"/v1/connections/{web['id']}/tools") == {"data": []}
        for wrong in ({"base_url": None}, {"api_key": "x"}, {"base_url": "ftp://x"}):
            refused = await api.send("POST", "/v1/connections", json={**body, "name": "wrong", **wrong})
            assert refused.status_code == 422
            assert "sesame" not in refused.text

    with_api(tmp_path, main, http_allow=LOOPBACK)
