"""Columns are the same as Arrow's own way makes them, without what that loads."""

import random
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from runwell.query.exports.arrow_columns import arrow_column, arrow_type
from runwell.query.exports.columns import Kind

VALUES: dict[Kind, list[Any]] = {
    "text": ["", "plain", "ümläut 🎈", "\0", "x" * 1_000],
    "integer": [0, 1, -1, 2**63 - 1, -(2**63)],
    "number": [0.0, -1.5, 1e308, 1e-320, float("inf")],
    "moment": [0, 1_760_000_000_123, -1],
    "money": ["0", "0.000000001", "12.5", "9999999999999999999.123456789"],
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1_000])
def test_columns_are_as_arrow_makes_them(kind: Kind, count: int) -> None:
    chance = random.Random(count)
    for holes in (0.0, 0.3, 1.0):
        values = [None if chance.random() < holes else chance.choice(VALUES[kind]) for _ in range(count)]
        ours = [value.encode() if isinstance(value, str) and kind == "text" else value for value in values]
        theirs = [Decimal(value) if value is not None and kind == "money" else value for value in values]
        made = arrow_column(kind, ours)
        made.validate(full=True)
        assert made.equals(pa.array(theirs, type=arrow_type(kind)))


def test_pandas_is_not_loaded() -> None:
    script = (
        "import sys\nfrom runwell.query.exports.formats import Shape, writer_for\nfrom tests.contract.run_samples import full\n"
        "writer = writer_for(Shape(format='parquet'))\nmade = writer.begin() + writer.add(full()) + writer.end()\n"
        "assert made[:4] == made[-4:] == b'PAR1'\nassert 'pandas' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
