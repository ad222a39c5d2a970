"""Who may begin: limits on runs under way, and a fair queue for the rest.

Three limits. The global one counts runs that are `running` or `draining`: a run that waits holds
nothing, so it gives its place back, and takes one again, without queueing, when it wakes. A project
may have a limit of its own that counts in the same way. A workflow's `concurrency` counts its runs
from their start to their end, waiting included: two nightly jobs must not overlap because one of them waits.

The queue is first in, first out within an organization, and round robin between organizations; a
run whose workflow or project is full lets others pass.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec

from runwell.engine.state import RunState
from runwell.model.errors import QueueFull
from runwell.ports.runs import StartRequest
from runwell.runtime.project_limits import ProjectLimits


class Owned(Protocol):
    """Whatever says of which project and workflow a run is."""

    @property
    def project_id(self) -> str: ...

    @property
    def workflow_id(self) -> str: ...


class Ticket(msgspec.Struct, frozen=True):
    """A run that wants to begin. `limit` is its workflow's `concurrency`."""

    run_id: str
    org_id: str
    project_id: str
    workflow_id: str
    limit: int | None


def ticket_of(state: RunState) -> Ticket:
    created = state.created
    return Ticket(state.run_id, created.org_id, created.project_id, created.workflow_id, state.plan.workflow.concurrency)


class Admission:
    def __init__(self, max_running: int, limits: ProjectLimits) -> None:
        self._max_running = max_running
        self._limits = limits
        self._running: dict[str, str] = {}
        self._by_project: Counter[str] = Counter()
        self._started: dict[str, set[str]] = {}
        self._queues: dict[str, dict[str, deque[tuple[int, Ticket]]]] = {}
        self._queued = 0
        self._arrivals = 0
        self._guests: dict[str, asyncio.Future[None]] = {}

    @property
    def running(self) -> int:
        """How many runs hold a place."""
        return len(self._running)

    @property
    def queued(self) -> int:
        """How many runs wait for their turn."""
        return self._queued

    def check(self, request: StartRequest, waiting: int) -> None:
        """Raise `QueueFull` when the project has as many runs queued as it may, with the `waiting` ones, which are not in the queue.

        A child run is part of one that has begun.
        """
        limit = self._limits.of(request.project_id).max_queued
        if limit is not None and request.parent_run_id is None:
            queues = self._queues.get(request.org_id, {}).values()
            if waiting + sum(len(queue) for queue in queues if queue and queue[0][1].project_id == request.project_id) >= limit:
                raise QueueFull(f"the project has {limit} runs queued, as many as it may", hint="start again later, or raise max_queued")

    def enter(self, ticket: Ticket) -> bool:
        """Return True when the run may begin now: its place is taken. Otherwise it is queued."""
        if not self._queued and self._has_room(ticket):
            self._take(ticket)
            return True
        self._arrivals += 1
        self._queues.setdefault(ticket.org_id, {}).setdefault(ticket.workflow_id, deque()).append((self._arrivals, ticket))
        self._queued += 1
        return False

    @asynccontextmanager
    async def place(self, run_id: str, request: StartRequest) -> AsyncIterator[None]:
        """Wait for a place as a run would, and hold it meanwhile: for what is no run of this runtime's. Raises `QueueFull`."""
        self.check(request, waiting=0)
        ticket = Ticket(run_id, request.org_id, request.project_id, request.version.workflow_id, None)
        try:
            if not self.enter(ticket):
                self._guests[run_id] = asyncio.get_running_loop().create_future()
                await self._guests[run_id]
            yield
        finally:
            if self._guests.pop(run_id, None) is not None:
                self.withdraw(ticket)
            self.note(run_id, ticket, running=False, ended=True)
            self._limits.tell()

    def next(self) -> Ticket | None:
        """Take the next run that may begin from the queue; None when there is none or no room."""
        while (ticket := self._next()) is not None:
            guest = self._guests.pop(ticket.run_id, None)
            if guest is None:
                return ticket
            if not guest.done():
                guest.set_result(None)
        return None

    def _next(self) -> Ticket | None:
        if not self._queued or len(self._running) >= self._max_running:
            return None
        for org_id in list(self._queues):
            queues = self._queues[org_id]
            heads = [(queue[0], workflow_id) for workflow_id, queue in queues.items() if self._has_room(queue[0][1])]
            if heads:
                (_, ticket), workflow_id = min(heads, key=lambda head: head[0][0])
                self._drop_head(org_id, workflow_id)
                self._take(ticket)
                return ticket
        return None

    def _drop_head(self, org_id: str, workflow_id: str) -> None:
        queues = self._queues.pop(org_id)
        queues[workflow_id].popleft()
        if not queues[workflow_id]:
            del queues[workflow_id]
        if queues:
            self._queues[org_id] = queues  # to the end: the other organizations are next
        self._queued -= 1

    def withdraw(self, ticket: Ticket) -> None:
        """Forget a queued run that will not begin."""
        queue = self._queues.get(ticket.org_id, {}).get(ticket.workflow_id, deque())
        for entry in queue:
            if entry[1].run_id == ticket.run_id:
                queue.remove(entry)
                self._queued -= 1
                break
        if not queue and ticket.org_id in self._queues:
            self._queues[ticket.org_id].pop(ticket.workflow_id, None)
            if not self._queues[ticket.org_id]:
                del self._queues[ticket.org_id]

    def note(self, run_id: str, of: Owned, *, running: bool, ended: bool) -> None:
        """Keep the counts: whether the run holds a global place, and whether it has ended."""
        if running and run_id not in self._running:
            self._running[run_id] = of.project_id
            self._by_project[of.project_id] += 1
        elif not running and self._running.pop(run_id, None) is not None:
            self._by_project[of.project_id] -= 1
        started = self._started.setdefault(of.workflow_id, set())
        (started.discard if ended else started.add)(run_id)
        if not started:
            del self._started[of.workflow_id]

    def _has_room(self, ticket: Ticket) -> bool:
        if len(self._running) >= self._max_running:
            return False
        most = self._limits.of(ticket.project_id).max_running
        if most is not None and self._by_project[ticket.project_id] >= most:
            return False
        return ticket.limit is None or len(self._started.get(ticket.workflow_id, ())) < ticket.limit

    def _take(self, ticket: Ticket) -> None:
        self.note(ticket.run_id, ticket, running=True, ended=False)
