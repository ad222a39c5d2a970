"""A server without sign-in is for whoever sits at this machine, not for the pages in their browser.

Any page may send requests to loopback addresses, or have its own name resolve to one. So the Host must be a
loopback name, and a browser's Origin must be the server's own.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from runwell.api.problems import problem_response


class OwnOrigin:
    """Refuses what another site's page sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or _is_own(HTTPConnection(scope)):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "foreign origin"})
            return
        detail = "a server without sign-in answers only what comes from this machine itself"
        hint = "open it as http://127.0.0.1 or http://localhost, or run it with sign-in (without --no-auth)"
        await problem_response(Request(scope), 403, "FORBIDDEN", detail, hint=hint)(scope, receive, send)


def _is_own(connection: HTTPConnection) -> bool:
    host = connection.headers.get("host", "")
    origin = connection.headers.get("origin")
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "") and (origin is None or urlsplit(origin).netloc == host)
    except ValueError:  # brackets that are no IPv6 address
        return False


def is_loopback(host: str) -> bool:
    """Return whether the name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
