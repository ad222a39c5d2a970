"""What the reference says about queries, done naively on the JSON itself: shares nothing with the code it judges."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from runwell.model.run_query import All, AnyOf, Compare, Not, Query, Words
from runwell.model.run_record import RunRecord

ROOTS = ("input", "output", "metadata")
Keys = tuple[str | None, ...]


def keys_of(value: Any, path: Keys = ()) -> Iterator[Keys]:
    """Yield every path within the value, its own included."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from keys_of(inner, (*path, key))
    if isinstance(value, list):
        for inner in value:
            yield from keys_of(inner, (*path, None))


def values_at(value: Any, path: Keys) -> list[Any]:
    """Return every value at the path. The end `length` is a list's length, too."""
    found = _values(value, path)
    if path and path[-1] == "length":
        found += [len(holder) for holder in _values(value, path[:-1]) if isinstance(holder, list)]
    return found


def _values(value: Any, path: Keys) -> list[Any]:
    found = [value]
    for key in path:
        if key is None:
            found = [item for holder in found if isinstance(holder, list) for item in holder]
        else:
            found = [holder[key] for holder in found if isinstance(holder, dict) and key in holder]
    return found


_NAMES: dict[str, tuple[str, Keys]] = {}


def path_name(root: str, path: Keys) -> str:
    """Return how a query names the path, and remember it: the oracle reads no names."""
    name = root
    for key in path:
        name += (
            "[]"
            if key is None
            else "." + (key if key and all(char.isalnum() or char in "_-$" for char in key) else json.dumps(key, ensure_ascii=False))
        )
    _NAMES[name] = (root, path)
    return name


@cache
def lower(text: str) -> str:
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


@cache
def split(text: str) -> list[str]:
    words, word = [], ""
    for char in lower(text) + " ":
        if (char.isalnum() and char.isascii()) or ord(char) > 127:
            word += char
        elif word:
            words.append(word)
            word = ""
    return words


def holds(query: Query, record: RunRecord) -> bool:
    if isinstance(query, All):
        return all(holds(part, record) for part in query.of)
    if isinstance(query, AnyOf):
        return any(holds(part, record) for part in query.of)
    if isinstance(query, Not):
        return not holds(query.of, record)
    if isinstance(query, Words):
        return any(_next_to_each_other(split(text), list(query.words), query.is_prefix) for text in _all_texts(record))
    if query.operator in ("is_not", "not_contains"):
        return not _compare(query, query.operator.removeprefix("not_").removesuffix("_not"), record)
    if query.operator == "not_empty":
        return not _compare(query, "empty", record)
    return _compare(query, {"after": "gt", "before": "lt"}.get(query.operator, query.operator), record)


def _next_to_each_other(text: list[str], words: list[str], is_prefix: bool) -> bool:
    for start in range(len(text) - len(words) + 1):
        *some, last = text[start : start + len(words)]
        if some == words[:-1] and (last.startswith(words[-1]) if is_prefix else last == words[-1]):
            return True
    return False


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in inner for text in _texts(item)]


def _all_texts(record: RunRecord) -> list[str]:
    said: list[str] = []
    for generation in record.generations:
        for message in generation.messages or []:
            said += [text for text in _texts({key: value for key, value in message.items() if key != "role"}) if text not in said]
        for text in [*_texts(generation.response), *_texts(generation.error_message)]:
            said += [] if text in said else [text]
    error = [record.error_message] if record.error_message else []
    return [*error, *_texts(record.input), *_texts(record.output), *said]


def _number(text: str) -> float | None:
    return (
        float(text)
        if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) and abs(float(text)) < float("inf")
        else None
    )


def _date(text: Any) -> int | None:
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]{5,18}(Z|[+-][0-9:]{4,5})?)?", text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment.toordinal() - 719_163) * 86_400_000 + (
        (moment.hour * 60 + moment.minute) * 60_000
        + moment.second * 1_000
        + moment.microsecond // 1_000
        - int((moment.utcoffset() or datetime.resolution * 0).total_seconds() * 1_000)
    )


def _compare(query: Compare, operator: str, record: RunRecord) -> bool:
    if query.field in _NAMES:
        root, path = _NAMES[query.field]
        if query.type == "array_length" and path[-1:] != ("length",):
            path = (*path, "length")
        return _json(query, operator, getattr(record, root), path)
    if query.field.startswith("step."):
        statuses = [step.status for step in record.steps if step.id == query.field.split(".")[1]]
        return not statuses if operator == "empty" else any(status in query.values for status in statuses)
    if query.field == "workflow" and operator == "is":
        return record.workflow_id in query.values or _is_text([record.workflow_slug], query)
    if query.field == "archived":
        return (record.archived_at is not None) == query.values[0]
    if query.field == "error" and operator == "is":
        return any(_is_error(record, str(value), query.type is None) for value in query.values)
    own = [value for value in _own(query.field, record) if value is not None and value != ""]
    if operator == "empty":
        return not own
    if operator == "contains":
        return any(lower(str(wanted)) in lower(text) for wanted in query.values for text in own)
    if own and isinstance(own[0], str):
        return _is_text(own, query)
    values = [round(Decimal(str(value)) * 10**9) if query.field in ("cost", "saved") else value for value in query.values]
    return _ordered(own, operator, values)


