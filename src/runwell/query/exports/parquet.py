"""Parquet: the columns of CSV with their types, in groups of rows that are written as they fill."""

from typing import Any, Final

from runwell.model.run_record import RunRecord
from runwell.query.exports.arrow_columns import arrow_column, arrow_type
from runwell.query.exports.columns import Column

GROUP_RUNS: Final = 5_000
GROUP_BYTES: Final = 4 * 1024 * 1024

_ALIKE: Final = frozenset({"workflow", "workflow_id", "workflow_name", "kind", "status", "trigger", "environment", "models"})
"""Columns with few values. Dictionaries and least and greatest values of the others would be held for the whole file."""


def _schema(columns: tuple[Column, ...]) -> Any:
    import pyarrow as pa

    return pa.schema([pa.field(column.name, arrow_type(column.kind)) for column in columns])


class Parquet:
    media_type = "application/vnd.apache.parquet"
    extension = "parquet"

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._columns = columns
        self._schema = _schema(columns)
        self._rows: list[list[Any]] = [[] for _ in columns]
        self._size = 0
        self._sink = _Sink()

    def begin(self) -> bytes:
        import pyarrow.parquet as pq

        short = [column.name for column in self._columns if column.kind != "text"]
        alike = [column.name for column in self._columns if column.name in _ALIKE]
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd", write_statistics=short, use_dictionary=alike)
        return self._sink.take()

    def add(self, record: RunRecord) -> bytes:
        for column, values in zip(self._columns, self._rows, strict=True):
            value = column.value(record)
            if column.kind == "text" and value is not None:
                value = value.encode("utf-8", "replace")
                self._size += len(value)
            values.append(value)
        if len(self._rows[0]) >= GROUP_RUNS or self._size >= GROUP_BYTES:
            self._flush()
        return self._sink.take()

    def end(self) -> bytes:
        self._flush()
        self._writer.close()
        return self._sink.take()

    def _flush(self) -> None:
        if not self._rows[0]:
            return
        import pyarrow as pa

        arrays = [arrow_column(column.kind, values) for column, values in zip(self._columns, self._rows, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=GROUP_RUNS)
        for values in self._rows:
            values.clear()
        self._size = 0


class _Sink:
    """A file of which what was written can be taken away."""

    closed = False

    def __init__(self) -> None:
        self._held = bytearray()
        self._written = 0

    def take(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        return held

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._held += content
        self._written += len(content)
        return len(content)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """There is nothing behind it."""

    def close(self) -> None:
        """What is held can still be taken."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
