"""How many requests one caller may send, and how they learn what is left."""

import math
import time
from collections.abc import Mapping

import msgspec
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import HTTPConnection

from runwell.api.errors import TooManyRequests
from runwell.model.errors import InvalidInput


class Allowance(msgspec.Struct, frozen=True):
    """What a caller has left after this request. `reset_s`: seconds until it is all there again."""

    limit: int
    remaining: int
    reset_s: int

    @property
    def headers(self) -> Mapping[str, str]:
        return {"RateLimit-Limit": str(self.limit), "RateLimit-Remaining": str(self.remaining), "RateLimit-Reset": str(self.reset_s)}


class RateLimit:
    """A number of requests in each window, counted by caller in this process's memory. `text` is like `6000/minute`."""

    def __init__(self, text: str) -> None:
        self._limit = parse_limit(text)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def take(self, caller: str) -> Allowance:
        """Count one request. Raises `TooManyRequests` when there is none left."""
        allowed = self._limiter.hit(self._limit, caller)
        window = self._limiter.get_window_stats(self._limit, caller)
        allowance = Allowance(self._limit.amount, window.remaining, max(math.ceil(window.reset_time - time.time()), 0))
        if not allowed:
            raise TooManyRequests(
                f"more than {self._limit.amount} requests in {self._limit.get_expiry()} s",
                hint=f"wait {allowance.reset_s} s, or ask the operator to raise RUNWELL_RATE_LIMIT",
                headers={**allowance.headers, "Retry-After": str(max(allowance.reset_s, 1))},
            )
        return allowance


class StrangerLimit:
    """Requests without valid credentials, counted by the address from which they come."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit

    def __call__(self, connection: HTTPConnection) -> None:
        self._limit.take(f"address {connection.client.host if connection.client else ''}")


def parse_limit(text: str) -> RateLimitItem:
    """Return the limit that the text names. Raises `InvalidInput`."""
    try:
        return parse(text)
    except ValueError as exc:
        raise InvalidInput(f"the rate limit {text!r} is not usable", hint="write it like 6000/minute or 50/second") from exc