def _is_text(texts: Sequence[str], query: Compare) -> bool:
    return any(_fits(text, str(wanted), query.type is None) for wanted in query.values for text in texts)


def _fits(text: str, wanted: str, wild: bool) -> bool:
    return text.startswith(wanted[:-1]) if wild and wanted.endswith("*") and wanted != "*" else text == wanted


def _is_error(record: RunRecord, wanted: str, wild: bool) -> bool:
    begins = wild and wanted.endswith("*")
    text = wanted[:-1] if begins else wanted
    code = lower(record.failure_code or "")
    if text and (code.startswith(lower(text)) if begins else code == lower(text)):
        return True
    words = split(text)
    return bool(words) and _next_to_each_other(split(record.error_message or ""), words, begins and lower(text).endswith(words[-1]))


_OWN: dict[str, Callable[[RunRecord], list[Any]]] = {
    "tag": lambda run: list(run.tags),
    "model": lambda run: [generation.model for generation in run.generations],
    "provider": lambda run: [generation.provider for generation in run.generations],
    "step_type": lambda run: [step.type for step in run.steps],
    "error": lambda run: [run.failure_code, run.error_message],
    "workflow": lambda run: [run.workflow_slug, run.workflow_name],
    "tokens": lambda run: [run.usage.input_tokens + run.usage.output_tokens],
    "input_tokens": lambda run: [run.usage.input_tokens],
    "output_tokens": lambda run: [run.usage.output_tokens],
    "cost": lambda run: [run.usage.cost_nanos],
    "saved": lambda run: [run.saved_nanos],
    "generations": lambda run: [run.usage.generations],
    "steps": lambda run: [run.step_count],
    "begun": lambda run: [run.created_at if run.started_at is None else run.started_at],
    "started": lambda run: [run.started_at],
    "created": lambda run: [run.created_at],
    "ended": lambda run: [run.ended_at],
    "duration": lambda run: [run.duration_ms],
    "queued": lambda run: [run.queue_ms],
    "waited": lambda run: [run.waited_ms],
    "run": lambda run: [run.run_id],
    "parent": lambda run: [run.parent_run_id],
    "source": lambda run: [run.source_run_id],
    "root": lambda run: [run.root_run_id],
}


def _own(field: str, run: RunRecord) -> list[Any]:
    return _OWN[field](run) if field in _OWN else [getattr(run, field)]


def _ordered(numbers: Sequence[Any], operator: str, values: Sequence[Any]) -> bool:
    checks: dict[str, Callable[[Any], bool]] = {
        "is": lambda number: number in values,
        "gt": lambda number: number > values[0],
        "gte": lambda number: number >= values[0],
        "lt": lambda number: number < values[0],
        "lte": lambda number: number <= values[0],
        "between": lambda number: values[0] <= number <= values[-1],
    }
    return any(checks[operator](number) for number in numbers)


def _json(query: Compare, operator: str, value: Any, path: Keys) -> bool:
    found = values_at(value, path)
    texts = [each for each in found if isinstance(each, str)]
    numbers = [float(each) for each in found if isinstance(each, int | float) and not isinstance(each, bool)]
    if operator == "empty":
        return not [each for each in _values(value, path) if each not in (None, "", [], {}) or each is False]
    if operator == "contains":
        return any(lower(str(wanted)) in lower(text) for wanted in query.values for text in texts if text)
    if query.type == "date":
        return _ordered([date for date in map(_date, texts) if date is not None], operator, query.values)
    if query.type in ("number", "integer", "array_length") or operator != "is":
        return _ordered(numbers, operator, [float(wanted) for wanted in query.values])
    truths = [each for each in found if isinstance(each, bool)]
    if query.type == "boolean":
        return any(wanted in truths for wanted in query.values)
    wild = query.type is None
    said = [*texts, *("true" if each else "false" for each in truths if wild)]
    for wanted in map(str, query.values):
        begins = wild and wanted.endswith("*") and wanted != "*"
        if any(text and text.startswith(wanted[:-1]) for text in texts) if begins else wanted in said:
            return True
        if wild and not begins and _number(wanted) in numbers:
            return True
    return False
