"""Readers of live streams that are gone, slow or many, and servers that stop."""

import asyncio
import socket
from pathlib import Path

import pytest
from tests.acceptance.stream_server import (
    BRISK,
    Said,
    StreamServer,
    heard,
    ids,
    journaled,
    published,
    relay,
    resumed_socket,
    runs_to_end,
    stream_server,
    until,
)
from tests.acceptance.workbench import document, run_async, work

from runwell.query.following import StreamLimits
from runwell.serving import UNTAKEN_MS
from runwell.testing import ScriptedModels


class TestLiveness:
    def test_heartbeats_say_that_it_lives_and_where_it_is(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path, limits=BRISK) as server:
                server.bench.hold("s0")
                run_id = await server.app.start(relay(1))
                said = []
                async for _, message in server.sse(f"/v1/runs/{run_id}/stream"):
                    said.append(message)
                    if len([one for one in said if one["type"] == "heartbeat"]) == 4:
                        break
                assert said[-1] == {"type": "heartbeat", "cursor": said[-4]["cursor"]}

        run_async(main())

    def test_model_text_is_told_live_and_kept_nowhere(self, tmp_path: Path) -> None:
        async def main() -> None:
            models = ScriptedModels(["one two three"])
            async with stream_server(tmp_path, models=models) as server:
                doc = document(work("first"), {"id": "ask", "type": "llm", "model": "x:y", "prompt": "?", "depends_on": ["first"]})
                gate = server.bench.hold("first")
                run_id = await server.app.start(doc)
                said: list[Said] = []

                async def read() -> None:
                    async for _, message in server.sse(f"/v1/runs/{run_id}/stream"):
                        said.append(message)

                reading = asyncio.create_task(read())
                await until(lambda: len(said) > 2)
                gate.open()
                async with asyncio.timeout(10):
                    await reading
                deltas = [message for message in said if message["type"] == "delta"]
                assert deltas == [
                    {"type": "delta", "run_id": run_id, "step_id": "ask", "attempt": 1, "text": text} for text in ("one ", "two ", "three")
                ]
                kinds = [message["type"] for message in said]
                assert kinds.index("delta") < kinds.index("generation_completed")
                assert ids(said) == [event.id for event in await server.app.journal.read(run_id)]

        run_async(main())

    def test_a_stopping_server_ends_all_streams_within_a_second(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                server.bench.hold("s0")
                run_id = await server.app.start(relay(1))
                said: list[Said] = []

                async def read() -> None:
                    async for _, message in server.sse(f"/v1/runs/{run_id}/stream"):
                        said.append(message)

                async with server.socket("/v1/workflows/relay/stream") as connection:
                    reading = asyncio.create_task(read())
                    await connection.recv()
                    await until(lambda: len(said) > 2)
                    began = asyncio.get_running_loop().time()
                    await server.stop()
                    assert asyncio.get_running_loop().time() - began < 1.5  # of which uvicorn sleeps some tenths
                    await reading
                    assert said[-1]["reason"] == "server_stopping"
                    assert [message["reason"] async for message in heard(connection)] == ["server_stopping"]
                    assert connection.close_code == 1001
                assert len(server.parts.streams) == 0

        run_async(main())

    def test_a_reader_that_is_gone_leaves_nothing_behind(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                server.bench.hold("s0")
                run_id = await server.app.start(relay(1))
                before = {about: len(listeners) for about, listeners in server.app.runtime.feed._listeners.items()}
                async for _ in server.sse(f"/v1/runs/{run_id}/stream"):
                    break
                async with server.socket("/v1/workflows/relay/stream") as connection:
                    await connection.recv()
                await until(lambda: len(server.parts.streams) == 0)
                assert {about: len(listeners) for about, listeners in server.app.runtime.feed._listeners.items()} == before

        run_async(main())


class TestSlowReaders:
    def test_one_that_takes_nothing_is_cut_and_hinders_nobody(self, tmp_path: Path) -> None:
        async def main() -> None:
            limits = StreamLimits(send_s=5.0, stall_s=0.3, buffer_items=50)
            async with stream_server(tmp_path, limits=limits) as server:
                blob = "x" * 100_000
                version = await server.app.publish(document(*[work(f"s{n}", value=blob) for n in range(150)], name="bulk"))
                run_id = await server.app.start(document(work("a"), name="warm"))
                await server.app.runtime.ended(run_id)
                stuck = [stuck_reader(server, f"/v1/workflows/{version.workflow_id}/stream") for _ in range(3)]
                await until(lambda: len(server.parts.streams) == 3)
                got: list[Said] = []
                reading = asyncio.create_task(resumed_socket(server, version.workflow_id, "0", 10_000, 303, got))
                await until(lambda: len(server.parts.streams) == 4)
                async with asyncio.timeout(60):
                    await runs_to_end(server, version, 1)
                    await reading
                    assert ids(got) == await journaled(server, version)
                    await until(lambda: len(server.parts.streams) == 0)
                for one in stuck:
                    one.close()

        run_async(main())

    @pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux gives such a connection up")
    def test_one_that_was_cut_and_still_takes_nothing_loses_its_connection(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path, limits=StreamLimits(send_s=0.2)) as server:
                assert server.listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNTAKEN_MS
                server.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 300)
                blob = "x" * 100_000
                version = await server.app.publish(document(*[work(f"s{n}", value=blob) for n in range(150)], name="bulk"))
                await runs_to_end(server, version, 1)
                stuck = stuck_reader(server, f"/v1/workflows/{version.workflow_id}/stream?after=0")
                await until(lambda: server.connections == 1)
                await until(lambda: server.connections == 0)
                stuck.close()

        run_async(main())

    def test_a_server_stops_beside_one_that_takes_nothing(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                blob = "x" * 100_000
                version = await server.app.publish(document(*[work(f"s{n}", value=blob) for n in range(150)], name="bulk"))
                await runs_to_end(server, version, 1)
                stuck = stuck_reader(server, f"/v1/workflows/{version.workflow_id}/stream?after=0")
                await until(lambda: any(follower._sending for follower in server.parts.streams._open))
                began = asyncio.get_running_loop().time()
                await server.parts.streams.close()
                assert asyncio.get_running_loop().time() - began < 1.0
                assert len(server.parts.streams) == 0
                stuck.close()

        run_async(main())

    def test_two_hundred_readers_at_once(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                version = await published(server, 10)
                got: list[list[Said]] = [[] for _ in range(200)]
                reading = [asyncio.create_task(resumed_socket(server, version.workflow_id, "0", 10_000, 4 * 23, mine)) for mine in got]
                await until(lambda: len(server.parts.streams) == 200, 30)
                async with asyncio.timeout(60):
                    await runs_to_end(server, version, 4)
                    await asyncio.gather(*reading)
                whole = await journaled(server, version)
                assert all(ids(mine) == whole for mine in got)

        run_async(main())


def stuck_reader(server: StreamServer, path: str) -> socket.socket:
    """Ask for a stream and read nothing of it."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    reader.connect(("127.0.0.1", server.port))
    reader.sendall(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n\r\n".encode())
    return reader
