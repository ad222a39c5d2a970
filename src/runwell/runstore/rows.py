"""A run's record as a row of the table `runs`, and back."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from runwell.model.listed_run import ListedRun, listed
from runwell.model.run_record import GenerationRecord, RunRecord, StepRecord
from runwell.runstore.numbers import int64
from runwell.search.flatten import Flat, flatten

_NAN: Final = math.nan
_CONTENTS: Final = ("input", "output", "steps", "generations")
_EMPTY: Final[tuple[Any, ...]] = (None, "", (), {})


class Row(msgspec.Struct, frozen=True):
    """A record with what is made of it."""

    record: RunRecord
    flat: Flat
    card: str
    input: str
    output: str
    steps: str
    generations: str

    @property
    def size(self) -> int:
        """About how many bytes its texts have."""
        return sum(map(len, (self.card, self.input, self.output, self.steps, self.generations)))


def row_of(record: RunRecord) -> Row:
    card = {name: value for name, value in msgspec.structs.asdict(listed(record)).items() if value not in _EMPTY}
    return Row(record, flatten(record), _json(card), *(_json(getattr(record, name)) for name in _CONTENTS))


def columns_of(rows: Sequence[Row]) -> tuple[list[str], list[list[Any]]]:
    """Return the columns' names, and the values of each."""
    return list(_COLUMNS), [[value(row) for row in rows] for value in _COLUMNS.values()]


def carded(card: str) -> ListedRun:
    return _card_decoder.decode(card)


def whole(card: str, input_: str, output: str, steps: str, generations: str) -> RunRecord:
    return msgspec.structs.replace(
        _record_decoder.decode(card),
        input=msgspec.json.decode(input_),
        output=msgspec.json.decode(output),
        steps=_steps_decoder.decode(steps),
        generations=_generations_decoder.decode(generations),
    )


_card_decoder = msgspec.json.Decoder(ListedRun)
_record_decoder = msgspec.json.Decoder(RunRecord)
_steps_decoder = msgspec.json.Decoder(tuple[StepRecord, ...])
_generations_decoder = msgspec.json.Decoder(tuple[GenerationRecord, ...])


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _own(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row.record, name) or ""


def _number(name: str, none: int = 0) -> Callable[[Row], Any]:
    return lambda row: int64(getattr(row.record, name), none)


def _used(name: str) -> Callable[[Row], Any]:
    return lambda row: int64(getattr(row.record.usage, name))


def _step(value: Callable[[StepRecord], Any]) -> Callable[[Row], Any]:
    return lambda row: [value(step) for step in row.record.steps]


def _generation(value: Callable[[GenerationRecord], Any]) -> Callable[[Row], Any]:
    return lambda row: [value(generation) for generation in row.record.generations]


_COLUMNS: Final[dict[str, Callable[[Row], Any]]] = {
    **{name: _own(name) for name in ("org_id", "project_id", "run_id", "workflow_id", "workflow_slug", "workflow_name", "kind")},
    **{name: _own(name) for name in ("version_hash", "status", "waiting_for", "failure_code", "failed_step", "error_message")},
    **{name: _own(name) for name in ("trigger", "environment", "review", "served_from")},
    **{name: _own(name) for name in ("root_run_id", "parent_run_id", "source_run_id")},
    **{name: _number(name) for name in ("created_at", "rev", "version", "started_at", "ended_at", "begun_at", "queue_ms", "waited_ms")},
    **{name: _number(name) for name in ("cache_hits", "saved_nanos", "saved_ms", "tool_calls", "comments", "archived_at")},
    "duration_ms": _number("duration_ms", -1),
    **{name: _used(name) for name in ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost_nanos")},
    "generation_count": _used("generations"),
    "step_count": _number("step_count"),
    "models": lambda row: sorted({generation.model for generation in row.record.generations}),
    "providers": lambda row: sorted({generation.provider for generation in row.record.generations}),
    "tags": lambda row: list(row.record.tags),
    "metadata_keys": lambda row: list(row.record.metadata),
    "metadata_values": lambda row: list(row.record.metadata.values()),
    "score": lambda row: _NAN if row.record.score is None else row.record.score,
    "kv": lambda row: row.flat.kv,
    "num_paths": lambda row: [path for path, _ in row.flat.nums],
    "num_values": lambda row: [value for _, value in row.flat.nums],
    "text": lambda row: row.flat.text,
    "step.path": _step(lambda step: step.path),
    "step.id": _step(lambda step: step.id),
    "step.type": _step(lambda step: step.type),
    "step.status": _step(lambda step: step.status),
    "step.attempts": _step(lambda step: int64(step.attempts)),
    "step.started_at": _step(lambda step: int64(step.started_at)),
    "step.duration_ms": _step(lambda step: int64(step.duration_ms, -1)),
    "step.error_code": _step(lambda step: step.error_code or ""),
    "generation.at": _generation(lambda made: int64(made.at)),
    "generation.step_path": _generation(lambda made: made.step_path),
    "generation.provider": _generation(lambda made: made.provider),
    "generation.model": _generation(lambda made: made.model),
    "generation.ok": _generation(lambda made: int(made.ok)),
    "generation.latency_ms": _generation(lambda made: made.latency_ms),
    "generation.first_token_ms": _generation(lambda made: _NAN if made.first_token_ms is None else made.first_token_ms),
    "generation.input_tokens": _generation(lambda made: int64(made.usage.input_tokens)),
    "generation.cached_tokens": _generation(lambda made: int64(made.usage.cached_tokens)),
    "generation.output_tokens": _generation(lambda made: int64(made.usage.output_tokens)),
    "generation.reasoning_tokens": _generation(lambda made: int64(made.usage.reasoning_tokens)),
    "generation.cost_nanos": _generation(lambda made: int64(made.usage.cost_nanos)),
    "card": lambda row: row.card,
    "input": lambda row: row.input,
    "output": lambda row: row.output,
    "steps": lambda row: row.steps,
    "generations": lambda row: row.generations,
    "bytes": lambda row: row.size,
}
"""From column to what it holds; the schema has these and no others."""
