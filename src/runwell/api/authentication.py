"""Who sends a request: the API key in `Authorization: Bearer`, or the session of a browser's cookie. Nothing else counts.

Whatever is wrong with a credential, the answer is the same. An `Authorization` header that does not count is not
made good by a cookie.
"""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, Final

import msgspec
import structlog
from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from runwell.api.access import Access
from runwell.api.cookies import SAFE, check_csrf, cookie_name, is_ours
from runwell.api.credentials import hashed, read_key
from runwell.api.errors import Forbidden
from runwell.api.parts import parts_of
from runwell.model.errors import JournalUnavailable
from runwell.model.principal import Principal
from runwell.ports.identity import SESSION_IDLE_MS, SESSION_MS, Visit

_log = structlog.get_logger("runwell.api")

_TOUCH_MS: Final = 60_000
"""How often at most it is kept that a key or session was used."""


class Browser(msgspec.Struct, frozen=True):
    """The session of a request's cookie, and its token."""

    visit: Visit
    token: str


class Authentication:
    """`Authenticate` for keys and sessions, for requests and WebSockets alike."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._touching: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, connection: HTTPConnection) -> Principal | None:
        given = connection.headers.getlist("authorization")
        if given:
            return await self._by_key(given[0]) if len(given) == 1 else None
        token = session_token(connection, self._access)
        return None if token is None else await self._by_session(connection, token)

    async def _by_key(self, header: str) -> Principal | None:
        scheme, _, text = header.partition(" ")
        read = read_key(text.strip()) if scheme.lower() == "bearer" else None
        if read is None:
            return None
        key_id, secret_hash = read
        keys = self._access.identities.keys
        known = await keys.find(key_id, secret_hash)
        if known is None:
            return None
        if known.last_used_at is None or known.last_used_at <= self._access.clock.now() - _TOUCH_MS:
            self._later(key_id, keys.touch(key_id))
        return known.principal

    async def _by_session(self, connection: HTTPConnection, token: str) -> Principal | None:
        sessions, token_hash = self._access.identities.sessions, hashed(token)
        visit = await sessions.find(token_hash)
        if visit is None:
            return None
        if connection.scope["type"] == "websocket":
            if not is_ours(connection, self._access.rules, connection.headers.get("origin", "")):
                return None  # any page may open a WebSocket, and the browser sends the cookie along
        elif connection.scope["method"] not in SAFE:
            check_csrf(connection, self._access.rules, token)
        if min(self._access.clock.now() + SESSION_IDLE_MS, visit.created_at + SESSION_MS) - visit.expires_at >= _TOUCH_MS:
            self._later(token_hash, sessions.extend(token_hash))
        connection.state.browser = Browser(visit, token)
        return visit.principal

    def _later(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Write beside the request, which does not wait for it; once at a time for each name."""
        if name in self._touching:
            work.close()
            return
        task = self._touching[name] = asyncio.ensure_future(_attempt(work))
        task.add_done_callback(lambda _: self._touching.pop(name, None))


async def _attempt(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except JournalUnavailable as exc:
        _log.warning("the use of a credential could not be kept", reason=str(exc))


def session_token(connection: HTTPConnection, access: Access) -> str | None:
    """Return the token in the browser's cookie."""
    return connection.cookies.get(cookie_name(connection, access.rules))


async def _access(request: Request) -> Access:
    access = parts_of(request.app).access
    if access is None:
        raise RuntimeError("the application was made without sign-in: give its Parts an Access")
    return access


async def _browser(request: Request) -> Browser:
    browser = getattr(request.state, "browser", None)
    if not isinstance(browser, Browser):
        raise Forbidden("this needs the session of a browser", hint="sign in; an API key has no session")
    return browser


Entry = Annotated[Access, Depends(_access)]
"""What sign-in is made of."""

InBrowser = Annotated[Browser, Depends(_browser)]
"""The session of the request; without one it is refused."""
