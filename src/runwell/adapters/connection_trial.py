"""Trying a stored connection: one guarded request, of whose answer only the status is told."""

import time
from typing import Final

import msgspec

from runwell.model.errors import NotFound, StepError
from runwell.model.origins import permits
from runwell.model.scope import Scope
from runwell.model.vault import ADDRESSES, Trial
from runwell.model.version import __version__
from runwell.ports.http import Http, HttpRequest
from runwell.ports.secrets import OpenConnection
from runwell.ports.vault import ConnectionStore

TIMEOUT_S: Final = 15.0
_MODELS: Final = {"anthropic": "/v1/models", "google": "/v1beta/models", "mistral": "/v1/models"}
"""Where a vendor lists its models, which needs the key and costs nothing; all others have it at `/models`."""


_MCP_HEADERS: Final = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
_MCP_HELLO: Final = msgspec.json.encode(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "runwell", "version": __version__},
        },
    }
)


class GuardedTrial:
    """`ConnectionTrial`. An MCP server is greeted.

    An http connection is asked for its base URL, or else for `/` at its first origin; others for their models.
    """

    def __init__(self, connections: ConnectionStore, http: Http) -> None:
        self._connections = connections
        self._http = http

    async def __call__(self, scope: Scope, name: str) -> Trial:
        connection = await self._connections.open(scope, name)
        if connection is None:
            raise NotFound(f"there is no connection {name!r}")
        request = _request(connection)
        began = time.perf_counter()
        status, error = await self._ask(request, connection)
        duration_ms = round((time.perf_counter() - began) * 1000)
        return Trial(ok=status is not None and status < 400, status=status, duration_ms=duration_ms, error=error)

    async def _ask(self, request: HttpRequest, connection: OpenConnection) -> tuple[int | None, str | None]:
        if not permits(connection.origins, request.url):
            return None, f"no address to ask is at an allowed origin ({', '.join(connection.origins)}): give the connection a base_url"
        try:
            return (await self._http.send(request)).status, None
        except StepError as exc:
            return None, connection.scrubber.text(exc.message)


def _request(connection: OpenConnection) -> HttpRequest:
    secret = {**connection.secret_headers, **_key_headers(connection)}
    plain = {name: value for name, value in connection.headers.items() if name.lower() not in {key.lower() for key in secret}}
    mcp = connection.type == "mcp"
    return HttpRequest(
        method="POST" if mcp else "GET",
        url=_url(connection),
        headers=tuple({**plain, **secret, **(_MCP_HEADERS if mcp else {})}.items()),
        body=_MCP_HELLO if mcp else b"",
        secret_headers=frozenset(name.lower() for name in (*plain, *secret)),
        timeout_s=TIMEOUT_S,
        max_redirects=0,
    )


def _url(connection: OpenConnection) -> str:
    if connection.type == "mcp":
        return connection.base_url or ""
    if connection.type == "http":
        return connection.base_url or next((origin for origin in connection.origins if "*" not in origin), "")
    base = connection.base_url or ADDRESSES.get(connection.type, "")
    return base.rstrip("/") + _MODELS.get(connection.type, "/models")


def _key_headers(connection: OpenConnection) -> dict[str, str]:
    if connection.api_key is None:
        return {}
    match connection.type:
        case "anthropic":
            return {"x-api-key": connection.api_key, "anthropic-version": "2023-06-01"}
        case "google":
            return {"x-goog-api-key": connection.api_key}
        case _:
            return {"Authorization": f"Bearer {connection.api_key}"}
