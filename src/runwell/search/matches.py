"""What a query says of one run. The run store's SQL (`runstore/where.py`) says the same of its rows."""

from collections.abc import Callable, Iterable, Sequence
from operator import ge, gt, le, lt
from typing import Any, Final

from runwell.model.run_query import All, AnyOf, Compare, Not, Operator, Query, Value, Words
from runwell.model.run_record import RunRecord
from runwell.search.fields import Field, field_named
from runwell.search.flatten import Flat, flatten, fold, tokens
from runwell.search.json_conditions import NumberAt, beginning, equals, kv_path, number_at, start_of, texts_at
from runwell.search.said import says
from runwell.search.values import nanos

POSITIVE: Final[dict[Operator, Operator]] = {"is_not": "is", "not_contains": "contains"}

_ORDERS: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    "gt": gt,
    "after": gt,
    "gte": ge,
    "lt": lt,
    "before": lt,
    "lte": le,
}

_TEXTS: Final[dict[str, Callable[[RunRecord], Iterable[str | None]]]] = {
    "kind": lambda run: (run.kind,),
    "waiting_for": lambda run: (run.waiting_for,),
    "model": lambda run: (generation.model for generation in run.generations),
    "provider": lambda run: (generation.provider for generation in run.generations),
    "trigger": lambda run: (run.trigger,),
    "environment": lambda run: (run.environment,),
    "tag": lambda run: run.tags,
    "step_type": lambda run: (step.type for step in run.steps),
    "failed_step": lambda run: (run.failed_step,),
    "failure_code": lambda run: (run.failure_code,),
    "review": lambda run: (run.review,),
    "run": lambda run: (run.run_id,),
    "parent": lambda run: (run.parent_run_id,),
    "source": lambda run: (run.source_run_id,),
    "root": lambda run: (run.root_run_id,),
    "status": lambda run: (run.status,),
}

_NUMBERS: Final[dict[str, Callable[[RunRecord], int | float | None]]] = {
    "version": lambda run: run.version,
    "started": lambda run: run.started_at or None,
    "created": lambda run: run.created_at,
    "ended": lambda run: run.ended_at or None,
    "begun": lambda run: run.begun_at,
    "duration": lambda run: run.duration_ms,
    "queued": lambda run: run.queue_ms,
    "waited": lambda run: run.waited_ms,
    "cost": lambda run: run.usage.cost_nanos,
    "tokens": lambda run: run.usage.input_tokens + run.usage.output_tokens,
    "input_tokens": lambda run: run.usage.input_tokens,
    "output_tokens": lambda run: run.usage.output_tokens,
    "generations": lambda run: run.usage.generations,
    "cache_hits": lambda run: run.cache_hits,
    "saved": lambda run: run.saved_nanos,
    "tool_calls": lambda run: run.tool_calls,
    "steps": lambda run: run.step_count,
    "score": lambda run: run.score,
    "comments": lambda run: run.comments,
}


def matches(query: Query, record: RunRecord, flat: Flat | None = None) -> bool:
    """Whether the query holds of the run. `flat`: what `flatten` made of it, where it is there already."""
    return _Judge(record, flat).holds(query)


