"""CSV (RFC 4180), a row a run.

A cell that a spreadsheet would take for a formula begins with an apostrophe: what is in a run comes from anywhere.
"""

import csv
import io
from typing import Any, Final

from runwell.model.run_record import RunRecord
from runwell.model.times import rfc3339
from runwell.query.exports.columns import Column

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width forms are taken for them


class CommaSeparated:
    media_type = "text/csv; charset=utf-8"
    extension = "csv"

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        return _line([_harmless(column.name) for column in self._columns])

    def add(self, record: RunRecord) -> bytes:
        return _line([_cell(column, column.value(record)) for column in self._columns])

    def end(self) -> bytes:
        return b""


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if column.kind == "moment":
        return rfc3339(value)
    return _harmless(value) if column.kind == "text" else str(value)


def _harmless(text: str) -> str:
    text = text.replace("\0", "\N{SYMBOL FOR NULL}")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _line(cells: list[str]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode("utf-8", "replace")
