"""Pages, counts and whole records: what the store has and what memory has, as one list."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from runwell.model.listed_run import ListedRun, listed
from runwell.model.run_query import All, AnyOf, Compare, Not, Query
from runwell.model.run_record import RunRecord
from runwell.model.run_search import WorkflowNames
from runwell.ports.run_store import Place, RunCounts, RunsAsked
from runwell.runstore.asking import Condition, key_of, newer_asked, newer_than, newest_first, older_than, runs_asked
from runwell.runstore.rows import carded, whole

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client  # imported when the store is opened, in a thread


_WORKFLOWS: Final = 200
"""Counts name this many workflows at most, the most frequent."""

_DAY_MS: Final = 86_400_000
_SPANS_MS: Final = (2 * _DAY_MS, 32 * _DAY_MS)

_WITHIN: Final = frozenset({"input", "output", "metadata", "step", "error"})
"""Fields that are looked up in an index over what is in runs."""

BLOCK_RUNS: Final = 1_000
BLOCK_BYTES: Final = 8_000_000
"""Whole records are read so many at once, or one that is larger by itself."""


def page(client: "Client", asked: RunsAsked, limit: int, before: Place | None, after: Place | None) -> list[ListedRun]:
    found: list[RunRecord] = [carded(card) for (card,) in _nearest(client, "card", asked, limit, before, after)]
    found += (record for record in newer_asked(asked) if _is_beyond(record, before, after))
    ordered = newest_first(found)
    return [listed(record) for record in (ordered[max(len(ordered) - limit, 0) :] if after is not None else ordered[:limit])]


def counts(client: "Client", asked: RunsAsked) -> RunCounts:
    runs = runs_asked(asked)
    newest = "max(created_at), argMax(workflow_slug, created_at), argMax(workflow_name, created_at)"  # a tuple is ten times as slow
    rows = _rows(client, f"SELECT status, workflow_id, count(), {newest} {runs.sql} GROUP BY status, workflow_id", runs.params)
    rows += [
        (record.status.value, record.workflow_id, 1, record.created_at, record.workflow_slug, record.workflow_name)
        for record in newer_asked(asked)
    ]
    statuses, workflows = Counter[str](), Counter[str]()
    called: dict[str, tuple[int, str, str]] = {}
    for status, workflow_id, count, *at in rows:
        statuses[status] += count
        workflows[workflow_id] += count
        called[workflow_id] = max(tuple(at), called.get(workflow_id, (0, "", "")))
    most = dict(sorted(workflows.items(), key=lambda entry: (-entry[1], entry[0]))[:_WORKFLOWS])
    names = {workflow_id: WorkflowNames(slug=called[workflow_id][1], name=called[workflow_id][2]) for workflow_id in most}
    return RunCounts(count=statuses.total(), statuses=dict(statuses), workflows=most, names=names)


Key = tuple[int, str, int]
"""Creation, run id, and how many bytes the record has."""


def keys(client: "Client", asked: RunsAsked, before: Place | None) -> list[Key]:
    """Return the keys of the next block of the store's records."""
    columns = "created_at, run_id, bytes"
    return [(at, run_id, size) for at, run_id, size in _nearest(client, columns, asked, BLOCK_RUNS, before, None)]


def groups(block: list[Key]) -> Iterator[list[Key]]:
    """Cut into groups whose records fit into `BLOCK_BYTES`, or are alone."""
    group: list[Key] = []
    size = 0
    for key in block:
        if group and size + key[2] > BLOCK_BYTES:
            yield group
            group, size = [], 0
        group.append(key)
        size += key[2]
    if group:
        yield group


def whole_records(client: "Client", asked: RunsAsked, group: list[Key]) -> list[RunRecord]:
    """Return the records of a group. The query is asked again: one may have changed since its key was read."""
    runs = runs_asked(asked).and_(
        "created_at BETWEEN {oldest:Int64} AND {newest:Int64} AND run_id IN {ids:Array(String)}",
        {"newest": group[0][0], "oldest": group[-1][0], "ids": [run_id for _, run_id, _ in group]},
    )
    columns = "SELECT card, input, output, steps, generations"
    return [whole(*row) for row in _rows(client, f"{columns} {runs.sql} ORDER BY created_at DESC, run_id DESC", runs.params)]


def _nearest(
    client: "Client", columns: str, asked: RunsAsked, limit: int, before: Place | None, after: Place | None
) -> list[tuple[Any, ...]]:
    """Return the first rows of the list from a place on.

    They are looked for near the place first: rows lie in the order of their creation, and what is far away is not read when
    there is enough nearby. A search for words or for places in inputs is led by its index, wherever that leads.
    """
    runs = runs_asked(asked)
    if before is not None:
        runs = runs.and_(*older_than(before))
    if after is not None:
        runs = runs.and_(*newer_than(after))
    start = after or before
    at = time.time_ns() // 1_000_000 if start is None else start.created_at
    for span in _SPANS_MS if _looks_at_columns(asked.query) else ():
        bound, near = (">=", at - span) if after is None else ("<=", at + span)
        found = _ordered(
            client, columns, runs.and_(f"created_at {bound} {{near:Int64}}", {"near": near}), limit, is_rising=after is not None
        )
        if len(found) >= limit:
            return found
    return _ordered(client, columns, runs, limit, is_rising=after is not None)


def _ordered(client: "Client", columns: str, runs: Condition, limit: int, *, is_rising: bool) -> list[tuple[Any, ...]]:
    order = "created_at, run_id" if is_rising else "created_at DESC, run_id DESC"
    sql = f"SELECT {columns} {runs.sql} ORDER BY {order} LIMIT {{row_limit:UInt64}}"
    return _rows(client, sql, runs.params | {"row_limit": limit})


def _looks_at_columns(query: Query) -> bool:
    """Whether the query is about nothing but the run itself."""
    match query:
        case All(of=parts) | AnyOf(of=parts):
            return all(_looks_at_columns(part) for part in parts)
        case Not(of=inner):
            return _looks_at_columns(inner)
        case Compare(field=field):
            return field.partition(".")[0] not in _WITHIN
    return False


def _is_beyond(record: RunRecord, before: Place | None, after: Place | None) -> bool:
    key = key_of(record)
    return (before is None or key < (before.created_at, before.run_id)) and (after is None or key > (after.created_at, after.run_id))


def _rows(client: "Client", sql: str, params: dict[str, Any]) -> list[Any]:
    return list(client.query(sql, parameters=params).result_rows)
