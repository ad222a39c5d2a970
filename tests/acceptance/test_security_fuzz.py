"""What nobody should send is refused in our words: never a 5xx, never a word of our insides, and nothing is harmed."""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import pytest
from tests.acceptance.api_operations import CONSTANTS, PLACES, Operation, missing, operations
from tests.acceptance.broken_http import broken
from tests.acceptance.naughty import CONTENT_TYPES, METHODS, STRINGS, Naughty
from tests.acceptance.tenants import Caller, Tenants, owners_data, tenants
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from runwell.api.application import create_app
from runwell.bootstrap import open_app
from runwell.serving import parts_for
from runwell.settings import Settings
from runwell.testing import MemoryRunStore

SEED: Final = 20_260_217
REQUESTS: Final = 20_000
AT_ONCE: Final = 24
PATIENCE_S: Final = 30.0
BUDGET_S: Final = 240.0
"""It takes a fifth of this on a quiet machine of two cores."""

INSIDES: Final = re.compile(
    rb"Traceback|File \\?\"|site-packages|\.py\b|sqlalchemy|sqlite3|asyncpg|pydantic_core|msgspec|object at 0x|IntegrityError"
)
PROBLEM: Final = {"type", "title", "status", "code", "detail", "request_id"}


@dataclass(frozen=True)
class Wild:
    """A request as bytes."""

    operation: Operation
    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def __str__(self) -> str:
        return f"{self.operation.name}: {self.method} {self.target[:300]!r} {self.headers} {len(self.body)} {self.body[:300]!r}"


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[bytes, bytes]
    body: bytes


async def ask(app: Any, wild: Wild) -> Answered:
    """Send a request as uvicorn hands it over, the body in two pieces."""
    raw_path, _, query = wild.target.partition(b"?")
    half = len(wild.body) // 2
    incoming = [
        {"type": "http.request", "body": wild.body[:half], "more_body": True},
        {"type": "http.request", "body": wild.body[half:], "more_body": False},
    ]
    done, status, headers, parts = asyncio.Event(), 0, {}, []

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop(0)
        if wild.operation.streams:
            await asyncio.sleep(0.01)
        else:
            await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], dict(message["headers"])
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                done.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": wild.method,
        "scheme": "https",
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": list(wild.headers),
        "client": ("203.0.113.9", 1),
        "server": ("runwell.test", 443),
    }
    async with asyncio.timeout(PATIENCE_S):
        await app(scope, receive, send)
    return Answered(status, headers, b"".join(parts))


def wilds(world: Tenants, naughty: Naughty, count: int) -> Iterator[Wild]:
    """Yield malformed requests, each operation in its turn."""
    known = [one for one in operations(world.server.app.openapi()) if one.name not in ("sign_out", "update_project", "update_user")]
    known += [one for one in operations(world.server.app.openapi()) if one.name in ("update_project", "update_user")]
    callers = [caller for caller in world.foreign if not caller.same_organization]
    for number in range(count):
        operation = known[number % len(known)]
        chance = naughty.random.random()
        caller = callers[chance < 0.4] if chance < 0.95 else Caller("nobody")
        yield _wild(world, naughty, operation, caller)


def _wild(world: Tenants, naughty: Naughty, operation: Operation, caller: Caller) -> Wild:
    ids = {**world.ids, **caller.own, "key_id": world.ids["key_id"]}  # who revokes their own key is at its end
    if naughty.random.random() < 0.2:
        ids = missing(ids)
    shape = naughty.random.choice(list(operation.shapes())).filled(ids)
    path = shape.path if naughty.random.random() < 0.5 else _path(naughty, operation, ids)
    names = [name for name, place in operation.parameters if place == "query"]
    pairs = naughty.query(shape.query, names)
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)
    content_type = naughty.random.choice(CONTENT_TYPES).encode("latin-1")
    sent = {
        "Host": b"runwell.test",
        **{name: value.encode() for name, value in {**shape.headers, **caller.headers}.items()},
        "Content-Type": content_type,
        **naughty.headers(),
    }
    body = naughty.body(shape.body) if operation.method != "GET" or naughty.random.random() < 0.05 else b""
    method = operation.method if naughty.random.random() < 0.97 else naughty.random.choice(METHODS)
    target = (path + (f"?{query}" if query else "")).encode()
    return Wild(operation, method, target, tuple((name.lower().encode(), value) for name, value in sent.items()), body)


def _path(naughty: Naughty, operation: Operation, ids: dict[str, str]) -> str:
    path = operation.path
    for name, place in operation.parameters:
        if place == "path":
            sound = CONSTANTS.get(name) or ids[PLACES.get(name, name)]
            value = naughty.text()[:12_000] if naughty.random.random() < 0.6 else sound
            path = path.replace(f"{{{name}}}", _quoted(value))
    return path


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="/" if text.startswith("..") else "")


