"""The run store's own table, in ClickHouse within this process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runwell.model.run_query import Query
from runwell.model.run_record import RunRecord
from runwell.runstore.bounds import Bounds
from runwell.runstore.rows import columns_of, row_of
from runwell.runstore.schema import UNBOUNDED
from runwell.runstore.targets import Directory
from runwell.runstore.where import where


class Table:
    def __init__(self, client: Any) -> None:
        self._client = client

    def insert(self, records: Sequence[RunRecord]) -> None:
        for start in range(0, len(records), 2_000):
            names, columns = columns_of([row_of(record) for record in records[start : start + 2_000]])
            self._client.insert("runs", columns, column_names=names, column_oriented=True, settings=UNBOUNDED)

    def found(self, query: Query) -> set[str]:
        """Return the ids of the runs for which the query's SQL holds."""
        wanted = where(query)
        found = self._client.query(f"SELECT run_id FROM runs FINAL WHERE {wanted.sql}", parameters=wanted.params)
        return {row[0] for row in found.result_rows}


@contextmanager
def table(folder: Path) -> Iterator[Table]:
    directory = Directory(folder, Bounds())
    directory.prepare()
    client = directory.connect()
    try:
        yield Table(client)
    finally:
        client.close()
