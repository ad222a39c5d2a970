"""OpenAI's own Python SDK against a Runwell on a real socket, with a scripted provider behind it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from openai import AsyncOpenAI
from tests.acceptance.serving_socket import on_socket
from tests.acceptance.tenants import bearer
from tests.unit.access.server import Server, ok, opened

from runwell.model.statuses import TERMINAL
from runwell.testing import ScriptedServer
from runwell.testing.scripted_server import Reply

KEY: Final = "sk-provider-key"
PATIENCE_S: Final = 10.0
MODEL: Final = "local:gpt-4o-mini"
HI: Final[Any] = [{"role": "user", "content": "Hi"}]


@dataclass
class World:
    """`key` is the owner's; `neighbour` that of another project of the same organization."""

    provider: ScriptedServer
    server: Server
    admin: httpx2.AsyncClient
    address: str
    key: str
    neighbour: str

    def client(self, key: str | None = None, **options: Any) -> AsyncOpenAI:
        return AsyncOpenAI(base_url=f"{self.address}/v1", api_key=key or self.key, **{"max_retries": 0, **options})

    def http(self, key: str | None = None) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.address, headers=bearer(key or self.key), timeout=20)

    async def get(self, path: str, key: str | None = None) -> Any:
        async with self.http(key) as client:
            return ok(await client.get(path))

    async def ended(self, run_id: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while (run := await self.get(f"/v1/runs/{run_id}"))["status"] not in TERMINAL:  # noqa: ASYNC110 - callers have no events
                await asyncio.sleep(0.01)
        return dict(run)

    async def the_run(self) -> dict[str, Any]:
        """Return the one run that there is, once it has ended."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := (await self.get("/v1/runs"))["data"]):  # noqa: ASYNC110 - callers have no events
                await asyncio.sleep(0.01)
        assert len(found) == 1
        return await self.ended(found[0]["id"])


Test = Callable[[World], Awaitable[None]]


def with_world(path: Path, monkeypatch: pytest.MonkeyPatch, replies: Iterable[Reply] | Reply, test: Test) -> None:
    """Run a test; `local:` models are those of the scripted provider."""

    async def run() -> None:
        async with ScriptedServer(replies) as provider:
            monkeypatch.setenv("RUNWELL_CONNECTION_LOCAL_BASE_URL", provider.base_url)
            monkeypatch.setenv("RUNWELL_CONNECTION_LOCAL_API_KEY", KEY)
            async with opened(path) as server:
                await _with_server(provider, server, test)

    asyncio.run(run())


async def _with_server(provider: ScriptedServer, server: Server, test: Test) -> None:
    admin = await server.admin()
    next_door = ok(await admin.post("/v1/projects", json={"slug": "next-door", "name": "Next door"}))["id"]
    neighbour = await server.user(admin, "neighbour@example.com", roles={next_door: "admin"})
    scopes = ("workflow:run", "workflow:read", "workflow:write")
    keys = [(await server.key(browser, *scopes))["key"] for browser in (admin, neighbour)]
    async with on_socket(server.app) as port:
        await test(World(provider, server, admin, f"http://127.0.0.1:{port}", *keys))