def wrong(answered: Answered) -> str | None:
    """Return what is wrong with an answer to a malformed request. Who hung up in the middle of a wait is told 499, and nothing else."""
    if (answered.status, answered.body) == (499, b""):
        return None
    if not 200 <= answered.status < 500:
        return f"status {answered.status}"
    if INSIDES.search(answered.body):
        return "tells of our insides"
    if answered.status >= 400 and not _is_openais(answered):
        if answered.headers.get(b"content-type") != b"application/problem+json":
            return f"content type {answered.headers.get(b'content-type')!r}"
        if not json.loads(answered.body).keys() >= PROBLEM:
            return "is no problem document"
    return None


def _is_openais(answered: Answered) -> bool:
    """Say whether it is an error as OpenAI's clients read it."""
    if answered.headers.get(b"content-type") != b"application/json":
        return False
    told = json.loads(answered.body)
    return set(told) == {"error"} and set(told["error"]) == {"message", "type", "param", "code"}


async def send_all(world: Tenants, requests: Iterator[Wild]) -> tuple[Counter[int], list[str]]:
    """Send the requests, some at once; return how often each status came, and what was wrong."""
    statuses: Counter[int] = Counter()
    found: list[str] = []

    async def work() -> None:
        for wild in requests:
            try:
                answered = await ask(world.server.app, wild)
            except Exception as exc:
                found.append(f"{type(exc).__name__}: {exc} at {wild}")
                continue
            statuses[answered.status] += 1
            if (problem := wrong(answered)) is not None:
                found.append(f"{problem} {answered.body[:500]!r} at {wild}")

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return statuses, found


@pytest.mark.slow
def test_malformed_requests_are_refused_and_harm_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        async with tenants(tmp_path) as world:
            before = await owners_data(world)
            began = time.perf_counter()
            statuses, found = await send_all(world, wilds(world, Naughty(SEED), REQUESTS))
            took = time.perf_counter() - began
            with capsys.disabled():
                counted = dict(sorted(statuses.items()))
                sys.stdout.write(f"\n{REQUESTS} malformed requests in {took:.1f} s: {REQUESTS / took:.0f}/s; answers {counted}\n")
            assert not found, f"{len(found)} wrong:\n" + "\n".join(found[:20])
            assert sum(statuses.values()) == REQUESTS
            assert statuses[401] < REQUESTS // 4, "most are by somebody who is known"
            assert {200, 401, 404, 405, 422} <= statuses.keys()
            assert await owners_data(world) == before
            for path in ("/readyz", f"/v1/runs/{world.ids['run_id']}", f"/v1/workflows/{world.ids['slug']}", "/metrics"):
                assert (await world.client.get(path, headers=world.owner.headers)).status_code == 200
            assert took < BUDGET_S

    asyncio.run(main())


def test_every_naughty_string_in_every_place_of_a_path(tmp_path: Path) -> None:
    """Short of chance: each string where each id stands."""

    async def main() -> None:
        async with tenants(tmp_path) as world:
            caller = world.foreign[-1]
            ids = {**world.ids, **caller.own}
            found = []
            placed = {place: one for one in operations(world.server.app.openapi()) for place, kind in one.parameters if kind == "path"}
            assert placed.keys() >= {
                "key",
                "run_id",
                "task_id",
                "key_id",
                "user_id",
                "project_id",
                "secret_id",
                "connection_id",
                "number",
                "path",
            }
            for name, operation in placed.items():
                for text in STRINGS:
                    path = operation.path.replace(f"{{{name}}}", _quoted(text[:5_000]))
                    for other, place in operation.parameters:
                        if place == "path":
                            path = path.replace(f"{{{other}}}", CONSTANTS.get(other) or ids[PLACES.get(other, other)])
                    sent = {"host": "runwell.test", "content-type": "application/json", **caller.headers}
                    headers = tuple((header.lower().encode(), value.encode()) for header, value in sent.items())
                    wild = Wild(operation, operation.method, path.encode(), headers, b"{}")
                    if (problem := wrong(await ask(world.server.app, wild))) is not None:
                        found.append(f"{problem} at {wild}")
            assert not found, f"{len(found)} wrong:\n" + "\n".join(found[:20])

    asyncio.run(main())


HOSTS: Final = (
    *("", "[", "]", "[::", "[::1", "[::1]x", "[v1.x]", "[fe80::1%lo]", "a:b", "::1", "localhost:99999", "localhost:²", "localhost:-1", "é"),
    *("@", "a@b", "//", "?", "#", "\\", " ", "%", "\0", "a" * 9_000, "127.0.0.1:", "xn--", "\xff", "0x7f.1", "localhost.evil.example"),
)


