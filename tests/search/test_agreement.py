"""Python, SQL and the naive oracle say the same of every run."""

import os
import random
from pathlib import Path

import pytest
from tests.search import cases, oracle
from tests.search.table import table

from runwell.model.run_query import Query
from runwell.model.run_record import RunRecord
from runwell.runstore.where import where
from runwell.search.flatten import flatten
from runwell.search.matches import matches

SEED = int(os.environ.get("RUNWELL_SEARCH_SEED", "20261121"))


def disagreements(folder: Path, records: list[RunRecord], queries: list[Query]) -> list[str]:
    flats = [flatten(record) for record in records]
    found = []
    with table(folder) as runs:
        runs.insert(records)
        for query in queries:
            expected = {record.run_id for record in records if oracle.holds(query, record)}
            judged = {record.run_id for record, flat in zip(records, flats, strict=True) if matches(query, record, flat)}
            selected = runs.found(query)
            for who, said in (("matches", judged), ("SQL", selected)):
                if said != expected:
                    record = next(record for record in records if record.run_id in said ^ expected)
                    found.append(f"{who}: {query!r}\n  {record.input!r} {record.output!r} {record.metadata!r}\n  {where(query).sql}")
    return found


def answered(records: list[RunRecord], queries: list[Query]) -> float:
    """Return the share of queries that some runs answer and others do not: the rest prove little."""
    some = sum(0 < sum(oracle.holds(query, record) for record in records) < len(records) for query in queries)
    return some / len(queries)


@pytest.mark.timeout(600)
def test_random_queries(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    records = cases.records(rng, 250)
    queries = [cases.Queries(rng, records).query() for _ in range(1_500)]
    assert disagreements(tmp_path / "runs", records, queries)[:3] == []
    assert answered(records, queries[:200]) > 0.6


@pytest.mark.slow
@pytest.mark.skipif("RUNWELL_SLOW" not in os.environ, reason="takes 5 s a query; RUNWELL_SLOW says how many")
@pytest.mark.timeout(3_000)
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
