"""Results of steps that are had again, and attempts that wait for another one that is about to have theirs."""

import asyncio
from typing import Any, NamedTuple

from runwell.engine.caching import least_of
from runwell.engine.state import RunState
from runwell.model.caching import CacheHit, allows
from runwell.model.errors import RunwellError
from runwell.model.events import Event, StepCompleted
from runwell.ports.journal import Journal
from runwell.ports.steps import StepContext, StepType
from runwell.runtime.cache_keys import CacheKeys


class FoundResult(NamedTuple):
    """A step's result that was had before."""

    result: Any
    hit: CacheHit


class Turn(asyncio.Event):
    """Set when it is over. `lands`: the result is there, and about to be durable."""

    lands = False


class StepCache:
    def __init__(self, journal: Journal, keys: CacheKeys) -> None:
        self.keys = keys
        self._journal = journal
        self.turns: dict[str, Turn] = {}
        self.ended = 0

    def of(self, state: RunState, step_type: StepType, context: StepContext) -> "CachedAttempt | None":
        """Return what stands between the attempt and its handler; None for a step that is not cached."""
        if not step_type.caches or not allows(context.spec.cache, least_of(context.spec, context.input, state.plan)):
            return None
        return CachedAttempt(self, state, context)

    async def find(self, key: str) -> Event | None:
        """Return the event that has the result; None too when it cannot be read just now."""
        try:
            return await self._journal.cached_step(key)
        except RunwellError:
            return None


class CachedAttempt:
    """One attempt. It has the turn while no other with its key may call anybody; `end` gives that back."""

    def __init__(self, cache: StepCache, state: RunState, context: StepContext) -> None:
        self._cache, self._state, self._context = cache, state, context
        self._turn: Turn | None = None
        self.key: str | None = None

    async def found(self) -> FoundResult | None:
        """Return the result that was had before; None when it is to be had anew, then with the turn.

        With `cache: always` it waits while another has the turn: until there is a result, or the turn is free.
        """
        cache = self._cache
        key = await cache.keys.of_step(self._state, self._context)
        if not key:
            return None
        self.key = key
        if self._state.created.use_cache == "never":
            return None
        waits = self._context.spec.cache == "always"
        while True:
            ahead = cache.turns.get(key)
            if ahead is not None and (waits or ahead.lands):
                await ahead.wait()
            ended = cache.ended
            event = await cache.find(key)
            if event is not None:
                return _again(event)
            if key not in cache.turns and ended == cache.ended:  # else one ended while we looked
                self._turn = cache.turns[key] = Turn()
                return None
            if not waits and (ahead := cache.turns.get(key)) is not None and not ahead.lands:
                return None

    def end_after(self, durable: "asyncio.Future[int] | None") -> None:
        """Give the turn back once what came of the attempt is durable: then others find it."""
        if durable is None:
            self.end()
        else:
            if self._turn is not None:
                self._turn.lands = True
            durable.add_done_callback(lambda _: self.end())

    def end(self) -> None:
        if self._turn is not None and self.key is not None:
            del self._cache.turns[self.key]
            self._cache.ended += 1
            self._turn.set()
            self._turn = None


def _again(event: Event) -> FoundResult:
    data = event.of(StepCompleted)
    cost, duration = (data.kept.cost_nanos, data.kept.duration_ms) if data.kept else (0, 0)
    return FoundResult(data.result, CacheHit(source_run_id=event.run_id, source_step_id=event.step_id, saved_nanos=cost, saved_ms=duration))
