"""Runs that have the output of an earlier one, or wait for one with the same key that is under way (see `flights`)."""

import asyncio
from typing import Any, NamedTuple, Protocol

import msgspec

from runwell.engine.state import RunState
from runwell.model.caching import CacheHit, allows
from runwell.model.commands import Command, ServeRun
from runwell.model.errors import RunwellError
from runwell.model.events import RunCreated, RunSucceeded
from runwell.model.run import RunRow
from runwell.model.statuses import RunStatus
from runwell.ports.journal import Journal
from runwell.runtime.cache_keys import CacheKeys
from runwell.runtime.cell import Cell
from runwell.runtime.flights import Flights
from runwell.runtime.plans import Prepared


class Found(NamedTuple):
    """What a run is given that was had before."""

    hit: CacheHit
    output: Any

    @property
    def command(self) -> ServeRun:
        return ServeRun(hit=self.hit, output=self.output)


class Wish(msgspec.Struct, frozen=True):
    """How a run that is about to be made meets the cache. `key` is empty for one that does not."""

    key: str = ""
    looks: bool = False
    waits: bool = False


class Host(Protocol):
    """What is needed of the runtime."""

    journal: Journal

    def held(self, run_id: str) -> Cell | None: ...
    async def cell(self, run_id: str) -> Cell: ...
    async def command(self, run_id: str, command: Command) -> RunState: ...
    def enter(self, cell: Cell) -> None: ...
    def spawn(self, work: object) -> None: ...


class RunCache:
    def __init__(self, host: Host, keys: CacheKeys) -> None:
        self._host, self._keys = host, keys
        self.flights = Flights()

    async def keyed(self, created: RunCreated, prepared: Prepared) -> RunCreated:
        """Return the first event's data with the run's key."""
        key = await self._keys.of_run(created, prepared.caching)
        return msgspec.structs.replace(created, cache_key=key) if key else created

    def wish(self, created: RunCreated, prepared: Prepared) -> Wish:
        looks = bool(created.cache_key) and allows(created.use_cache, prepared.caching.least)
        return Wish(created.cache_key, looks, looks and created.use_cache == "always" and created.parent_run_id is None)

    async def find(self, wish: Wish) -> Found | None:
        """Return what the run can be given at once; None too where it is to wait."""
        if not wish.looks or self.must_wait(wish):
            return None
        leader = self._host.held(self.flights.leader(wish.key))
        if leader is not None and leader.state.is_terminal and leader.durable is not None:
            await asyncio.wait({leader.durable})  # whoever has seen it end is to find it
        return await self._find(wish.key)

    def must_wait(self, wish: Wish) -> bool:
        return wish.waits and self.flights.is_led(wish.key)

    async def _find(self, key: str) -> Found | None:
        """Return the output that is kept under the key; None too when it cannot be read just now."""
        try:
            cached = await self._host.journal.cached(key)
        except RunwellError:
            return None
        if cached is None:
            return None
        row = cached.row
        hit = CacheHit(source_run_id=row.run_id, saved_nanos=row.cost_nanos + row.saved_nanos, saved_ms=row.duration_ms or 0)
        return Found(hit, cached.end.of(RunSucceeded).output)

    async def take_up(self, row: RunRow) -> bool:
        """Return whether a run that was queued in an earlier process is seen to here: it waits, or has its output already."""
        if row.use_cache == "always" and row.cache_key and row.parent_run_id is None:
            if self.flights.is_led(row.cache_key, row.run_id):
                self.flights.follow(row.cache_key, row.run_id, row.project_id)
                return True
            found = await self._find(row.cache_key)
            if found is not None:
                await self._host.command(row.run_id, found.command)
                return True
        self.flights.lead(row.cache_key, row.run_id)
        return False

    def over(self, run_id: str) -> None:
        """See to those that waited for a run which has ended, durably, or never came to be."""
        key, waiting = self.flights.over(run_id)
        if waiting:
            self._host.spawn(self._go_on(key, waiting))

    async def _go_on(self, key: str, waiting: list[str]) -> None:
        found = await self._find(key)
        for run_id in waiting:
            try:
                await (self._begin(key, run_id) if found is None else self._host.command(run_id, found.command))
            except RunwellError:  # it is gone, or taken up again from the journal
                continue

    async def _begin(self, key: str, run_id: str) -> None:
        """Let the run take over, or wait for the one that has."""
        cell = await self._host.cell(run_id)
        if cell.state.status is not RunStatus.QUEUED:
            return
        if self.flights.is_led(key, run_id):
            self.flights.follow(key, run_id, cell.state.created.project_id)
            return
        self.flights.lead(key, run_id)
        self._host.enter(cell)
