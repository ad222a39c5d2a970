"""The formats by their names."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

import msgspec

from runwell.model.errors import InvalidInput
from runwell.query.exports.columns import columns
from runwell.query.exports.comma_separated import CommaSeparated
from runwell.query.exports.fine_tuning import FineTuning, Side
from runwell.query.exports.json_lines import JsonLines
from runwell.query.exports.otlp import Otlp
from runwell.query.exports.parquet import Parquet
from runwell.query.exports.writer import Writer

FormatName = Literal["jsonl", "csv", "parquet", "openai-finetune", "otlp"]

FORMATS: Final[tuple[FormatName, ...]] = get_args(FormatName)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What the file is to be like. `columns`: further ones of CSV and Parquet; `split` and `side`: of fine-tuning."""

    format: FormatName = "jsonl"
    columns: tuple[str, ...] = ()
    split: float | None = None
    side: Side | None = None


def writer_for(shape: Shape, seen: set[int] | None = None) -> Writer:
    """Return what writes such a file. Raises `InvalidInput` for what the format has not."""
    _check(shape)
    match shape.format:
        case "csv":
            return CommaSeparated(columns(shape.columns))
        case "parquet":
            return Parquet(columns(shape.columns))
        case "openai-finetune":
            return FineTuning(shape.split, shape.side, seen)
        case "otlp":
            return Otlp()
        case _:
            return JsonLines()


def _check(shape: Shape) -> None:
    if shape.columns and shape.format not in ("csv", "parquet"):
        raise InvalidInput(f"{shape.format} has no columns to choose", hint="csv and parquet have")
    if (shape.split is not None or shape.side is not None) and shape.format != "openai-finetune":
        raise InvalidInput(f"{shape.format} is not split", hint="openai-finetune is")


def named(names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns' names, each of which may be several between commas."""
    return tuple(name.strip() for text in names for name in text.split(",") if name.strip())
