"""A real server over a real provider that answers questions: what experiments and evaluations are tried on."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
from tests.acceptance.served import serving

from runwell.testing import ScriptedServer
from runwell.testing.loopback import ServerRequest
from runwell.testing.scripted_replies import json_object, say
from runwell.testing.scripted_server import Wire

PATIENCE_S: Final = 60.0
ASK: Final[dict[str, Any]] = {
    "name": "double",
    "input_schema": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
    "steps": [{"id": "ask", "type": "llm", "model": "local:gpt-4o", "system": "You double.", "prompt": "Double {{ input.n }}"}],
    "output": "{{ steps.ask.result }}",
}
JUDGE: Final = {"model": "local:gpt-4.1", "rubric": "The output is what is expected."}
USED: Final = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}


class Provider:
    """`gpt-4o` doubles, `gpt-4o-mini` does for even numbers only, `gpt-4.1` judges by what is expected. Counts what it was asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.systems: set[str] = set()
        self.server: ScriptedServer | None = None

    def __call__(self, request: ServerRequest) -> Wire:
        body = request.json
        text = body["messages"][-1]["content"]
        self.asked[f"{body['model']} {body.get('temperature')} {text}"] += 1
        if body["model"] == "gpt-4.1":
            said = {part: json.loads(re.findall(rf"<{part}>(.*?)</{part}>", text)[0]) for part in ("output", "expected")}
            right = said["output"] == said["expected"]
            verdict = {"comment": "right" if right else "wrong", "score": float(right), "review": "positive" if right else "negative"}
            return json_object(verdict, usage=USED)(request)
        self.systems.add(body["messages"][0]["content"])
        number = int(text.split()[-1])
        answer = 2 * number if body["model"] == "gpt-4o" or number % 2 == 0 else number
        return say(str(answer), usage=USED)(request)


class World:
    def __init__(self, client: httpx2.AsyncClient, provider: Provider, process: Any) -> None:
        self.client, self.provider, self.process = client, provider, process

    async def get(self, path: str, **query: Any) -> Any:
        return (await self.client.get(path, params=query)).raise_for_status().json()

    async def post(self, path: str, body: Any = None, status: int | None = None) -> Any:
        sent = await self.client.post(path, json=body)
        assert sent.is_success if status is None else sent.status_code == status, sent.text
        return sent.json() if sent.content else None

    async def publish(self, document: dict[str, Any]) -> str:
        made = await self.post("/v1/workflows", {"document": document})
        await self.post(f"/v1/workflows/{made['id']}/versions", {})
        return str(made["id"])

    async def start(self, workflow: str, input: Any, **params: Any) -> str:
        body = {"command": "start", "params": {"input": input, **params}}
        return str((await self.post(f"/v1/workflows/{workflow}/command", body))["run_id"])

    async def run_until(self, run_id: str, ready: Any) -> Any:
        return await until(lambda: self.get(f"/v1/runs/{run_id}"), ready)

    async def ended(self, experiment_id: str) -> Any:
        def is_over(told: Any) -> bool:
            return told["experiment"]["status"] in ("completed", "stopped")

        return await until(lambda: self.get(f"/v1/experiments/{experiment_id}"), is_over)


async def until(look: Any, ready: Any) -> Any:
    """Return what `look` gives once it is `ready`."""
    async with asyncio.timeout(PATIENCE_S):
        while not ready(told := await look()):  # noqa: ASYNC110 - callers have no events
            await asyncio.sleep(0.05)
    return told


@asynccontextmanager
async def scripted(provider: Provider) -> AsyncIterator[dict[str, str]]:
    """Yield the environment with which a server finds the provider."""
    async with ScriptedServer(provider) as server:
        provider.server = server
        yield {"RUNWELL_CONNECTION_LOCAL_BASE_URL": server.base_url, "RUNWELL_CONNECTION_LOCAL_API_KEY": "sk-none"}


@asynccontextmanager
async def started(folder: Path, provider: Provider, env: dict[str, str]) -> AsyncIterator[World]:
    """Serve what lies in the folder, in a process of its own."""
    served = serving(folder, **env)
    address, process = await asyncio.to_thread(served.__enter__)
    try:
        async with httpx2.AsyncClient(base_url=address, timeout=30) as client:
            yield World(client, provider, process)
    finally:
        await asyncio.to_thread(served.__exit__, None, None, None)


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    provider = Provider()
    async with scripted(provider) as env, started(folder, provider, env) as one:
        yield one
