"""A Runwell that is served on a loopback port, and readers of its live streams."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import uvicorn
from tests.acceptance.workbench import Workbench, document, work
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from runwell.api.application import create_app
from runwell.api.parts import Parts
from runwell.bootstrap import close_services, hosted_evaluation, read_trace, real_outside
from runwell.ports.journal import Journal, Version
from runwell.ports.models import Models
from runwell.query.following import StreamLimits, Streams
from runwell.runtime.traces import TraceRecorder
from runwell.serving import _listen, parts_for
from runwell.settings import Settings
from runwell.storage.feedback_tokens import SignedTokens
from runwell.storage.sealing import KeyRing
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.storage.sql_identity import sql_identities
from runwell.storage.sql_traces import SqlPendingSpans
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.storage.sqlite_sql import SqliteSql
from runwell.testing import MemoryApp, assemble_memory

Said = dict[str, Any]

BRISK = StreamLimits(heartbeat_s=0.05)

CONTROL = {"delta", "heartbeat", "gap", "pong", "end"}


@dataclass
class StreamServer:
    """One server; `stop` stops it as a signal would, streams first."""

    app: MemoryApp
    parts: Parts
    port: int
    bench: Workbench
    listener: socket.socket
    _uvicorn: uvicorn.Server = field(repr=False)
    _serving: "asyncio.Task[None]" = field(repr=False)

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    @property
    def connections(self) -> int:
        return len(self._uvicorn.server_state.connections)

    async def stop(self) -> None:
        await self.parts.streams.close()
        self._uvicorn.should_exit = True
        await self._serving

    async def sse(self, path: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[tuple[str | None, Said]]:
        """Yield id and data of each message until the response ends."""
        async with (
            httpx2.AsyncClient(timeout=30) as client,
            client.stream("GET", self.url(path), headers=dict(headers or {})) as response,
        ):
            if response.status_code == 204:
                return
            assert response.status_code == 200, await response.aread()
            assert response.headers["content-type"].startswith("text/event-stream")
            lines: dict[str, str] = {}
            async for line in response.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    lines[name] = value
                    continue
                if "data" in lines:
                    yield lines.get("id"), json.loads(lines["data"])
                lines = {}

    def socket(self, path: str, **options: Any) -> connect:
        return connect(self.url(path, "ws"), proxy=None, max_queue=None, **options)  # a full queue would hold up `close`


@asynccontextmanager
async def stream_server(
    data_dir: Path,
    *,
    limits: StreamLimits | None = None,
    models: Models | None = None,
    read_through: Callable[[Journal], Journal] = lambda journal: journal,
    port: int = 0,
    **parts: Any,
) -> AsyncIterator[StreamServer]:
    """Serve what lies in the data directory. `parts` replace those of the HTTP interface, which sees the journal `read_through`."""
    bench, settings = Workbench(), Settings(data_dir=data_dir, rate_limit="none")
    journal = SqliteJournal(data_dir, blobs=None)
    sql = SqliteSql(journal)
    bare = assemble_memory([bench.type], journal=journal, definitions=SqlDefinitions(sql), models=models)
    keys = KeyRing(settings.data_dir)
    vault, outside = real_outside(settings, sql, keys)
    kept: dict[str, Any] = {"tools": bare.services.tools, "evaluation": hosted_evaluation(bare.runtime, sql)}
    kept["feedback_tokens"] = SignedTokens(keys)
    kept["traces"] = TraceRecorder(bare.runtime, SqlPendingSpans(sql), read_trace, bare.clock)
    app = msgspec.structs.replace(bare, sql=sql, identities=sql_identities(sql, bare.clock), vault=vault, **kept)
    await app.runtime.open()
    seen = read_through(journal)
    made = msgspec.structs.replace(parts_for(app, settings), journal=seen, streams=Streams(app.runtime.feed, seen, limits), **parts)
    listener = _listen("127.0.0.1", port)
    server = uvicorn.Server(
        uvicorn.Config(create_app(made), lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=5)
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    running = StreamServer(app, made, listener.getsockname()[1], bench, listener, server, serving)
    try:
        async with asyncio.timeout(5):
            while not server.started:  # noqa: ASYNC110 - uvicorn tells by this alone
                await asyncio.sleep(0.005)
        yield running
    finally:
        if not serving.done():
            await running.stop()
        await app.runtime.close()
        for services in (app.services, outside):
            await close_services(services)


async def heard(connection: ClientConnection) -> AsyncIterator[Said]:
    """Yield what comes over the socket until it is closed."""
    try:
        async for text in connection:
            yield json.loads(text)
    except ConnectionClosed:
        return


def events(said: list[Said]) -> list[Said]:
    return [message for message in said if message["type"] not in CONTROL]


def ids(said: list[Said]) -> list[str]:
    return [message["id"] for message in events(said)]


def relay(steps: int) -> dict[str, Any]:
    """Steps one after the other, each of which lets others go on in between."""
    return document(*[work(f"s{n}", *([f"s{n - 1}"] if n else []), value=n) for n in range(steps)], name="relay")


async def published(server: StreamServer, steps: int) -> Version:
    return await server.app.publish(relay(steps))


async def journaled(server: StreamServer, version: Version, after: int = 0) -> list[str]:
    kept = await server.app.journal.tail(after, workflow_id=version.workflow_id, limit=100_000)
    return [item.event.id for item in kept]


async def until(condition: Callable[[], Any], patience_s: float = 10.0) -> None:
    async with asyncio.timeout(patience_s):
        while not condition():  # noqa: ASYNC110 - about what has no event
            await asyncio.sleep(0.005)


async def runs_to_end(server: StreamServer, version: Version, count: int) -> list[str]:
    started = [await server.app.start(version) for _ in range(count)]
    async with asyncio.timeout(60):
        await asyncio.gather(*(server.app.runtime.ended(run_id) for run_id in started))
    return started


async def resumed_socket(server: StreamServer, workflow: str, cursor: str, stop_after: int, total: int, got: list[Said]) -> str:
    """Read on from a cursor until `stop_after` more messages are there or all are; return the cursor to go on from."""
    async with server.socket(f"/v1/workflows/{workflow}/stream?after={cursor}") as connection:
        async for message in heard(connection):
            cursor = message.get("cursor", cursor)
            if message["type"] in ("heartbeat", "delta"):
                continue
            got.append(message)
            stop_after -= 1
            if stop_after <= 0 or len(got) >= total:
                break
    return cursor
