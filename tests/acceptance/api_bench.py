"""The HTTP interface in process, over a real SQLite journal, with callers of several projects."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from starlette.requests import HTTPConnection

from runwell.api.application import create_app
from runwell.bootstrap import App, open_app
from runwell.model.ids import DEFAULT_ORG
from runwell.model.principal import EVERYTHING, ROLES, Permission, Principal
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.model.statuses import TERMINAL
from runwell.ports.runs import StartRequest
from runwell.serving import parts_for
from runwell.settings import Settings
from runwell.testing import MemoryRunStore

PATIENCE_S = 20.0


def _who(scope: Scope, actor: str, permissions: frozenset[Permission] = EVERYTHING) -> Principal:
    return Principal(scope=scope, actor=actor, permissions=permissions)


CALLERS = {
    "ann": _who(DEFAULT_SCOPE, "usr_ann"),
    "bob": _who(DEFAULT_SCOPE, "usr_bob"),
    "viewer": _who(DEFAULT_SCOPE, "usr_viewer", ROLES["viewer"]),
    "contributor": _who(DEFAULT_SCOPE, "usr_contributor", ROLES["contributor"]),
    "next door": _who(Scope(DEFAULT_ORG, "prj_" + "1" * 32), "usr_next_door"),
    "elsewhere": _who(Scope("org_" + "2" * 32, "prj_" + "2" * 32), "usr_elsewhere"),
}


async def _authenticate(connection: HTTPConnection) -> Principal | None:
    return CALLERS.get(connection.headers.get("x-caller", ""))


class Moved:
    """By how much the interface's clock is ahead of the runtime's."""

    ms = 0


class Api:
    """Calls in a caller's name; `ann`'s unless said otherwise."""

    def __init__(self, app: App, client: httpx2.AsyncClient, moved: Moved) -> None:
        self.app = app
        self._client, self._moved = client, moved

    def move_on(self, ms: int) -> None:
        """Let the interface's clock go on; the runtime's goes as it goes."""
        self._moved.ms += ms

    async def send(self, method: str, path: str, *, who: str = "ann", **options: Any) -> httpx2.Response:
        headers = {"x-caller": who, **options.pop("headers", {})}
        return await self._client.request(method, path, headers=headers, **options)

    async def get(self, path: str, /, *, status: int = 200, who: str = "ann", **params: Any) -> Any:
        response = await self.send("GET", path, who=who, params=params)
        assert response.status_code == status, response.text
        return response.json()

    async def post(self, path: str, body: Any, *, status: int = 200, who: str = "ann") -> Any:
        response = await self.send("POST", path, who=who, json=body)
        assert response.status_code == status, response.text
        return response.json()

    async def pages(self, path: str, /, direction: str = "next_cursor", **params: Any) -> list[dict[str, Any]]:
        """Return the data of all pages, in the order in which they came."""
        found: list[dict[str, Any]] = []
        page = await self.get(path, **params)
        found += page["data"]
        while page[direction] is not None:
            page = await self.get(path, **{**params, "cursor": page[direction]})
            found += page["data"]
        return found

    async def start(self, document: dict[str, Any], given: Any = None, *, who: str = "ann", **request: Any) -> str:
        """Publish and start; return the run's id."""
        scope = CALLERS[who].scope
        version = await self.app.publisher.publish(scope, self.app.publisher.compile(document), None)
        return await self.app.runtime.start(
            StartRequest(version=version, input=given, org_id=scope.org_id, project_id=scope.project_id, **request)
        )

    async def until(self, run_id: str, holds: Callable[[dict[str, Any]], bool], who: str = "ann") -> dict[str, Any]:
        """Wait until something holds of the run."""

        async def look() -> dict[str, Any]:
            while not holds(run := await self.get(f"/v1/runs/{run_id}", who=who)):  # noqa: ASYNC110 - callers have no events
                await asyncio.sleep(0.01)
            return dict(run)

        return await asyncio.wait_for(look(), PATIENCE_S)

    async def ended(self, run_id: str, who: str = "ann") -> dict[str, Any]:
        return await self.until(run_id, lambda run: run["status"] in TERMINAL, who)

    async def finished(self, document: dict[str, Any], given: Any = None, **request: Any) -> str:
        """Start a run, wait for its end, return its id."""
        run_id = await self.start(document, given, **request)
        await self.ended(run_id, request.get("who", "ann"))
        return run_id


@asynccontextmanager
async def open_api(data_dir: Path, **settings: Any) -> AsyncIterator[Api]:
    known = Settings(data_dir=data_dir, rate_limit="none", **settings)
    async with open_app(known, grace_s=0.0, run_store=MemoryRunStore()) as app:
        made = parts_for(app, known, sign_in=True)
        moved = Moved()
        parts = msgspec.structs.replace(made, authenticate=_authenticate, now=lambda: made.now() + moved.ms)
        transport = httpx2.ASGITransport(create_app(parts))
        async with httpx2.AsyncClient(transport=transport, base_url="http://runwell.test") as client:
            yield Api(app, client, moved)


def with_api(data_dir: Path, main: Callable[[Api], Awaitable[None]], **settings: Any) -> None:
    """Run a test against an interface of its own."""

    async def guarded() -> None:
        unseen: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
        async with open_api(data_dir, **settings) as api:
            await main(api)
        assert unseen == []

    asyncio.run(guarded())


def say(name: str = "say", value: Any = "hello", **fields: Any) -> dict[str, Any]:
    """Return a workflow that ends at once."""
    return {"name": name, "steps": [{"id": "say", "type": "transform", "value": value}], **fields}


ASK = {
    "name": "ask",
    "steps": [
        {"id": "propose", "type": "transform", "value": {"amount": 5}},
        {
            "id": "approve",
            "type": "approval",
            "depends_on": ["propose"],
            "title": "Refund {{ steps.propose.result.amount }}?",
            "payload": "{{ steps.propose.result }}",
            "assignees": ["ann@example.com"],
        },
    ],
    "output": "{{ steps.approve.result }}",
}

FAIL = {"name": "fail", "steps": [{"id": "divide", "type": "transform", "value": "{{ 1 / input.by }}"}]}
