"""No run store: runs go on, and lists and searches say why there are none."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final, NoReturn

from runwell.model.errors import RunStoreUnavailable
from runwell.model.listed_run import ListedRun
from runwell.model.removals import NO_REMOVALS, Removals
from runwell.model.run_record import RunRecord
from runwell.model.statuses import RunStatus
from runwell.ports.analytics import Analytics, Cell, FiguresAsked, Groups, Percentiles, StepFigures, UsageFigures
from runwell.ports.projection import Lag
from runwell.ports.run_store import FieldSeen, Place, RunCounts, RunsAsked

_WHY: Final = "this server has no run store"


def _refuse() -> NoReturn:
    raise RunStoreUnavailable(_WHY, hint="start it without RUNWELL_RUNSTORE_URL=none")


class NoFigures:
    """`Analytics` of nothing."""

    async def groups(self, asked: FiguresAsked, limit: int) -> Groups:
        _refuse()

    async def statuses(self, asked: FiguresAsked) -> dict[Cell, dict[RunStatus, int]]:
        _refuse()

    async def usage(self, asked: FiguresAsked) -> dict[Cell, UsageFigures]:
        _refuse()

    async def durations(self, asked: FiguresAsked) -> dict[Cell, Percentiles]:
        _refuse()

    async def steps(self, asked: FiguresAsked) -> dict[Cell, list[StepFigures]]:
        _refuse()


class SwitchedOff:
    """`RunStore` and `Projection` that keep nothing. What an earlier process kept is removed by the next that has a store."""

    analytics: Analytics = NoFigures()

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

    async def page(self, asked: RunsAsked, limit: int, *, before: Place | None = None, after: Place | None = None) -> list[ListedRun]:
        _refuse()

    async def counts(self, asked: RunsAsked) -> RunCounts:
        _refuse()

    async def records(self, asked: RunsAsked, before: Place | None = None) -> AsyncIterator[RunRecord]:
        _refuse()
        yield  # makes this an iterator, which refuses when it is asked for its first record

    async def fields(self, asked: RunsAsked, since: int) -> list[FieldSeen]:
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

    def removals(self) -> Removals:
        return NO_REMOVALS

    async def remove_deleted(self) -> None:
        pass

    def lag(self) -> Lag:
        return Lag(positions=0, seconds=0.0, complete=False)
