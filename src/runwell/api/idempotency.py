"""`Idempotency-Key`: the same request again gets the same answer, and starts nothing twice.

The key is reserved before the request is carried out, with the id for the run that it may start. When the
server dies in between, the same request starts the run under that id again, which is harmless. The same key
with another request is refused with 422, and one whose request is still being carried out with 409. So is one
whose answer held a secret: that is not kept.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from starlette.responses import Response

from runwell.api.answers import SecretAnswer
from runwell.api.errors import Conflict
from runwell.api.problems import answered, problem_response
from runwell.model.errors import InvalidInput
from runwell.model.ids import new_id
from runwell.model.principal import Principal
from runwell.model.scope import Scope
from runwell.ports.idempotency import IdempotencyKeys, KeyUse, StoredAnswer

Handler = Callable[[Request], Awaitable[Response]]

REPLAYED: Final = "Idempotency-Replayed"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS: Final = ("content-type", "location", "etag", "content-disposition")
_TRY_AGAIN: Final = frozenset({401, 403, 408, 429})
"""Statuses that say nothing about the request itself, so that the key stays free."""


class Idempotency:
    """Carries requests out at most once a key.

    `keeps_refusals`: whether the answers to refused requests may be kept, which can repeat what was sent; if not, the key stays free.
    """

    def __init__(self, keys: IdempotencyKeys, keeps_refusals: Callable[[Scope], bool] = lambda scope: True) -> None:
        self._keys = keys
        self._keeps_refusals = keeps_refusals
        self._in_flight: set[tuple[str, str, str]] = set()

    async def __call__(self, request: Request, principal: Principal, handler: Handler) -> Response:
        key = request.headers.get("idempotency-key")
        if key is None or request.method != "POST":
            return await handler(request)
        if not _KEY.fullmatch(key):
            raise InvalidInput(
                f"the Idempotency-Key {key[:80]!r} is not usable", hint="send 1 to 255 visible ASCII characters, such as a UUID"
            )
        place = (principal.scope.project_id, principal.actor, key)
        if place in self._in_flight:
            raise _in_flight(key)
        self._in_flight.add(place)
        try:
            return await self._once(request, principal, key, handler)
        finally:
            self._in_flight.discard(place)

    async def _once(self, request: Request, principal: Principal, key: str, handler: Handler) -> Response:
        request_hash = await _hash(request)
        use = await self._keys.reserve(principal.scope, principal.actor, key, request_hash, new_id("run"))
        if use.request_hash != request_hash:
            raise InvalidInput(f"the Idempotency-Key {key!r} came with another request before", hint="use a new key for each request")
        if use.answer is not None:
            return _replayed(use.answer)
        return await self._carry_out(request, principal, key, use, handler)

    async def _carry_out(self, request: Request, principal: Principal, key: str, use: KeyUse, handler: Handler) -> Response:
        request.state.run_id = use.run_id
        try:
            response = await answered(request, handler)
        except BaseException:
            await self._keys.release(principal.scope, principal.actor, key)
            raise
        secretive = response.status_code >= 400 and not self._keeps_refusals(principal.scope)
        if secretive or response.status_code >= 500 or response.status_code in _TRY_AGAIN or not isinstance(response.body, bytes):
            await self._keys.release(principal.scope, principal.actor, key)
            return response
        kept = _told_once(request) if isinstance(response, SecretAnswer) else getattr(response, "replay", None) or response
        headers = {name: kept.headers[name] for name in _KEPT_HEADERS if name in kept.headers}
        stored = StoredAnswer(status=kept.status_code, headers=headers, body=bytes(kept.body))
        await self._keys.complete(principal.scope, principal.actor, key, stored)
        return response


async def _hash(request: Request) -> str:
    """Return what tells requests apart. A key's secret is part of it, so that no body can be guessed from what is kept."""
    secret = request.headers.get("authorization", "")
    head = f"{secret}\n{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(head + await request.body()).hexdigest()


def _replayed(answer: StoredAnswer) -> Response:
    return Response(answer.body, answer.status, {**answer.headers, REPLAYED: "true"})


def _told_once(request: Request) -> Response:
    """Return what the same request gets in place of an answer that held a secret."""
    detail = "this was carried out already; the answer held a secret, was told once, and is kept nowhere"
    hint = "if it never arrived, take back what was made, and ask again with a new Idempotency-Key"
    return problem_response(request, 409, "CONFLICT", detail, hint=hint)


def _in_flight(key: str) -> Conflict:
    return Conflict(
        f"a request with the Idempotency-Key {key!r} is being carried out", hint="wait, then send it again", headers={"Retry-After": "1"}
    )