@pytest.mark.parametrize("sign_in", [True, False])
def test_strange_hosts_and_origins_are_refused_in_our_words(tmp_path: Path, *, sign_in: bool) -> None:
    async def main() -> None:
        settings = Settings(data_dir=tmp_path, rate_limit="none")
        async with open_app(settings, grace_s=0, run_store=MemoryRunStore()) as app:
            asgi = create_app(parts_for(app, settings, sign_in=sign_in))
            asked = next(one for one in operations(asgi.openapi()) if one.name == "start_oidc")
            found = []
            for host in HOSTS:
                for name in (b"host", b"origin"):
                    for target in (b"/v1/workflows", b"/v1/session/oidc", b"/none", b"/v1/sign-in"):
                        headers = [(b"host", b"127.0.0.1")] if name == b"origin" else []
                        headers += [(name, host.encode("utf-8")), (b"idempotency-key", b"x"), (b"content-type", b"application/json")]
                        for method in ("GET", "POST"):
                            wild = Wild(asked, method, target, tuple(headers), b"{}")
                            try:
                                problem = wrong(await ask(asgi, wild))
                            except Exception as exc:
                                problem = repr(exc)
                            if problem is not None:
                                found.append(f"{problem} at {wild}")
            assert not found, f"{len(found)} wrong:\n" + "\n".join(found[:20])

    asyncio.run(main())


async def say(port: int, content: bytes, patience_s: float = 0.3) -> bytes:
    """Send bytes, and return all that comes back until the server hangs up, or says nothing for a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told = b""
    try:
        writer.write(content)
        with suppress(TimeoutError):
            while part := await asyncio.wait_for(reader.read(65_536), patience_s):
                told += part
    except ConnectionError:
        pass  # it hung up, as it may
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return told


def test_broken_requests_over_a_socket(tmp_path: Path) -> None:
    async def main() -> None:
        async with tenants(tmp_path) as world:
            naughty, found = Naughty(SEED), []
            before = await owners_data(world)
            authorization = b"authorization: " + world.foreign[2].headers["Authorization"].encode()
            sending = [broken(naughty, authorization) for _ in range(400)]
            answered = 0

            async def work() -> None:
                nonlocal answered
                while sending:
                    sent = sending.pop()
                    told = await say(world.port, sent)
                    answered += told.startswith(b"HTTP/1.1 ")
                    if any(status >= b"500" for status in re.findall(rb"HTTP/1\.1 (\d+)", told)) or INSIDES.search(told):
                        found.append(f"{told[:300]!r} at {sent[:300]!r}")

            await asyncio.gather(*(work() for _ in range(16)))
            assert not found, f"{len(found)} wrong:\n" + "\n".join(found[:20])
            assert answered > 200
            alive = await say(world.port, b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 10)
            assert alive.startswith(b"HTTP/1.1 200 ")
            assert await owners_data(world) == before

    asyncio.run(main())


def test_naughty_strings_over_a_websocket(tmp_path: Path) -> None:
    """In its address and as messages: refused or closed, and the next socket opens."""

    async def main() -> None:
        async with tenants(tmp_path) as world:
            caller = world.foreign[2]
            sound = caller.own["workflow_id"]
            texts = [_quoted(text[:1_000]) for text in STRINGS]  # uvicorn lets a request line over 8 KiB for a WebSocket hang
            addresses = [f"/v1/workflows/{text}/stream" for text in texts if text]
            addresses += [f"/v1/workflows/{sound}/stream?{name}={text}" for text in texts for name in ("after", "ticket")]
            for address in addresses:
                status, body = await knock(world.port, address, caller)
                assert status < 500, address
                assert not INSIDES.search(body), address
            for said in [
                *(text.encode("utf-8", "surrogatepass") for text in STRINGS),
                b"[" * 1_000,
                b'{"type":"ping","x":1}',
                b'{"type":1}',
            ]:
                async with connect(
                    f"ws://127.0.0.1:{world.port}/v1/workflows/{sound}/stream", additional_headers=caller.headers, proxy=None
                ) as opened:
                    await opened.send(said)
                    assert await _end(opened) in (1007, 1008, 1009), said
            assert await knock(world.port, f"/v1/workflows/{sound}/stream", caller) == (101, b"")

    asyncio.run(main())


async def _end(opened: ClientConnection) -> int | None:
    """Read until the server closes the socket; return its code."""
    with suppress(ConnectionClosed, TimeoutError):
        while True:
            assert not INSIDES.search(str(await asyncio.wait_for(opened.recv(), 10)).encode())
    return opened.close_code


async def knock(port: int, address: str, caller: Caller) -> tuple[int, bytes]:
    """Open a WebSocket and close it again; return the answer to its request."""
    try:
        async with connect(f"ws://127.0.0.1:{port}{address}", additional_headers=caller.headers, proxy=None, close_timeout=0.2):
            return 101, b""
    except InvalidStatus as exc:
        return exc.response.status_code, bytes(exc.response.body or b"")
