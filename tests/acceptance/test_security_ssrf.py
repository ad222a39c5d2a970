"""Requests that would turn the server against what lies beside it: whatever the document says, nothing private is reached.

All begin as a caller's do, with a workflow over the API. Two real servers listen: a canary at loopback, which must never see a
connection, and a stage at 127.0.0.2, which the operator has allowed and which redirects wherever it is told.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import pytest
from tests.acceptance.private_places import INSIDE, LED, NO_ADDRESS, SPELLED, TRICKS
from tests.unit.access.server import ok

from runwell.adapters.guarded_transport import VettedNetwork
from runwell.api.application import create_app
from runwell.bootstrap import open_app
from runwell.model.statuses import TERMINAL
from runwell.serving import parts_for
from runwell.settings import Settings
from runwell.testing import MemoryRunStore

STAGE: Final = "127.0.0.2"


@dataclass
class Listener:
    """Counts connections, and answers what comes."""

    respond: Callable[[str], bytes]
    port: int = 0
    connections: int = 0
    targets: list[str] = field(default_factory=list)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (head := await reader.readuntil(b"\r\n\r\n")) != b"":
                target = head.split(b" ", 2)[1].decode()
                self.targets.append(target)
                writer.write(self.respond(target))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, IndexError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self, *hosts: str, port: int = 0) -> AsyncIterator["Listener"]:
        server = await asyncio.start_server(self._serve, hosts[0], port)
        self.port = server.sockets[0].getsockname()[1]
        others = [await asyncio.start_server(self._serve, host, self.port) for host in hosts[1:]]
        try:
            yield self
        finally:
            for one in (server, *others):
                one.close()


def _canary(target: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nCANARY"


def _staged(target: str) -> bytes:
    """Redirect where `to` says with `status`, after as many turns as `turns` says; otherwise answer."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(target).query, keep_blank_values=True).items()}
    if "to" not in asked:
        return b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstage"
    turns = int(asked.get("turns", "0"))
    to = asked["to"] if turns == 0 else f"/?turns={turns - 1}&status={asked['status']}&to={quote(asked['to'], safe='')}"
    return f"HTTP/1.1 {asked['status']} X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n".encode()


