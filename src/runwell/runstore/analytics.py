"""The port `Analytics` on ClickHouse."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from runwell.model.statuses import RunStatus
from runwell.ports.analytics import Cell, FiguresAsked, Groups, Percentiles, StepFigures, UsageFigures
from runwell.runstore import figures
from runwell.runstore.figures import Question

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client  # imported when the store is opened, in a thread

_T = TypeVar("_T")
_Rows = Sequence[Sequence[Any]]


class Connected(Protocol):
    """Who lends connections: `runstore.client.Connections`."""

    async def run(self, work: Callable[["Client"], _T], *, is_search: bool = False) -> _T: ...


class SqlAnalytics:
    """`Analytics` over `run_facts`, which `rollups.sql` describes."""

    def __init__(self, connections: Connected) -> None:
        self._connections = connections

    async def groups(self, asked: FiguresAsked, limit: int) -> Groups:
        rows = await self._rows(figures.groups_question(asked, limit))
        return Groups(most=tuple(group for group, _, _ in rows), count=rows[0][2] if rows else 0)

    async def statuses(self, asked: FiguresAsked) -> dict[Cell, dict[RunStatus, int]]:
        return figures.statuses_of(await self._rows(figures.statuses_question(asked)))

    async def usage(self, asked: FiguresAsked) -> dict[Cell, UsageFigures]:
        return figures.usage_of(await self._rows(figures.usage_question(asked)))

    async def durations(self, asked: FiguresAsked) -> dict[Cell, Percentiles]:
        return figures.durations_of(await self._rows(figures.durations_question(asked)))

    async def steps(self, asked: FiguresAsked) -> dict[Cell, list[StepFigures]]:
        return figures.steps_of(await self._rows(figures.steps_question(asked)))

    async def _rows(self, question: Question) -> _Rows:
        def work(client: "Client") -> _Rows:
            rows: _Rows = client.query(question.sql, parameters=question.parameters).result_rows
            return rows

        return await self._connections.run(work, is_search=True)
