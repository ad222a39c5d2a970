"""What every question to the store begins with: whose runs, and that no run comes from both the store and memory.

ClickHouse in this process knows neither users nor row policies. So `runs_of` is the only place that names the table
`runs` for reading (a test sees to it), and it never does so without the condition of `tenancy.py`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from runwell.model.removals import NO_REMOVALS, Removals
from runwell.model.run_record import RunRecord
from runwell.model.scope import Scope
from runwell.ports.run_store import Place, RunsAsked
from runwell.runstore import tenancy
from runwell.runstore.leaving_out import none_of
from runwell.runstore.where import where
from runwell.search.matches import matches


class Condition(msgspec.Struct, frozen=True):
    """SQL of the form `FROM ... WHERE ...`, to be followed by `AND`, `GROUP BY` or `ORDER BY`, and the values it names."""

    sql: str
    params: dict[str, Any]

    def and_(self, sql: str, params: dict[str, Any]) -> "Condition":
        return Condition(f"{self.sql} AND ({sql})", self.params | params)

    def without(self, column: str, ids: Sequence[str], name: str = "removed") -> "Condition":
        """Leave out the rows whose column has one of these ids."""
        conditions, params = none_of(f"{column} NOT IN ?", f"{name}_{column}", ids)
        return Condition(" AND ".join((self.sql, *conditions)), self.params | params)


def runs_of(scope: Scope, removals: Removals = NO_REMOVALS) -> Condition:
    """Return the runs of one project, but those that were deleted."""
    condition, params = tenancy.within(scope)
    runs = Condition(f"FROM runs FINAL WHERE {condition}", params)
    return runs.without("workflow_id", sorted(removals.workflows)).without("run_id", sorted(removals.runs))


def runs_asked(asked: RunsAsked) -> Condition:
    """Return the runs of the scope that the query wants and that are not in memory."""
    wanted = where(asked.query)
    runs = runs_of(asked.scope, asked.removals).and_(wanted.sql, wanted.params)
    runs = runs.without("run_id", sorted(record.run_id for record in asked.newer if record.scope == asked.scope), "newer")
    return runs if asked.newest is None else runs.and_(*_beside("<=", asked.newest, "newest"))


def newer_asked(asked: RunsAsked) -> list[RunRecord]:
    """Return which of those in memory the scope holds and the query wants."""
    mine = (record for record in asked.newer if record.scope == asked.scope and not asked.removals.has(record))
    listed = (record for record in mine if asked.newest is None or place_of(record) <= asked.newest)
    return [record for record in listed if matches(asked.query, record)]


def older_than(place: Place) -> tuple[str, dict[str, Any]]:
    return _beside("<", place, "place")


def newer_than(place: Place) -> tuple[str, dict[str, Any]]:
    return _beside(">", place, "place")


def _beside(sign: str, place: Place, name: str) -> tuple[str, dict[str, Any]]:
    """Return the condition, with one that the order of the table serves."""
    at, run_id = f"{{{name}_at:Int64}}", f"{{{name}_id:String}}"
    sql = f"created_at {sign[0]}= {at} AND (created_at, run_id) {sign} ({at}, {run_id})"
    return sql, {f"{name}_at": place.created_at, f"{name}_id": place.run_id}


def place_of(record: RunRecord) -> Place:
    return Place(record.created_at, record.run_id)


def key_of(record: RunRecord) -> tuple[int, str]:
    return record.created_at, record.run_id


def newest_first(records: Sequence[RunRecord]) -> list[RunRecord]:
    return sorted(records, key=key_of, reverse=True)
