"""The HTTP interface in this process, over a real data directory, and short ways to its workflows."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from starlette.requests import HTTPConnection

from runwell.api.application import create_app
from runwell.bootstrap import App, open_app
from runwell.model.principal import LOCAL, Permission, Principal
from runwell.model.scope import Scope
from runwell.ports.run_store import RunStore
from runwell.serving import parts_for
from runwell.settings import Settings
from runwell.testing import MemoryRunStore

ECHO: dict[str, Any] = {"name": "Echo", "steps": [{"id": "say", "type": "transform", "value": "{{ input }}"}]}
ASK: dict[str, Any] = {"name": "Ask", "steps": [{"id": "ask", "type": "approval", "title": "Go on?"}]}

OTHER = {"x-project": "prj_" + "1" * 32}
"""Headers of a caller in another project."""


async def _who(connection: HTTPConnection) -> Principal:
    """Sign in as the headers say: which project, and what is permitted."""
    scope = Scope(LOCAL.scope.org_id, connection.headers.get("x-project", LOCAL.scope.project_id))
    given = connection.headers.get("x-permissions")
    permissions: frozenset[Any] = LOCAL.permissions if given is None else frozenset(given.split())
    return Principal(scope=scope, actor="key_1", permissions=permissions)


def only(*permissions: Permission) -> dict[str, str]:
    return {"x-permissions": " ".join(permissions)}


class Api:
    """A client that fails where an answer has another status than expected."""

    def __init__(self, client: httpx2.AsyncClient, app: App) -> None:
        self.client, self.app = client, app

    async def __call__(
        self, method: str, path: str, body: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Any:
        answer = await self.raw(method, path, body, headers=headers)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def raw(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """Send a body: text as YAML, anything else as JSON."""
        sent = dict(headers or {})
        if isinstance(body, str):
            return await self.client.request(method, path, content=body, headers={"content-type": "application/yaml", **sent})
        content = None if body is None else msgspec.json.encode(body)
        return await self.client.request(method, path, content=content, headers={"content-type": "application/json", **sent})

    async def published(self, document: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Make a workflow and publish its draft; return the workflow."""
        made = await self("POST", "/v1/workflows", {"document": document, **fields}, status=201)
        await self("POST", f"/v1/workflows/{made['id']}/versions", status=201)
        return dict(made)

    async def command(self, workflow: str, command: str, run_id: str | None = None, *, status: int = 202, **params: Any) -> Any:
        body = {"command": command, "params": params} | ({} if run_id is None else {"run_id": run_id})
        return await self("POST", f"/v1/workflows/{workflow}/command", body, status=status)


@asynccontextmanager
async def served(path: Path, run_store: RunStore | None = None, **changed: Any) -> AsyncIterator[Api]:
    """Serve; `changed` are parts that are other than usual."""
    settings = Settings(data_dir=path / "data", rate_limit="none")
    async with open_app(settings, grace_s=0, run_store=run_store or MemoryRunStore()) as app:
        parts = msgspec.structs.replace(parts_for(app, settings, sign_in=True), authenticate=_who, **changed)
        transport = httpx2.ASGITransport(create_app(parts))
        async with httpx2.AsyncClient(transport=transport, base_url="http://runwell", timeout=30) as client:
            yield Api(client, app)
