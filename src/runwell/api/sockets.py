"""WebSockets: who may open one, and a stream of messages over it.

Who is not let in is answered before the upgrade, with an HTTP status and a problem. A browser sends its cookies
to any address that a page names, so a page of another origin opens no socket unless that origin is allowed.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from runwell.api.errors import Forbidden, Unauthenticated
from runwell.api.parts import Parts
from runwell.api.problems import error_response
from runwell.api.route import check
from runwell.model.errors import RunwellError
from runwell.model.principal import Permission, Principal
from runwell.query.following import Check, Follower, Streams
from runwell.query.messages import EndReason, Message
from runwell.query.places import Place

MAX_INCOMING: Final = 1_024
"""Characters or bytes of a message that a reader may send."""

_CLOSING_S: Final = 0.3
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_GOING_AWAY, _REFUSED, _FAILED, _TRY_LATER = 1001, 1008, 1011, 1013
_CODES: Final[dict[EndReason, int]] = {
    "server_stopping": _GOING_AWAY,
    "slow_reader": _TRY_LATER,
    "forbidden": _REFUSED,
    "ticket_expired": _REFUSED,
    "gone": _REFUSED,
    "bad_message": _REFUSED,
    "journal_unavailable": _TRY_LATER,
    "internal_error": _FAILED,
}


class _Ping(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["ping"]  # no tag: msgspec does without one in `{}`


_ping: Final = msgspec.json.Decoder(_Ping)


async def let_in(socket: WebSocket, parts: Parts, permission: Permission, ticket: str | None) -> Principal:
    """Return who opens the socket. Raises `Forbidden` and `Unauthenticated`."""
    check_origin(socket, parts.allowed_origins)
    if ticket is not None and parts.redeem_ticket is not None:
        principal = await parts.redeem_ticket(ticket)
    else:
        principal = await parts.authenticate(socket)
    if principal is None:
        raise Unauthenticated(
            "this needs an API key, a session or a ticket",
            hint="send `Authorization: Bearer rw_...`, take a ticket, which counts once and not for long, or sign in: "
            "a session's cookie counts with the header `Origin` of this server alone, as browsers send it",
            headers={"WWW-Authenticate": 'Bearer realm="runwell"'},
        )
    check(principal, permission)
    return principal


def check_origin(connection: HTTPConnection, allowed: Sequence[str]) -> None:
    """Raise `Forbidden` when a page of an origin that is neither ours nor allowed opens the connection."""
    origin = connection.headers.get("origin")
    if origin is None or origin.rstrip("/").lower() in {name.rstrip("/").lower() for name in allowed}:
        return
    place = _place(origin)
    if place is None or place != _place(f"{urlsplit(origin).scheme}://{connection.headers.get('host', '')}"):
        raise Forbidden(f"pages of {origin[:200]!r} may not open this", hint="allow the origin with RUNWELL_ALLOWED_ORIGINS")


def _place(url: str) -> tuple[str, int | None] | None:
    """Return host and port; None for what is no address. The scheme does not count: a proxy may have ended TLS."""
    try:
        parts = urlsplit(url)
        return None if not parts.hostname else (parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme))
    except ValueError:
        return None


async def deny(socket: WebSocket, error: RunwellError) -> None:
    """Answer the request for an upgrade with a problem."""
    response: Response = await error_response(socket, error)
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(response)
    else:
        await socket.close(_REFUSED)


async def serve(socket: WebSocket, streams: Streams, place: Place, check: Check) -> None:
    """Accept the socket, send what comes after the place, and close it."""
    listening: asyncio.Task[None] | None = None

    async def write(batch: Sequence[Message]) -> None:
        try:
            for message in batch:
                await socket.send_text(message.body.decode())
        except WebSocketDisconnect as exc:
            raise ConnectionResetError from exc

    def started(follower: Follower) -> None:
        nonlocal listening
        listening = asyncio.create_task(_listen(socket, follower))

    await socket.accept()
    try:
        reason = await streams.follow(place, write, check, started)
    finally:
        if listening is not None:
            listening.cancel()
    if reason != "disconnected":
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # gone meanwhile, or takes nothing more
            async with asyncio.timeout(_CLOSING_S):
                await socket.close(_CODES.get(reason, 1000), reason)


async def _listen(socket: WebSocket, follower: Follower) -> None:
    """Answer pings; end the stream when its reader is gone or says anything else."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            follower.stop("disconnected")
            return
        if not _is_ping(message.get("text") or message.get("bytes") or b""):
            follower.stop("bad_message")
            return
        follower.pong()


def _is_ping(said: str | bytes) -> bool:
    if len(said) > MAX_INCOMING:
        return False
    try:
        _ping.decode(said)
    except (msgspec.MsgspecError, UnicodeError):
        return False
    return True
