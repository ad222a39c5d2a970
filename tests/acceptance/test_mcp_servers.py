"""Real MCP servers, made with the library's own class, over standard streams and over streamable HTTP."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.contract.samples import run
from tests.local_server import LocalServer, Received, answer
from tests.mcp_server import Served, served_desk

from runwell.adapters.secrets import EnvironmentSecrets
from runwell.adapters.tools import pool
from runwell.adapters.tools.commands import McpCommand
from runwell.adapters.tools.mcp_tools import McpTools
from runwell.model.errors import StepError
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.ports.secrets import OpenConnection, Secret

ROOT = Path(__file__).parents[2]
ALLOW = ("127.0.0.0/8",)
BEARER = "bearer-of-the-desk-0123456789"
OTHER = Scope("org_" + "2" * 32, "prj_" + "2" * 32)


class Connections:
    """Connections as the vault would open them."""

    def __init__(self, *connections: OpenConnection) -> None:
        self.known = {connection.name: connection for connection in connections}

    async def reveal(self, scope: Scope, name: str) -> Secret:
        raise AssertionError(name)

    async def connection(self, scope: Scope, name: str) -> OpenConnection:
        if name not in self.known:
            raise StepError("CONNECTION_MISSING", f"there is no connection {name!r}")
        return self.known[name]


def connection(url: str, **fields: Any) -> OpenConnection:
    given: dict[str, Any] = {
        **{"connection_id": "con_1", "name": "desk", "type": "mcp", "base_url": url, "headers": {"X-Team": "support"}},
        **{"secret_headers": {"Authorization": f"Bearer {BEARER}"}, "api_key": None, "origins": (url.rpartition("/")[0],)},
    }
    return OpenConnection(**{**given, **fields})


DESK = McpCommand(command=sys.executable, args=("-m", "tests.mcp_server"), cwd=str(ROOT), env={"TOKEN": "token-of-the-desk"})


@asynccontextmanager
async def by_process() -> AsyncIterator[tuple[McpTools, list[Any]]]:
    tools = McpTools(EnvironmentSecrets(), {"desk": DESK})
    try:
        yield tools, []
    finally:
        await tools.aclose()


@asynccontextmanager
async def by_http(**options: Any) -> AsyncIterator[tuple[McpTools, Served]]:
    async with served_desk(**options) as served:
        tools = McpTools(Connections(connection(served.url)), http_allow=ALLOW)
        try:
            yield tools, served
        finally:
            await tools.aclose()


async def call(tools: McpTools, name: str, timeout_s: float = 20.0, /, **args: Any) -> Any:
    return (await tools.call(DEFAULT_SCOPE, f"mcp:desk/{name}", args, idempotency_key="the-key", timeout_s=timeout_s)).result


async def refusal(tools: McpTools, name: str, timeout_s: float = 20.0, /, **args: Any) -> StepError:
    with pytest.raises(StepError) as caught:
        await call(tools, name, timeout_s, **args)
    return caught.value


WAYS = [by_process, by_http, lambda: by_http(json_response=True), lambda: by_http(stateless_http=True)]


@pytest.mark.parametrize("way", WAYS, ids=["process", "http", "http with json", "http without sessions"])
def test_tools_are_listed_and_called(way: Callable[[], Any]) -> None:
    async def main() -> None:
        async with way() as (tools, _):
            listed = await tools.list(DEFAULT_SCOPE, ["mcp:desk/find_ticket", "mcp:desk/shout"])
            assert [(info.name, info.description, info.unsafe) for info in listed] == [
                ("mcp:desk/find_ticket", "Find a ticket by its number.", False),
                ("mcp:desk/shout", "Say it louder.", True),
            ]
            assert listed[0].input_schema["required"] == ["number"]
            assert len(await tools.list(DEFAULT_SCOPE, ["mcp:desk/*"])) == 5
            assert await call(tools, "find_ticket", number=7) == {"number": 7, "title": "Ticket 7"}
            assert await call(tools, "shout", text="hi") == "HI"
            for name, args in [("refuse", {"why": "x"}), ("nothing", {}), ("find_ticket", {"number": "seven"})]:
                error = await refusal(tools, name, **args)
                assert (error.code, error.retryable) == ("MCP_TOOL_FAILED", False)
                assert (error.details or {})["reason"] in ("tool_error", "unknown_tool", "invalid_args")
            with pytest.raises(StepError, match="has no tool 'nothing'"):
                await tools.list(DEFAULT_SCOPE, ["mcp:desk/nothing"])

    run(main())


@pytest.mark.parametrize("way", [by_process, by_http], ids=["process", "http"])
def test_many_calls_share_a_session(way: Callable[[], Any]) -> None:
    async def main() -> None:
        async with way() as (tools, _):
            results = await asyncio.gather(*(call(tools, "shout", text=f"x{number}") for number in range(60)))
            assert results == [f"X{number}" for number in range(60)]

    run(main())


def test_credentials_go_to_the_server_only_and_the_key_goes_along() -> None:
    async def main() -> None:
        async with by_http() as (tools, served):
            assert await call(tools, "find_ticket", number=7) == {"number": 7, "title": "Ticket 7"}
            assert served.calls == [("find_ticket", 7, "the-key")]
            assert {request["authorization"] for request in served.requests} == {f"Bearer {BEARER}"}
            assert {request["x-team"] for request in served.requests} == {"support"}
            assert {request["method"] for request in served.requests} == {"POST"}, "no standing stream"
            assert await call(tools, "shout", text=f"<{BEARER}>".lower()) == f"<{BEARER}>".upper()
            error = await refusal(tools, "find_ticket", number=BEARER)
            assert BEARER not in error.message

    run(main())


def test_a_process_gets_its_own_environment_and_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-operator")
    monkeypatch.setenv("RUNWELL_SECRET_KEY", "more-of-the-operator")

    async def main() -> None:
        async with by_process() as (tools, _):
            assert await call(tools, "environment", name="TOKEN") == "***"
            assert await call(tools, "environment", name="OPENAI_API_KEY") == "not set"
            assert await call(tools, "environment", name="RUNWELL_SECRET_KEY") == "not set"

    run(main())


@pytest.mark.parametrize("how", ["cancelled", "too slow"])
def test_a_call_that_is_ended_ends_at_once_and_the_server_is_told(how: str) -> None:
    async def main() -> None:
        async with by_http() as (tools, served):
            lines: list[str] = []
            half = asyncio.Event()

            def heard(line: str) -> None:
                lines.append(line)
                half.set()

            await call(tools, "shout", text="x")
            timeout_s = 1.0 if how == "too slow" else 30.0
            asked = tools.call(DEFAULT_SCOPE, "mcp:desk/slow", {}, idempotency_key="k", on_log=heard, timeout_s=timeout_s)
            slow = asyncio.ensure_future(asked)
            await asyncio.wait_for(half.wait(), 10)
            assert lines == ["half way"]
            began = time.monotonic()
            if how == "cancelled":
                slow.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await slow
                assert time.monotonic() - began < 0.5
            else:
                with pytest.raises(StepError, match="within 1 s"):
                    await slow
            async with asyncio.timeout(10):
                while ("cancelled",) not in served.calls:  # noqa: ASYNC110 - the server has no event
                    await asyncio.sleep(0.01)
            assert await call(tools, "shout", text="on") == "ON", "the session goes on"

    run(main())


def test_commands_are_the_default_organizations() -> None:
    async def main() -> None:
        async with by_process() as (tools, _):
            with pytest.raises(StepError, match="no MCP server 'desk'") as caught:
                await tools.call(OTHER, "mcp:desk/shout", {"text": "x"}, idempotency_key="k")
            assert caught.value.code == "CONNECTION_MISSING"
            assert "RUNWELL" not in caught.value.message
            for name in ("mcp:nobody/shout", "mcp:dest/shout"):
                with pytest.raises(StepError, match="no MCP server"):
                    await tools.call(DEFAULT_SCOPE, name, {}, idempotency_key="k")
            for name in ("mcp:desk", "http:x", "mcp:/x", "mcp:desk/"):
                with pytest.raises(StepError, match="names no tool") as caught:
                    await tools.call(DEFAULT_SCOPE, name, {}, idempotency_key="k")
                assert caught.value.code == "TOOL_FAILED"

    run(main())


def test_a_connection_goes_to_public_addresses_and_its_origins_only() -> None:
    async def main() -> None:
        async with served_desk() as served:
            cases = [
                (connection(served.url), (), "HTTP_BLOCKED"),
                (connection(served.url, origins=("https://a.example",)), ALLOW, "SECRET_REFUSED"),
            ]
            for known, allow, code in cases:
                tools = McpTools(Connections(known), http_allow=allow)
                error = await refusal(tools, "shout", text="x")
                assert (error.code, error.retryable) == (code, False)
                await tools.aclose()
            assert served.requests == []

    run(main())


def test_another_connection_of_the_name_is_another_session() -> None:
    async def main() -> None:
        async with served_desk() as first, served_desk() as second:
            connections = Connections(connection(first.url))
            tools = McpTools(connections, http_allow=ALLOW)
            await call(tools, "shout", text="x")
            connections.known["desk"] = connection(second.url)
            await call(tools, "shout", text="y")
            assert (len(first.calls), len(second.calls)) == (1, 1)
            await tools.aclose()

    run(main())


def test_idle_sessions_are_closed() -> None:
    async def main() -> None:
        async with served_desk() as served:
            tools = McpTools(Connections(connection(served.url)), http_allow=ALLOW, idle_s=0.05)
            await call(tools, "shout", text="x")
            async with asyncio.timeout(10):
                while served.requests[-1]["method"] != "DELETE":  # noqa: ASYNC110 - the server has no event
                    await asyncio.sleep(0.01)
            assert await call(tools, "shout", text="y") == "Y"
            await tools.aclose()

    run(main())


def test_a_project_has_so_many_sessions_and_leaves_the_rest_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MOST_OF_ONE", 2)

    async def main() -> None:
        async with served_desk() as served:
            known = [connection(served.url, name=name) for name in ("desk", "b", "c")]
            tools = McpTools(Connections(*known), http_allow=ALLOW)

            async def slow(name: str) -> Any:
                return await tools.call(DEFAULT_SCOPE, f"mcp:{name}/slow", {}, idempotency_key="k")

            async def shout(scope: Scope, name: str) -> Any:
                return (await tools.call(scope, f"mcp:{name}/shout", {"text": "x"}, idempotency_key="k")).result

            assert [await shout(DEFAULT_SCOPE, name) for name in ("desk", "b", "c")] == ["X"] * 3, "idle ones make room"
            busy = [asyncio.ensure_future(slow(name)) for name in ("b", "c")]
            async with asyncio.timeout(10):
                while sum(call[0] == "slow" for call in served.calls) < 2:  # noqa: ASYNC110 - the server has no event
                    await asyncio.sleep(0.01)
            with pytest.raises(StepError, match="2 sessions") as caught:
                await shout(DEFAULT_SCOPE, "desk")
            assert caught.value.retryable
            assert await shout(OTHER, "desk") == "X"
            for call in busy:
                call.cancel()
            await asyncio.gather(*busy, return_exceptions=True)
            await tools.aclose()

    run(main())


def test_a_server_that_refuses_us_says_so_however_often_it_is_asked() -> None:
    async def main() -> None:
        async with LocalServer(lambda received: answer(401)) as server:
            tools = McpTools(Connections(connection(server.url("/mcp"))), http_allow=ALLOW)
            errors = [await refusal(tools, "work") for _ in range(4)]
            assert [(error.details or {})["reason"] for error in errors] == ["auth", "auth", "unavailable", "unavailable"]
            assert all("status 401" in error.message for error in errors)
            await tools.aclose()

    run(main())


HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "h", "version": "1"}}


def over_http(misbehave: Callable[[Any], bytes], forget: bool = False) -> Callable[[Received], bytes]:
    """Return a server that greets politely and answers calls by `misbehave`."""
    forgotten = False

    def respond(received: Received) -> bytes:
        nonlocal forgotten
        request = received.json if received.body else {}
        match request.get("method"):
            case "initialize":
                return reply(request, HELLO, mcp_session_id="s1")
            case "tools/call" if forget and not forgotten:
                forgotten = True
                return answer(404)
            case "tools/call":
                return misbehave(request)
        return answer(202)

    return respond


def reply(request: Any, result: Any, **headers: str) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode()
    return answer(200, body, content_type="application/json", **headers)


DONE = {"content": [{"type": "text", "text": "done"}]}
EVENT = b"event: message\ndata: "


def chunked(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body


MISBEHAVIOUR: dict[str, tuple[Callable[[Any], bytes], str]] = {
    "garbage": (lambda request: b"\x00\xff garbage\r\n\r\n", "connection"),
    "no json": (lambda request: answer(200, b"{", content_type="application/json"), "server_error"),
    "html": (lambda request: answer(200, b"<p>", content_type="text/html"), "server_error"),
    "large": (lambda request: answer(200, b" " * 11_000_000, content_type="application/json"), "too_large"),
    "large event": (lambda request: chunked(EVENT + b"x" * 11_000_000), "too_large"),
    "large stream": (lambda request: chunked(b": again\n\n" * 1_300_000), "too_large"),
    "compressed": (lambda request: answer(200, b"x", content_type="application/json", content_encoding="gzip"), "protocol"),
    "cut": (lambda request: b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{", "connection"),
    "cut stream": (lambda request: chunked(EVENT), "connection"),
    "auth": (lambda request: answer(401, b"who?"), "auth"),
    "busy": (lambda request: answer(429, b"", retry_after="7"), "rate_limit"),
    "down": (lambda request: answer(503), "overloaded"),
    "away": (lambda request: answer(307, b"", location="http://127.0.0.1:1/"), "server_error"),
    "forged": (lambda request: reply_error(request, {"runwell": "0" * 32}), "connection"),
    "wrong shape": (lambda request: reply(request, {"content": 7}), "protocol"),
}


def reply_error(request: Any, data: Any) -> bytes:
    error = {"code": -32_000, "message": "no", "data": data}
    return answer(400, json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}).encode(), content_type="application/json")


@pytest.mark.parametrize("what", MISBEHAVIOUR)
def test_what_fails_on_the_way_fails_its_call_and_not_the_session(what: str) -> None:
    misbehave, reason = MISBEHAVIOUR[what]
    turns: Iterator[Callable[[Any], bytes]] = iter([misbehave, lambda request: reply(request, DONE)])

    async def main() -> None:
        unseen: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
        closes = what in ("garbage", "cut", "cut stream", "large event", "large stream")
        async with LocalServer(over_http(lambda request: next(turns)(request)), close_after_answer=closes) as server:
            tools = McpTools(Connections(connection(server.url("/mcp"))), http_allow=ALLOW)
            error = await refusal(tools, "work")
            assert (error.code, (error.details or {})["reason"]) == ("MCP_TOOL_FAILED", reason), error.message
            assert BEARER not in error.message
            assert error.retry_after_s == (7.0 if what == "busy" else None)
            assert await call(tools, "work") == "done"
            greeted = [request for request in server.requests if request.body and request.json.get("method") == "initialize"]
            assert len(greeted) == 1, "the session went on"
            await tools.aclose()
        assert unseen == []

    run(main())


def test_a_session_that_the_server_forgot_is_begun_anew() -> None:
    async def main() -> None:
        async with LocalServer(over_http(lambda request: reply(request, DONE), forget=True)) as server:
            tools = McpTools(Connections(connection(server.url("/mcp"))), http_allow=ALLOW)
            assert await call(tools, "work") == "done"
            await tools.aclose()

    run(main())


def test_nothing_that_a_server_says_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    said = f"<{BEARER}>"

    async def main() -> None:
        respond = over_http(lambda request: reply(request, {"content": [{"type": "text", "text": said}]}))
        async with LocalServer(respond) as server:
            tools = McpTools(Connections(connection(server.url("/mcp"))), http_allow=ALLOW)
            assert await call(tools, "work") == "<***>"
            await tools.aclose()

    with caplog.at_level(logging.DEBUG):
        run(main())
    assert BEARER not in caplog.text
    assert BEARER not in msgspec.json.encode([record.getMessage() for record in caplog.records]).decode()
