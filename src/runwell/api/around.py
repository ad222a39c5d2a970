"""What happens around every operation of a known caller."""

from fastapi import Request
from starlette.responses import Response

from runwell.api.idempotency import Handler, Idempotency
from runwell.api.problems import answered
from runwell.api.rate_limit import RateLimit
from runwell.api.route import SIGNED_IN
from runwell.model.principal import Principal


class Around:
    """Rate limit first, then the idempotency key. Without a `limit` nobody is limited.

    What is about the caller's own session may be done twice, and its requests hold passwords: of those not even a hash is kept.
    """

    def __init__(self, idempotency: Idempotency, limit: RateLimit | None) -> None:
        self._idempotency = idempotency
        self._limit = limit

    async def __call__(self, request: Request, handler: Handler) -> Response:
        principal: Principal | None = getattr(request.state, "principal", None)
        if principal is None:
            return await handler(request)
        allowance = None if self._limit is None else self._limit.take(principal.actor)
        is_own = getattr(request.scope.get("route"), "permission", None) == SIGNED_IN
        response = await (answered(request, handler) if is_own else self._idempotency(request, principal, _answering(handler)))
        if allowance is not None:
            response.headers.update(allowance.headers)
        return response


def _answering(handler: Handler) -> Handler:
    return lambda request: answered(request, handler)