@dataclass
class Field:
    client: httpx2.AsyncClient
    canary: Listener
    stage: Listener

    def placed(self, url: str) -> str:
        return url.replace("{port}", str(self.canary.port))

    def redirect(self, to: str, status: int, turns: int = 0) -> str:
        return f"http://{STAGE}:{self.stage.port}/?turns={turns}&status={status}&to={quote(self.placed(to), safe='')}"

    async def workflow(self, slug: str, request: dict[str, Any]) -> None:
        step = {"id": "call", "type": "http", "request": request, "retry": {"max_attempts": 1}, "timeout_s": 10}
        ok(await self.client.post("/v1/workflows", json={"slug": slug, "document": {"name": slug, "steps": [step]}}))
        ok(await self.client.post(f"/v1/workflows/{slug}/versions"))

    async def outcomes(self, slug: str, urls: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Run the workflow for each URL at once; return how the runs stand at their end."""
        asked = [self.placed(url) for url in urls]
        return dict(zip(asked, await asyncio.gather(*(self._outcome(slug, url) for url in asked)), strict=True))

    async def _outcome(self, slug: str, url: str) -> dict[str, Any]:
        start = {"command": "start", "params": {"input": {"url": url}}}
        run_id = ok(await self.client.post(f"/v1/workflows/{slug}/command", json=start))["run_id"]
        async with asyncio.timeout(60):
            while (run := ok(await self.client.get(f"/v1/runs/{run_id}")))["status"] not in TERMINAL:  # noqa: ASYNC110 - callers have no events
                await asyncio.sleep(0.02)
        return dict(run)


@asynccontextmanager
async def field_of_play(path: Path) -> AsyncIterator[Field]:
    settings = Settings(data_dir=path, rate_limit="none", http_allow=(f"{STAGE}/32",))
    async with (
        Listener(_canary).listening("127.0.0.1", "127.0.0.3", "::1") as canary,
        Listener(_staged).listening(STAGE) as stage,
        open_app(settings, grace_s=0, run_store=MemoryRunStore()) as app,
    ):
        transport = httpx2.ASGITransport(create_app(parts_for(app, settings)))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client:
            yield Field(client, canary, stage)


def refused(run: dict[str, Any]) -> str | None:
    """Return what is wrong with the end of a run that must have reached nothing."""
    error = run["error"] or {}
    if run["status"] != "failed":
        return f"{run['status']}: {run['output']}"
    if error["code"] == "HTTP_BLOCKED" or (error["code"] == "HTTP_FAILED" and any(said in error["message"] for said in NO_ADDRESS)):
        return None
    return str(error)


def assert_all_refused(outcomes: dict[str, dict[str, Any]], field: Field) -> None:
    wrong = {url: why for url, run in outcomes.items() if (why := refused(run)) is not None}
    assert not wrong, "\n".join(f"{url!r}: {why}" for url, why in wrong.items())
    assert (field.canary.connections, field.canary.targets) == (0, [])


def test_no_url_reaches_what_is_private(tmp_path: Path) -> None:
    async def main() -> None:
        async with field_of_play(tmp_path) as field:
            await field.workflow("fetch", {"url": "{{ input.url }}"})
            await field.workflow("parts", {"url": "http://{{ input.url }}/"})
            direct = await field.outcomes("fetch", [*(f"http://{host}:{{port}}/" for host in SPELLED), *TRICKS])
            assert_all_refused(direct, field)
            assert_all_refused(await field.outcomes("parts", [f"{host}:{{port}}" for host in SPELLED]), field)
            blocked = [url for url, run in direct.items() if run["error"]["code"] == "HTTP_BLOCKED"]
            assert len(blocked) > 90, "most are refused as what they are"
            sound = await field.outcomes("fetch", [f"http://{STAGE}:{field.stage.port}/"])
            assert [run["status"] for run in sound.values()] == ["succeeded"], "what is allowed is reached"

    asyncio.run(main())


def test_no_redirect_leads_to_what_is_private(tmp_path: Path) -> None:
    async def main() -> None:
        async with field_of_play(tmp_path) as field:
            await field.workflow("fetch", {"url": "{{ input.url }}"})
            await field.workflow("post", {"method": "POST", "url": "{{ input.url }}", "json": {"a": 1}})
            once = [field.redirect(to, status) for to in LED for status in (301, 302, 303, 307, 308)]
            chained = [field.redirect(to, status, turns) for to in LED for status in (302, 307) for turns in (1, 3)]
            for slug in ("fetch", "post"):
                outcomes = await field.outcomes(slug, [*once, *chained])
                wrong = {url: run for url, run in outcomes.items() if run["error"] is None or "stage" in str(run["output"])}
                kept = {url: run for url, run in outcomes.items() if url not in wrong}
                # What is a path for our reader, like `\\host`, stays at the stage: which is no harm.
                assert all(run["status"] == "succeeded" and "CANARY" not in str(run["output"]) for run in wrong.values())
                assert len(wrong) < len(outcomes) // 5
                assert_all_refused(kept, field)

    asyncio.run(main())


def _answers(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[list[str]]]) -> None:
    """Let the system's resolver answer for these names, each time with the next answer; the last one stays."""
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in names:
            return real(host, port, *args, **options)
        answers = names[name].pop(0) if len(names[name]) > 1 else names[name][0]
        families = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(families[":" in one], socket.SOCK_STREAM, 6, "", (one, port) + ((0, 0) if ":" in one else ())) for one in answers]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_names_that_change_where_they_lead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: names answer with what is allowed first and with what is private afterwards, or with both."""

    async def main() -> None:
        async with field_of_play(tmp_path) as field:
            port = field.canary.port
            flips = {f"flip{n}.rebind.test": [[STAGE], *([["127.0.0.1"]] * n), [STAGE], ["::1"]] for n in range(1, 6)}
            both = {f"both{n}.rebind.test": [["127.0.0.1", STAGE] if n % 2 else [STAGE, "::1", "127.0.0.1"]] for n in range(4)}
            only = {f"in{n}.rebind.test": [[one]] for n, one in enumerate(INSIDE)}
            _answers(monkeypatch, {**flips, **both, **only})
            await field.workflow("fetch", {"url": "{{ input.url }}"})
            assert_all_refused(await field.outcomes("fetch", [f"http://{name}:{port}/" for name in only]), field)
            # The stage does not listen at the canary's port: whoever dials what was not vetted finds the canary, others nobody.
            for _ in range(4):
                outcomes = await field.outcomes("fetch", [f"http://{name}:{port}/" for name in (*flips, *both)])
                assert all(run["status"] == "failed" for run in outcomes.values())
                assert field.canary.connections == 0
            led = await field.outcomes("fetch", [field.redirect(f"http://{name}:{{port}}/", 302) for name in only])
            assert_all_refused(led, field)

    asyncio.run(main())


def test_a_second_look_up_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the address is vetted, but the name is dialled."""

    async def vets_and_dials(self: VettedNetwork, host: str, port: int, *args: Any, **options: Any) -> Any:
        await self._vetted(host, port)
        return await self._dial.connect_tcp(host, port, *args, **options)

    async def main() -> None:
        async with field_of_play(tmp_path) as field:
            monkeypatch.setattr(VettedNetwork, "connect_tcp", vets_and_dials)
            _answers(monkeypatch, {"flip.rebind.test": [[STAGE], ["127.0.0.1"]]})
            await field.workflow("fetch", {"url": "{{ input.url }}"})
            await field.outcomes("fetch", ["http://flip.rebind.test:{port}/"])
            assert field.canary.connections == 1

    asyncio.run(main())


