"""Python, SQL and the naive oracle say the same of every run."""

import logging
import os
import random
from pathlib import Path

import pytest
from tests.search import cases, oracle
from tests.search.table import table

from runwell.model.run_query import All, AnyOf, Compare, Not, Query, Words
from runwell.model.run_record import RunRecord
from runwell.runstore.where import where
from runwell.search.flatten import flatten
from runwell.search.matches import matches

_log = logging.getLogger(__name__)
SEED = int(os.environ.get("RUNWELL_SEARCH_SEED", "20261121"))


_ORDER = ("is", "is_not", "gt", "gte", "lt", "lte", "between")
EVERY_KIND = {
    *(f"json {operator} {type_}" for type_ in ("number", "integer", "array_length", "date") for operator in _ORDER),
    *(
        f"json {operator} {type_}"
        for type_ in (None, "string")
        for operator in ("is", "is_not", "contains", "not_contains", "empty", "not_empty")
    ),
    *(f"json {operator} boolean" for operator in ("is", "is_not")),
    *(f"json {operator} date" for operator in ("before", "after")),
}
"""What the reference promises for places within inputs, outputs and metadata."""


def disagreements(folder: Path, records: list[RunRecord], queries: list[Query]) -> list[str]:
    flats = [flatten(record) for record in records]
    found: list[str] = []
    with table(folder) as runs:
        runs.insert(records)
        for number, query in enumerate(queries):
            if number % 100 == 0:
                _log.info("%s queries over %s runs, %s disagreements", number, len(records), len(found))
            expected = {record.run_id for record in records if oracle.holds(query, record)}
            judged = {record.run_id for record, flat in zip(records, flats, strict=True) if matches(query, record, flat)}
            selected = runs.found(query)
            for who, said in (("matches", judged), ("SQL", selected)):
                if said != expected:
                    record = next(record for record in records if record.run_id in said ^ expected)
                    found.append(f"{who}: {query!r}\n  {record.input!r} {record.output!r} {record.metadata!r}\n  {where(query).sql}")
    return found


def unproven(records: list[RunRecord], queries: list[Query]) -> set[str]:
    """Return the kinds of conditions among these (operator and type) for which no query is true of some runs and false of others."""
    kinds: dict[str, bool] = {}
    for condition in (leaf for query in queries for leaf in leaves(query)):
        kind = kind_of(condition)
        if not kinds.get(kind):
            kinds[kind] = 0 < sum(oracle.holds(condition, record) for record in records) < len(records)
    return {kind for kind, is_proven in kinds.items() if not is_proven}


def kind_of(condition: Words | Compare) -> str:
    if isinstance(condition, Words):
        return f"words, {condition.is_prefix}"
    return f"{'json' if condition.field in oracle._NAMES else 'own'} {condition.operator} {condition.type}"


def leaves(query: Query) -> list[Words | Compare]:
    match query:
        case All(of=parts) | AnyOf(of=parts):
            return [leaf for part in parts for leaf in leaves(part)]
        case Not(of=inner):
            return leaves(inner)
        case _:
            return [query]


@pytest.mark.timeout(600)
def test_random_queries(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    records = cases.records(rng, 250)
    queries = [cases.Queries(rng, records).query() for _ in range(1_500)]
    assert disagreements(tmp_path / "runs", records, queries)[:3] == []
    assert unproven(records, queries) == set()
    assert {kind_of(leaf) for query in queries for leaf in leaves(query)} >= EVERY_KIND


@pytest.mark.slow
@pytest.mark.skipif("RUNWELL_SLOW" not in os.environ, reason="takes 1 to 2 s a query; RUNWELL_SLOW says how many")
@pytest.mark.timeout(600 + 6 * int(os.environ.get("RUNWELL_SLOW", "0")))
def test_random_queries_over_many_runs(tmp_path: Path) -> None:
    rng = random.Random(SEED + 1)
    records = cases.records(rng, 100_000)
    queries = [cases.Queries(rng, records).query() for _ in range(int(os.environ["RUNWELL_SLOW"]))]
    assert disagreements(tmp_path / "runs", records, queries)[:3] == []


def test_the_oracle_sees_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runwell.search.matches.fold", str)
    rng = random.Random(SEED)
    records = cases.records(rng, 100)
    queries = [cases.Queries(rng, records).query() for _ in range(300)]
    assert disagreements(tmp_path / "runs", records, queries) != []
