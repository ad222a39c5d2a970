"""The live stream of all runs of a workflow, over real sockets: nothing lost, nothing twice; and who may open one."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.stream_server import (
    Said,
    heard,
    ids,
    journaled,
    published,
    relay,
    resumed_socket,
    runs_to_end,
    stream_server,
)
from tests.acceptance.workbench import run_async
from websockets.exceptions import ConnectionClosed, InvalidStatus

from runwell.model.ids import new_id
from runwell.model.principal import Principal
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.query.following import StreamLimits


class TestWorkflowStream:
    @pytest.mark.parametrize("seed", range(6))
    def test_reconnecting_at_random_points_gives_every_event_once_in_order(self, tmp_path: Path, seed: int) -> None:
        """300 events of ten runs at once; cuts fall before, between and after appends, catching up and live."""

        async def main() -> None:
            chance = random.Random(seed)
            limits = StreamLimits(buffer_items=chance.choice([3, 40, 1_000]), page=chance.choice([1, 7, 100]), batch_bytes=1_000)
            async with stream_server(tmp_path, limits=limits) as server:
                version = await published(server, 13)
                await runs_to_end(server, await server.app.publish(relay(1) | {"name": "another"}), 3)
                running = asyncio.create_task(runs_to_end(server, version, 10))
                total, cursor, got = 10 * (2 * 13 + 3), "0", list[Said]()
                async with asyncio.timeout(60):
                    while len(got) < total:
                        cursor = await resumed_socket(server, version.workflow_id, cursor, chance.randint(1, 60), total, got)
                await running
                assert ids(got) == await journaled(server, version)

        run_async(main())

    def test_every_cursor_of_a_stream_gives_exactly_the_rest(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                version = await published(server, 3)
                await runs_to_end(server, version, 3)
                whole = await journaled(server, version)
                got: list[Said] = []
                await resumed_socket(server, "relay", "0", 10_000, len(whole), got)
                assert ids(got) == whole
                for place, message in enumerate(got[:-1], 1):
                    rest: list[Said] = []
                    await resumed_socket(server, "relay", message["cursor"], 10_000, len(whole) - place, rest)
                    assert ids(rest) == whole[place:]

        run_async(main())

    def test_a_cursor_holds_over_a_restart_of_the_server(self, tmp_path: Path) -> None:
        async def main() -> None:
            got: list[Said] = []
            async with stream_server(tmp_path) as server:
                version = await published(server, 5)
                await runs_to_end(server, version, 2)
                cursor = await resumed_socket(server, "relay", "0", 9, 10_000, got)
            async with stream_server(tmp_path, port=server.port) as server:
                await runs_to_end(server, version, 2)
                whole = await journaled(server, version)
                await resumed_socket(server, "relay", cursor, 10_000, len(whole), got)
                assert ids(got) == whole

        run_async(main())

    def test_without_a_cursor_it_begins_now_and_says_where_that_is(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                version = await published(server, 2)
                await runs_to_end(server, version, 1)
                edge = await server.app.journal.position()
                async with server.socket("/v1/workflows/relay/stream") as connection:
                    first = json.loads(await connection.recv())
                    assert first["type"] == "heartbeat"
                await runs_to_end(server, version, 1)
                new, got = await journaled(server, version, edge), list[Said]()
                await resumed_socket(server, "relay", first["cursor"], 10_000, len(new), got)
                assert ids(got) == new

        run_async(main())

    def test_the_same_over_server_sent_events(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                version = await published(server, 3)
                await runs_to_end(server, version, 2)
                whole, got, last = await journaled(server, version), list[Said](), ""
                async for key, said in server.sse("/v1/workflows/relay/stream?after=0"):
                    if key is not None:
                        got, last = [*got, said], key
                    if len(got) == 7:
                        break
                async for key, said in server.sse("/v1/workflows/relay/stream?after=0", {"Last-Event-ID": last}):
                    got += [said] if key is not None else []
                    if len(got) == len(whole):
                        break
                assert ids(got) == whole

        run_async(main())

    def test_a_ping_is_answered_and_nothing_else_is_taken(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                await published(server, 1)
                async with server.socket("/v1/workflows/relay/stream") as connection:
                    await connection.recv()
                    await connection.send('{"type": "ping"}')
                    assert json.loads(await connection.recv()) == {"type": "pong"}
                for bad in ('{"type": "ping", "more": 1}', "{", '"ping"', "x" * 2_000, b"\xff", '{"type":"ping"}' + " " * 2_000):
                    async with server.socket("/v1/workflows/relay/stream") as connection:
                        await connection.recv()
                        await connection.send(bad)
                        assert json.loads(await connection.recv())["reason"] == "bad_message"
                        with pytest.raises(ConnectionClosed) as closed:
                            await connection.recv()
                        assert closed.value.rcvd is not None
                        assert closed.value.rcvd.code == 1008

        run_async(main())


class TestWhoMayOpenASocket:
    def test_strangers_other_origins_and_others_workflows(self, tmp_path: Path) -> None:
        ann = Principal(scope=DEFAULT_SCOPE, actor="ann", permissions=frozenset({"workflow:read"}))
        eve = Principal(scope=Scope(new_id("org"), new_id("prj")), actor="eve", permissions=frozenset({"workflow:read"}))
        dan = Principal(scope=ann.scope, actor="dan", permissions=frozenset({"workflow:write"}))
        known = {"Bearer ann": ann, "Bearer eve": eve, "Bearer dan": dan}
        tickets = {"t1": ann}

        async def authenticate(connection: Any) -> Principal | None:
            return known.get(connection.headers.get("authorization", ""))

        async def redeem(ticket: str) -> Principal | None:
            return tickets.pop(ticket, None)

        async def main() -> None:
            limits = StreamLimits(check_s=0.05)
            parts: dict[str, Any] = {
                "local_only": False,
                "authenticate": authenticate,
                "redeem_ticket": redeem,
                "allowed_origins": ("https://app.example",),
            }
            async with stream_server(tmp_path, limits=limits, **parts) as server:
                version = await published(server, 1)

                async def status(who: str | None, path: str = "relay", origin: str | None = None) -> tuple[int, dict[str, Any]]:
                    headers = {} if who is None else {"authorization": f"Bearer {who}"}
                    try:
                        async with server.socket(f"/v1/workflows/{path}", additional_headers=headers, origin=origin):
                            return 101, {}
                    except InvalidStatus as exc:
                        answer = exc.response
                    problem = json.loads(answer.body)
                    assert answer.headers["content-type"] == "application/problem+json"
                    assert problem["request_id"] == answer.headers["x-request-id"]
                    return answer.status_code, problem

                assert (await status("ann", "relay/stream"))[0] == 101
                assert (await status(None, "relay/stream"))[0] == 401
                assert (await status("bob", "relay/stream"))[0] == 401
                assert (await status("dan", "relay/stream"))[0] == 403
                for text in ("relay", version.workflow_id, version.workflow_id.removeprefix("wf_")):
                    foreign, missing = await status("eve", f"{text}/stream"), await status("eve", "absent/stream")
                    assert foreign[0] == missing[0] == 404
                    assert foreign[1]["detail"].replace(text, "absent") == missing[1]["detail"]
                assert (await status("ann", "relay/stream?after=x"))[0] == 422
                assert (await status("ann", "relay/stream", f"http://127.0.0.1:{server.port}"))[0] == 101
                assert (await status("ann", "relay/stream", "https://app.example"))[0] == 101
                for origin in (
                    "https://evil.example",
                    "null",
                    f"http://127.0.0.1:{server.port + 1}",
                    "http://[",
                    "https://app.example.evil",
                ):
                    assert (await status("ann", "relay/stream", origin))[0] == 403
                assert (await status(None, "relay/stream?ticket=t1"))[0] == 101
                assert (await status(None, "relay/stream?ticket=t1"))[0] == 401
                assert (await status("ann", "relay/stream?ticket=t1"))[0] == 401

                for path in (f"/v1/runs/{await server.app.start(version)}/stream", "/v1/workflows/relay/stream"):
                    async with httpx2.AsyncClient() as client:
                        answer = await client.get(server.url(path), headers={"authorization": "Bearer eve"})
                        assert answer.status_code == 404

                async with server.socket("/v1/workflows/relay/stream", additional_headers={"authorization": "Bearer ann"}) as connection:
                    await connection.recv()
                    known.clear()  # the key is revoked
                    assert [message["reason"] async for message in heard(connection)] == ["forbidden"]

        run_async(main())
