"""Columns of Arrow from lists of Python values.

Arrow's own way, `pyarrow.array`, loads pandas wherever that is installed: half a second of the event loop, and 50 MB for ever.
"""

from array import array
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final

from runwell.query.exports.columns import Kind

Buffers = tuple["bytes | array[Any]", ...]


def arrow_type(kind: Kind) -> Any:
    import pyarrow as pa

    return {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "moment": pa.timestamp("ms", tz="UTC"),
        "money": pa.decimal128(28, _PLACES),
    }[kind]


def arrow_column(kind: Kind, values: Sequence[Any]) -> Any:
    """Return the column. Texts are given in UTF-8, money as decimal text, moments in ms; None is null."""
    import pyarrow as pa

    nulls = sum(value is None for value in values)
    buffers = [_bits(values) if nulls else None, *_BUFFERS[kind](values)]
    return pa.Array.from_buffers(arrow_type(kind), len(values), [None if held is None else pa.py_buffer(held) for held in buffers], nulls)


def _bits(values: Sequence[Any]) -> bytes:
    """Return one bit for each value, the first one lowest: whether there is any."""
    return sum(1 << place for place, value in enumerate(values) if value is not None).to_bytes((len(values) + 7) // 8, "little")


def _texts(values: Sequence[bytes | None]) -> Buffers:
    ends = accumulate((len(value or b"") for value in values), initial=0)
    return array("i", ends), b"".join(value or b"" for value in values)


def _numbers(code: str) -> Callable[[Sequence[Any]], Buffers]:
    return lambda values: (array(code, [value or 0 for value in values]),)


def _money(values: Sequence[str | None]) -> Buffers:
    amounts = (int(Decimal(value or 0).scaleb(_PLACES)) for value in values)
    return (b"".join(amount.to_bytes(16, "little", signed=True) for amount in amounts),)


_PLACES: Final = 9
_BUFFERS: Final[dict[Kind, Callable[[Sequence[Any]], Buffers]]] = {
    "text": _texts,
    "integer": _numbers("q"),
    "number": _numbers("d"),
    "moment": _numbers("q"),
    "money": _money,
}
