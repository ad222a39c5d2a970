"""Turns: how the calls by way of one connection are held back, in this process.

Whoever comes first goes first. A call waits until fewer than `max_concurrent` are under way, and until fewer than
`requests_per_minute` began within the last minute; it is cancelled while it waits as it is anywhere else.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from runwell.adapters.models.connections import Connection
from runwell.model.vault import NO_LIMITS, CallLimits

MOST: Final = 1_000
MINUTE: Final = 60.0

Sleep = Callable[[float], Awaitable[None]]


class Turns:
    """The turns of every connection. `now` is in seconds; `sleep` passes them."""

    def __init__(self, now: Callable[[], float] | None = None, sleep: Sleep = asyncio.sleep) -> None:
        self._now = now
        self._sleep = sleep
        self._gates: OrderedDict[str, _Gate] = OrderedDict()

    @asynccontextmanager
    async def turn(self, connection: Connection) -> AsyncIterator[None]:
        """Wait for the connection's turn, and have it within."""
        if connection.limits == NO_LIMITS:
            yield
            return
        async with self._gate(connection).passed():
            yield

    def _gate(self, connection: Connection) -> "_Gate":
        """Return the gate for the limits as they are now; calls under way end at the one where they began."""
        key = connection.stored_id or f"environment:{connection.name}"
        gate = self._gates.pop(key, None)
        if gate is None or gate.limits != connection.limits:
            gate = _Gate(connection.limits, self._now or asyncio.get_running_loop().time, self._sleep)
        self._gates[key] = gate
        while len(self._gates) > MOST:
            self._gates.popitem(last=False)
        return gate


class _Gate:
    def __init__(self, limits: CallLimits, now: Callable[[], float], sleep: Sleep) -> None:
        self.limits = limits
        self._now, self._sleep = now, sleep
        self._room = asyncio.Semaphore(limits.max_concurrent) if limits.max_concurrent else None
        self._in_turn = asyncio.Lock()
        self._begun: deque[float] = deque(maxlen=limits.requests_per_minute)

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        if self._room is None:
            await self._await_minute()
            yield
            return
        async with self._room:
            await self._await_minute()
            yield

    async def _await_minute(self) -> None:
        if self.limits.requests_per_minute is None:
            return
        async with self._in_turn:
            if len(self._begun) == self._begun.maxlen:
                wait = self._begun[0] + MINUTE - self._now()
                if wait > 0:
                    await self._sleep(wait)
            self._begun.append(self._now())
