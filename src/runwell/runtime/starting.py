"""How a run comes to be: begun, queued, given the output of an earlier run, or left to wait for one like it."""

import asyncio
from typing import Protocol

from runwell.engine.advance import Advance
from runwell.engine.decide import start as first_event
from runwell.engine.evolve import create
from runwell.model.commands import AdmitRun, StartRun
from runwell.model.events import RunCreated
from runwell.model.ids import new_id
from runwell.ports.clock import Clock
from runwell.ports.journal import Journal
from runwell.ports.redaction import Redactions
from runwell.ports.runs import StartRequest
from runwell.runtime.admission import Admission, ticket_of
from runwell.runtime.cell import Cell
from runwell.runtime.dispatcher import Dispatcher, Durable, settled
from runwell.runtime.plans import Plans, Prepared
from runwell.runtime.request import created
from runwell.runtime.run_cache import Found, RunCache, Wish


class Host(Protocol):
    """What is needed of the runtime."""

    journal: Journal
    plans: Plans
    clock: Clock

    @property
    def redaction(self) -> Redactions: ...
    def held(self, run_id: str) -> Cell | None: ...
    def hold_new(self, cell: Cell) -> None: ...
    def lose(self, cell: Cell, error: BaseException) -> None: ...
    async def cell(self, run_id: str) -> Cell: ...


class Starting:
    def __init__(self, host: Host, admission: Admission, dispatcher: Dispatcher, cache: RunCache) -> None:
        self._host, self._admission, self._dispatcher, self._cache = host, admission, dispatcher, cache

    async def submit(self, request: StartRequest) -> tuple[Cell, Durable]:
        """Begin a run, or find the one that has this id; the future is done when it is durable."""
        prepared = await self._host.plans.startable(request)
        first = await self._cache.keyed(created(request, self._host.redaction), prepared)
        wish = self._cache.wish(first, prepared)
        while True:
            landed = self._cache.flights.landed
            found = await self._cache.find(wish)
            if request.run_id is not None and await self._exists(request.run_id):
                cell = await self._host.cell(request.run_id)
                return cell, cell.durable or settled()
            if found is not None or not wish.looks or landed == self._cache.flights.landed:
                return self._begin(request, first, prepared, wish, found)
            # else one ended while we looked, and may have what this one wants

    async def _exists(self, run_id: str) -> bool:
        return await self._host.journal.row(run_id) is not None or self._host.held(run_id) is not None

    def _begin(
        self, request: StartRequest, first: RunCreated, prepared: Prepared, wish: Wish, found: Found | None
    ) -> "tuple[Cell, asyncio.Future[int]]":
        flights = self._cache.flights
        if found is None:
            self._admission.check(request, flights.waiting_in(request.project_id))
        run_id = request.run_id or new_id("run")
        event = first_event(run_id, StartRun(run=first, actor=request.actor), self._host.clock.now())
        cell = Cell(state=create(prepared.plan, event))
        self._host.hold_new(cell)
        out = Advance(events=[event])
        try:
            if found is not None:
                out = self._dispatcher.go_on(cell, out, found.command)
            elif self._cache.must_wait(wish):
                flights.follow(wish.key, run_id, request.project_id)
            else:
                flights.lead(wish.key, run_id)
                if self._admission.enter(ticket_of(cell.state)):
                    out = self._dispatcher.go_on(cell, out, AdmitRun())
            return cell, self._dispatcher.carry_out(cell, out) or settled()
        except BaseException as exc:
            self._host.lose(cell, exc)
            raise
