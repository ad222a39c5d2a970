"""The columns that queries look at, in ClickHouse within this process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clickhouse_connect
import msgspec

from runwell.model.run_query import Query
from runwell.model.run_record import RunRecord
from runwell.runstore.where import where
from runwell.search.flatten import flatten

_TEXT = (
    "run_id",
    "workflow_id",
    "workflow_slug",
    "workflow_name",
    "kind",
    "status",
    "waiting_for",
    "failure_code",
    "failed_step",
    "error_message",
)
_MORE_TEXT = ("trigger", "environment", "root_run_id", "parent_run_id", "source_run_id", "review")
_NUMBER = ("created_at", "version", "started_at", "ended_at", "queue_ms", "waited_ms", "tool_calls", "comments", "archived_at")

_Columns = dict[str, tuple[str, Callable[[RunRecord, Any], Any]]]
COLUMNS: _Columns = {
    **{name: ("String", lambda run, _, name=name: str(getattr(run, name) or "")) for name in _TEXT + _MORE_TEXT},  # type: ignore[misc]
    **{name: ("Int64", lambda run, _, name=name: getattr(run, name) or 0) for name in _NUMBER},  # type: ignore[misc]
    "begun_at": ("Int64", lambda run, _: run.created_at if run.started_at is None else run.started_at),
    "duration_ms": ("Int64", lambda run, _: -1 if run.duration_ms is None else run.duration_ms),
    "input_tokens": ("Int64", lambda run, _: run.usage.input_tokens),
    "output_tokens": ("Int64", lambda run, _: run.usage.output_tokens),
    "cost_nanos": ("Int64", lambda run, _: run.usage.cost_nanos),
    "generation_count": ("Int64", lambda run, _: len(run.generations)),
    "step_count": ("Int64", lambda run, _: len(run.steps)),
    "score": ("Float64", lambda run, _: float("nan") if run.score is None else run.score),
    "models": ("Array(LowCardinality(String))", lambda run, _: sorted({generation.model for generation in run.generations})),
    "providers": ("Array(LowCardinality(String))", lambda run, _: sorted({generation.provider for generation in run.generations})),
    "tags": ("Array(LowCardinality(String))", lambda run, _: list(run.tags)),
    "step.id": ("Array(LowCardinality(String))", lambda run, _: [step.id for step in run.steps]),
    "step.type": ("Array(LowCardinality(String))", lambda run, _: [step.type for step in run.steps]),
    "metadata_keys": ("Array(LowCardinality(String))", lambda run, _: list(run.metadata)),
    "metadata_values": ("Array(String)", lambda run, _: list(run.metadata.values())),
    "input": ("String", lambda run, _: msgspec.json.encode(run.input).decode()),
    "output": ("String", lambda run, _: msgspec.json.encode(run.output).decode()),
    "kv": ("Array(String)", lambda _, flat: flat.kv),
    "num_paths": ("Array(LowCardinality(String))", lambda _, flat: [path for path, _ in flat.nums]),
    "num_values": ("Array(Float64)", lambda _, flat: [value for _, value in flat.nums]),
    "text": ("String", lambda _, flat: flat.text),
}


class Table:
    def __init__(self, client: Any) -> None:
        self._client = client
        columns = ", ".join(f"`{name}` {type_}" for name, (type_, _) in COLUMNS.items())
        indices = "INDEX ix_kv kv TYPE text(tokenizer = 'array'), INDEX ix_text text TYPE text(tokenizer = 'splitByNonAlpha')"
        client.command(f"CREATE TABLE runs ({columns}, {indices}) ENGINE = MergeTree ORDER BY run_id SETTINGS index_granularity = 64")

    def insert(self, records: Sequence[RunRecord]) -> None:
        for start in range(0, len(records), 2_000):
            some = [(run, flatten(run)) for run in records[start : start + 2_000]]
            rows = [[make(run, flat) for _, make in COLUMNS.values()] for run, flat in some]
            self._client.insert("runs", rows, column_names=list(COLUMNS))

    def found(self, query: Query) -> set[str]:
        """Return the ids of the runs for which the query's SQL holds."""
        wanted = where(query)
        return {row[0] for row in self._client.query(f"SELECT run_id FROM runs WHERE {wanted.sql}", parameters=wanted.params).result_rows}


@contextmanager
def table(folder: Path) -> Iterator[Table]:
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    try:
        yield Table(client)
    finally:
        client.close()
