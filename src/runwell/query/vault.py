"""Pages of stored secrets and connections."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from runwell.model.run_document import McpServer
from runwell.model.scope import Scope
from runwell.model.vault import StoredConnection, StoredSecret
from runwell.ports.vault import Names, Vault
from runwell.query.cursors import Cursor, read_cursor, write_cursor

MOST_SERVERS: Final = 1_000
HIDDEN: Final = "***"

T = TypeVar("T", StoredSecret, StoredConnection)


class SecretPage(msgspec.Struct, frozen=True, kw_only=True):
    """Secrets in the order of their names."""

    data: list[StoredSecret]
    next_cursor: str | None = None
    prev_cursor: str | None = None


class ConnectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Connections in the order of their names."""

    data: list[StoredConnection]
    next_cursor: str | None = None
    prev_cursor: str | None = None


async def list_secrets(vault: Vault, scope: Scope, limit: int, cursor: str | None) -> SecretPage:
    """Return a page of the scope's secrets. Raises `InvalidInput` for a cursor of another list."""
    data, cursors = await _page(vault.secrets.page, scope, "secrets", limit, cursor)
    return SecretPage(data=data, **cursors)


async def list_connections(vault: Vault, scope: Scope, limit: int, cursor: str | None) -> ConnectionPage:
    """Return a page of the scope's connections. Raises `InvalidInput` for a cursor of another list."""
    data, cursors = await _page(vault.connections.page, scope, "connections", limit, cursor)
    return ConnectionPage(data=data, **cursors)


async def mcp_servers(vault: Vault, scope: Scope) -> dict[str, McpServer]:
    """Return the scope's MCP servers by name, without what is secret: of secret headers there is only that they are sent."""
    found = await vault.connections.page(scope, Names(limit=MOST_SERVERS))
    return {one.name: _server(one) for one in found if one.type == "mcp"}


def _server(connection: StoredConnection) -> McpServer:
    headers = {**connection.headers, **dict.fromkeys(connection.secret_headers, HIDDEN)}
    return McpServer(name=connection.name, server_url=connection.base_url, api_headers=headers)


async def _page(
    read: Callable[[Scope, Names], Awaitable[list[T]]], scope: Scope, kind: str, limit: int, cursor: str | None
) -> tuple[list[T], dict[str, Any]]:
    at = None if cursor is None else read_cursor(cursor, scope, kind)
    name = None if at is None else str(at.place[0])
    back = at is not None and at.direction == "prev"
    names = Names(limit=limit + 1, before=name) if back else Names(limit=limit + 1, after=name)
    found = await read(scope, names)
    more = len(found) > limit
    data = found[-limit:] if back else found[:limit]
    return data, _cursors(data, scope, kind, onwards=more or back, backwards=more if back else at is not None)


def _cursors(data: Sequence[T], scope: Scope, kind: str, *, onwards: bool, backwards: bool) -> dict[str, str | None]:
    return {
        "next_cursor": write_cursor(Cursor("next", (data[-1].name,)), scope, kind) if data and onwards else None,
        "prev_cursor": write_cursor(Cursor("prev", (data[0].name,)), scope, kind) if data and backwards else None,
    }
