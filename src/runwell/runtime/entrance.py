"""How runs get their turn: at once, or from the queue when there is room."""

import asyncio
from typing import Protocol

from runwell.engine.state import RunState
from runwell.model.commands import AdmitRun, Command
from runwell.model.errors import RunwellError
from runwell.runtime.admission import Admission, Ticket
from runwell.runtime.cell import Cell


class Host(Protocol):
    """What is needed of the runtime."""

    @property
    def is_closing(self) -> bool: ...
    def held(self, run_id: str) -> Cell | None: ...
    def report(self, cell: Cell, command: Command) -> object: ...
    async def command(self, run_id: str, command: Command) -> RunState: ...
    def spawn(self, work: object) -> None: ...
    def reload(self, run_id: str) -> None: ...


class Entrance:
    def __init__(self, host: Host, admission: Admission) -> None:
        self._host, self._admission = host, admission

    def enter(self, ticket: Ticket) -> None:
        """Begin the run, or put it into the queue."""
        if self._admission.enter(ticket):
            self._host.spawn(self._admit(ticket))

    def soon(self) -> None:
        """Do `next` once what goes on is done."""
        if self._admission.queued:
            asyncio.get_running_loop().call_soon(self.next)

    def next(self) -> None:
        """Begin the queued runs for which there is room."""
        while not self._host.is_closing and (ticket := self._admission.next()) is not None:
            cell = self._host.held(ticket.run_id)
            if cell is None:
                self._host.spawn(self._admit(ticket))
            else:
                self._host.report(cell, AdmitRun())

    async def _admit(self, ticket: Ticket) -> None:
        """Begin a queued run that may not be in memory; give its place back when that cannot be."""
        try:
            await self._host.command(ticket.run_id, AdmitRun())
        except RunwellError:
            if self._host.held(ticket.run_id) is None:
                self._admission.note(ticket.run_id, ticket, running=False, ended=True)
                self._host.reload(ticket.run_id)