def test_stored_connections_reach_nothing_private(tmp_path: Path) -> None:
    """Neither when they are tried nor when a step or a model uses them."""

    async def main() -> None:
        async with field_of_play(tmp_path) as field:
            kept = []
            for number, host in enumerate(SPELLED):
                for kind in ("http", "openai"):
                    for scheme in ("http", "https"):
                        name = f"{kind}-{scheme}-{number}"
                        body = {"name": name, "type": kind, "base_url": f"{scheme}://{host}:{field.canary.port}/v1"}
                        made = await field.client.post("/v1/connections", json=body | ({"api_key": "k" * 20} if kind == "openai" else {}))
                        assert made.status_code in (201, 422), made.text
                        kept += [(name, kind, made.json()["id"])] if made.status_code == 201 else []
            assert kept, "some are stored: they are refused when they are used"
            for _, _, connection_id in kept:
                tried = ok(await field.client.post(f"/v1/connections/{connection_id}/test"))
                assert (tried["ok"], tried["status"]) == (False, None)
            for name, kind, _ in kept[::7]:
                step = (
                    {"type": "http", "request": {"url": "/x", "connection": name}}
                    if kind == "http"
                    else {"type": "llm", "model": f"{name}:any", "prompt": "x"}
                )
                document = {"name": name, "steps": [{"id": "use", "retry": {"max_attempts": 1}, "timeout_s": 10, **step}]}
                ok(await field.client.post("/v1/workflows", json={"slug": name, "document": document}))
                ok(await field.client.post(f"/v1/workflows/{name}/versions"))
                [run] = (await field.outcomes(name, [""])).values()
                assert run["status"] == "failed", run
            assert field.canary.connections == 0

    asyncio.run(main())


def test_the_canary_sings(tmp_path: Path) -> None:
    """Where the operator allows loopback, the same requests reach it: it would be seen."""

    async def main() -> None:
        settings = Settings(data_dir=tmp_path, rate_limit="none", http_allow=("127.0.0.0/8",))
        async with (
            Listener(_canary).listening("127.0.0.1") as canary,
            open_app(settings, grace_s=0, run_store=MemoryRunStore()) as app,
        ):
            transport = httpx2.ASGITransport(create_app(parts_for(app, settings)))
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client:
                field = Field(client, canary, canary)
                await field.workflow("fetch", {"url": "{{ input.url }}"})
                hosts = ("127.0.0.1", "2130706433", "0x7f.1", "localhost", "127。0。0。1")
                outcomes = await field.outcomes("fetch", [f"http://{host}:{{port}}/" for host in hosts])
                assert {run["status"] for run in outcomes.values()} == {"succeeded"}
                assert canary.connections == len(hosts)

    asyncio.run(main())
