"""A run as one row: the columns of CSV and Parquet.

Beside the fixed ones a caller may ask for values of inputs, outputs and metadata by their names in searches
(`input.ticket.lang`, `output.items[].name`): each becomes a column of text, an array's elements as one JSON list.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal

import msgspec

from runwell.model.errors import InvalidInput
from runwell.model.run_record import RunRecord
from runwell.model.usage import usd

Kind = Literal["text", "integer", "number", "moment", "money"]


class Column(msgspec.Struct, frozen=True):
    """`value` gives text, a number, ms since 1970 for a `moment`, or dollars as text for `money`; None where there is none."""

    name: str
    kind: Kind
    value: Callable[[RunRecord], Any]


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


FIXED: Final = (
    Column("run_id", "text", lambda run: run.run_id),
    Column("workflow", "text", lambda run: run.workflow_slug),
    Column("workflow_id", "text", lambda run: run.workflow_id),
    Column("workflow_name", "text", lambda run: run.workflow_name),
    Column("kind", "text", lambda run: run.kind),
    Column("version", "integer", lambda run: run.version),
    Column("status", "text", lambda run: run.status.value),
    Column("failure_code", "text", lambda run: run.failure_code),
    Column("failed_step", "text", lambda run: run.failed_step),
    Column("error_message", "text", lambda run: run.error_message),
    Column("trigger", "text", lambda run: run.trigger),
    Column("environment", "text", lambda run: run.environment),
    Column("created_at", "moment", lambda run: run.created_at),
    Column("started_at", "moment", lambda run: run.started_at),
    Column("ended_at", "moment", lambda run: run.ended_at),
    Column("duration_ms", "integer", lambda run: run.duration_ms),
    Column("queue_ms", "integer", lambda run: run.queue_ms),
    Column("waited_ms", "integer", lambda run: run.waited_ms),
    Column("cost_usd", "money", lambda run: usd(run.usage.cost_nanos)),
    Column("input_tokens", "integer", lambda run: run.usage.input_tokens),
    Column("cached_tokens", "integer", lambda run: run.usage.cached_tokens),
    Column("output_tokens", "integer", lambda run: run.usage.output_tokens),
    Column("reasoning_tokens", "integer", lambda run: run.usage.reasoning_tokens),
    Column("models", "text", lambda run: " ".join(sorted({call.model for call in run.generations}))),
    Column("generations", "integer", lambda run: len(run.generations)),
    Column("tool_calls", "integer", lambda run: run.tool_calls),
    Column("steps", "integer", lambda run: len(run.steps)),
    Column("tags", "text", lambda run: _json(run.tags) if run.tags else None),
    Column("metadata", "text", lambda run: _json(run.metadata) if run.metadata else None),
    Column("review", "text", lambda run: run.review or None),
    Column("score", "number", lambda run: run.score),
    Column("comments", "integer", lambda run: run.comments),
    Column("archived_at", "moment", lambda run: run.archived_at),
    Column("parent_run_id", "text", lambda run: run.parent_run_id),
    Column("root_run_id", "text", lambda run: run.root_run_id),
    Column("source_run_id", "text", lambda run: run.source_run_id),
    Column("input", "text", lambda run: _json(run.input)),
    Column("output", "text", lambda run: _json(run.output)),
)

MOST_COLUMNS: Final = 200
_ROOTS: Final = {"input": lambda run: run.input, "output": lambda run: run.output, "metadata": lambda run: run.metadata}


def columns(names: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return the fixed columns and those that are asked for. Raises `InvalidInput` for a name that leads nowhere."""
    return (*FIXED, *fields(names, MOST_COLUMNS))


def fields(names: Sequence[str], most: int) -> tuple[Column, ...]:
    """Return the columns that are asked for, without the fixed ones. Raises `InvalidInput` for a name that leads nowhere."""
    if len(names) > most:
        raise InvalidInput(f"{len(names)} columns are more than the {most} that may be asked for")
    return tuple(_asked(name) for name in dict.fromkeys(names))


def _asked(name: str) -> Column:
    root, _, path = name.partition(".")
    root = root.removesuffix("[]")
    if root not in _ROOTS or not (path or "[]" in name):
        raise InvalidInput(
            f"{name!r:.100} is no column", hint="name a field of input, output or metadata, such as input.ticket.lang; all others are there"
        )
    steps = [step for part in name.split(".") for step in (part.replace("[]", ""), *["[]"] * part.count("[]")) if step][1:]

    def value(run: RunRecord) -> str | None:
        found = [each for each in _found(_ROOTS[root](run), steps) if each is not None]
        if "[]" in steps:
            return _json(found) if found else None
        return None if not found else found[0] if isinstance(found[0], str) else _json(found[0])

    return Column(name, "text", value)


def _found(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    if not steps:
        yield value
    elif steps[0] == "[]":
        for inner in value if isinstance(value, list) else ():
            yield from _found(inner, steps[1:])
    elif isinstance(value, dict) and steps[0] in value:
        yield from _found(value[steps[0]], steps[1:])
