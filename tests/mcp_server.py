"""A real MCP server, made with the library's own class: over standard streams when run, or over HTTP in a test's process.

python -m tests.mcp_server
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ToolAnnotations
from starlette.types import ASGIApp, Receive, Scope, Send


def desk(log: list[Any] | None = None) -> MCPServer:
    """Return a server with a few tools; `log` gets what was called, with the idempotency key."""
    server = MCPServer("desk")
    calls: list[Any] = [] if log is None else log

    def note(context: Context, *what: Any) -> None:
        meta = context.request_context.meta or {}
        calls.append((*what, dict(meta).get("dev.runwell/idempotency-key")))

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def find_ticket(number: int, ctx: Context) -> dict[str, Any]:
        """Find a ticket by its number."""
        note(ctx, "find_ticket", number)
        return {"number": number, "title": f"Ticket {number}"}

    @server.tool(structured_output=False)
    def shout(text: str, ctx: Context) -> str:
        """Say it louder."""
        note(ctx, "shout", text)
        return text.upper()

    @server.tool()
    def refuse(why: str) -> str:
        """Fail."""
        raise ValueError(f"refused because of {why}")

    @server.tool(structured_output=False)
    async def slow(ctx: Context) -> str:
        """Take a minute, unless it is cancelled."""
        note(ctx, "slow")
        await ctx.report_progress(1, 2, "half way")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            calls.append(("cancelled",))
            raise
        return "done"

    @server.tool(structured_output=False)
    def environment(name: str) -> str:
        """Tell a variable of the environment."""
        return os.environ.get(name, "not set")

    return server


class Echoing:
    """Keeps the headers of every request to the application behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests: list[dict[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
            self.requests.append({"method": scope["method"], **headers})
        await self._app(scope, receive, send)


class Served:
    """A server that answers at `url`."""

    def __init__(self, url: str, echoing: Echoing, calls: list[Any]) -> None:
        self.url, self.requests, self.calls = url, echoing.requests, calls


@asynccontextmanager
async def served_desk(**options: Any) -> AsyncIterator[Served]:
    """Serve the tools over streamable HTTP on a free loopback port."""
    calls: list[Any] = []
    echoing = Echoing(desk(calls).streamable_http_app(**options))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(echoing, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        async with asyncio.timeout(20):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
        yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", echoing, calls)
    finally:
        server.should_exit = True
        await task
        listening.close()


if __name__ == "__main__":
    desk().run("stdio")
