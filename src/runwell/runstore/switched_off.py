"""No run store: runs go on, and lists and searches say why there are none."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final, NoReturn

from runwell.model.errors import RunStoreUnavailable
from runwell.model.run_record import RunRecord
from runwell.model.scope import Scope
from runwell.ports.projection import Lag
from runwell.ports.run_store import FieldSeen, Place, RunCounts, RunsAsked

_WHY: Final = "this server has no run store"


def _refuse() -> NoReturn:
    raise RunStoreUnavailable(_WHY, hint="start it without RUNWELL_RUNSTORE_URL=none")


class SwitchedOff:
    """`RunStore` and `Projection` that keep nothing. What is to be removed is not there."""

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def trouble(self) -> str | None:
        return _WHY

    async def position(self) -> int:
        _refuse()

    async def keep(self, records: Sequence[RunRecord], position: int) -> None:
        _refuse()

    async def page(self, asked: RunsAsked, limit: int, *, before: Place | None = None, after: Place | None = None) -> list[RunRecord]:
        _refuse()

    async def counts(self, asked: RunsAsked) -> RunCounts:
        _refuse()

    async def records(self, asked: RunsAsked, before: Place | None = None) -> AsyncIterator[RunRecord]:
        _refuse()
        yield  # makes this an iterator, which refuses when it is asked for its first record

    async def fields(self, scope: Scope, since: int) -> list[FieldSeen]:
        _refuse()

    async def remove_workflow(self, workflow_id: str) -> None:
        pass

    async def remove_runs(self, run_ids: Collection[str]) -> None:
        pass

    async def clear(self) -> None:
        pass

    async def catch_up(self) -> None:
        pass

    def overlay(self) -> Sequence[RunRecord]:
        return ()

    def lag(self) -> Lag:
        return Lag(positions=0, seconds=0.0, complete=False)