class _Judge:
    def __init__(self, record: RunRecord, flat: Flat | None) -> None:
        self._record, self._made = record, flat
        self._kv: frozenset[str] | None = None

    @property
    def _flat(self) -> Flat:
        if self._made is None:
            self._made = flatten(self._record)
        return self._made

    def _has(self, text: str) -> bool:
        if self._kv is None:
            self._kv = frozenset(self._flat.kv)
        return text in self._kv

    def holds(self, query: Query) -> bool:
        match query:
            case All(of=parts):
                return all(self.holds(part) for part in parts)
            case AnyOf(of=parts):
                return any(self.holds(part) for part in parts)
            case Not(of=inner):
                return not self.holds(inner)
            case Words(words=words, is_prefix=is_prefix):
                return says(self._flat.text, words, is_prefix)
            case Compare(operator="is_not" | "not_contains"):
                return not self._compare(query, POSITIVE[query.operator])
            case Compare():
                return self._compare(query, query.operator)

    def _compare(self, query: Compare, operator: Operator) -> bool:
        field = field_named(query.field)
        if operator == "not_empty":
            return not self._compare(query, "empty")
        match field.kind:
            case "json":
                return self._json(field, query, operator)
            case "step_status":
                return self._step(str(field.path[0]), query, operator)
            case "error":
                return _error(self._record, query, operator)
            case "workflow":
                return _workflow(self._record, query, operator)
            case "boolean":
                return (bool(self._record.archived_at)) in query.values
            case "text" | "id" | "status" | "choice":
                return _text([text for text in _TEXTS[query.field](self._record) if text], query, operator)
        values = tuple(nanos(float(value)) for value in query.values) if field.kind == "money" else query.values
        return _ordered([number for number in (_NUMBERS[query.field](self._record),) if number is not None], operator, values)

    def _step(self, step_id: str, query: Compare, operator: Operator) -> bool:
        if operator == "empty":
            return all(step.id != step_id for step in self._record.steps)
        return any(self._has(f"s:{step_id}={value}") for value in query.values)

    def _json(self, field: Field, query: Compare, operator: Operator) -> bool:
        if operator == "empty":
            return not self._has(kv_path(field))
        if operator == "contains":
            return self._any_text(field, [fold(str(value)) for value in query.values], _holds)
        if operator != "is":
            return self._any_number(
                number_at(field, query, is_date=query.type == "date"), operator, [float(value) for value in query.values]
            )
        wanted = equals(field, query)
        return (
            any(map(self._has, wanted.entries))
            or self._any_number(number_at(field, query, is_date=query.type == "date"), "is", wanted.numbers)
            or self._any_text(field, wanted.beginnings, str.startswith)
        )

    def _any_number(self, at: NumberAt, operator: Operator, values: Sequence[Value]) -> bool:
        if not values or (at.guard is not None and not self._has(at.guard)):
            return False
        return _ordered([number for path, number in self._flat.nums if path == at.path], operator, values)

    def _any_text(self, field: Field, wanted: Sequence[str], fits: Callable[[str, str], bool]) -> bool:
        if not wanted or not self._has(kv_path(field)):
            return False
        value: Any = getattr(self._record, start_of(field))
        return any(fits(text, each) for text in texts_at(value, field.path) for each in wanted)


def _holds(text: str, folded: str) -> bool:
    return folded in fold(text)


def _ordered(numbers: Sequence[float], operator: Operator, values: Sequence[Value]) -> bool:
    match operator:
        case "empty":
            return not numbers
        case "is":
            return any(number in values for number in numbers)
        case "between":
            return any(values[0] <= number <= values[1] for number in numbers)  # type: ignore[operator]
    compares = _ORDERS[operator]
    return any(compares(number, values[0]) for number in numbers)


def _text(texts: Sequence[str], query: Compare, operator: Operator) -> bool:
    if operator == "empty":
        return not texts
    if operator == "contains":
        return any(_holds(text, fold(str(value))) for text in texts for value in query.values)
    return any(_is_text(text, query, value) for text in texts for value in query.values)


def _is_text(text: str, query: Compare, value: Value) -> bool:
    begin = beginning(query, value)
    return text == value if begin is None else text.startswith(begin)


def _workflow(record: RunRecord, query: Compare, operator: Operator) -> bool:
    if operator == "contains":
        return _text((record.workflow_slug, record.workflow_name), query, operator)
    return record.workflow_id in query.values or _text((record.workflow_slug,), query, operator)


def _error(record: RunRecord, query: Compare, operator: Operator) -> bool:
    """A code, whatever its case, or words of the message."""
    texts = [text for text in (record.failure_code, record.error_message) if text]
    if operator != "is" or not texts:
        return _text(texts, query, operator)
    return any(_is_error(fold(record.failure_code or ""), fold(record.error_message or ""), query, value) for value in query.values)


def _is_error(code: str, message: str, query: Compare, value: Value) -> bool:
    begin = beginning(query, value)
    text = fold(str(value) if begin is None else begin)
    words = tokens(text)
    said = bool(words) and says(message, words, begin is not None and text.endswith(words[-1]))
    return said or (bool(text) and (code == text if begin is None else code.startswith(text)))
