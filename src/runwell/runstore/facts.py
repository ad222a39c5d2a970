"""What analytics need of a run: a row of `run_facts`, in SQL and, for runs that the store does not have yet, as JSON.

`rollups.sql` makes the same row of the same run.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from runwell.model.run_record import GenerationRecord, RunRecord
from runwell.runstore.numbers import int64

_NUMBERS: Final = ("begun_at", "version", "duration_ms", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
_SAVED: Final = ("cache_hits", "saved_nanos", "saved_ms")
_TEXTS: Final = ("workflow_id", "status", "trigger")
_OF_MODELS: Final = ("calls", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost_nanos")

COLUMNS: Final[dict[str, str]] = {
    "run": "UUID",
    **dict.fromkeys(_TEXTS, "String"),
    **dict.fromkeys((*_NUMBERS, "generation_count", "cost_nanos", *_SAVED), "Int64"),
    "model.name": "Array(String)",
    **{f"model.{name}": "Array(Int64)" for name in _OF_MODELS},
    "step_type": "Array(String)",
    "step_status": "Array(String)",
    "step_ms": "Array(Int64)",
}
"""The columns that figures are made of, with the types that both halves of a UNION are brought to."""

PARAMETER_CHARACTERS: Final = 30_000
"""A server refuses form fields over 128 KiB, and a character takes four bytes at most."""


def newer_facts(columns: Sequence[str], records: Sequence[RunRecord]) -> tuple[str, dict[str, str]]:
    """Return a SELECT of these columns of the runs, and its parameters: the runs' rows as one JSON, in pieces."""
    text = msgspec.json.encode([facts_of(record) for record in records]).decode(errors="replace")
    pieces = [text[start : start + PARAMETER_CHARACTERS] for start in range(0, len(text), PARAMETER_CHARACTERS)]
    parameters = {f"newer_{number}": piece for number, piece in enumerate(pieces)}
    whole = f"concat('', {', '.join(f'{{{name}:String}}' for name in parameters)})"
    fields = ", ".join(f"`{name}` {kind}" for name, kind in COLUMNS.items())
    chosen = ", ".join(f"tupleElement(fact, '{name}') AS `{name}`" for name in columns)
    return f"SELECT {chosen} FROM (SELECT arrayJoin(JSONExtract({whole}, 'Array(Tuple({fields}))')) AS fact)", parameters


def facts_of(record: RunRecord) -> dict[str, Any]:
    """Return the run's row."""
    models = sorted({made.model for made in record.generations})
    calls = [[made for made in record.generations if made.model == name] for name in models]
    return {
        "run": record.run_id[4:],
        **{name: getattr(record, name) for name in _TEXTS},
        "begun_at": int64(record.begun_at),
        "version": int64(record.version),
        "duration_ms": int64(record.duration_ms, -1),
        **{name: int64(getattr(record.usage, name)) for name in _OF_MODELS[1:]},
        "generation_count": int64(record.usage.generations),
        **{name: int64(getattr(record, name)) for name in _SAVED},
        "model.name": models,
        "model.calls": [len(made) for made in calls],
        **{f"model.{name}": [_sum(made, name) for made in calls] for name in _OF_MODELS[1:]},
        "step_type": [step.type for step in record.steps],
        "step_status": [step.status for step in record.steps],
        "step_ms": [int64(step.duration_ms, -1) for step in record.steps],
    }


def _sum(calls: Sequence[GenerationRecord], name: str) -> int:
    return int64(sum(getattr(made.usage, name) for made in calls))
