"""A query as a condition of SQL on the table `runs` (schema.sql). It says the same as `search.matches` of the same runs.

What ClickHouse does otherwise than one would think, all found by the property test:
- It reads the digits of a float only nearly, so floats are bound as their bits.
- Its JSON functions take integers beyond 64 bits for texts, so a text of many digits counts only if `kv` has it as one.
- It makes `x = a OR x = b OR x = c` an IN, for which 0.0 and -0.0 differ, so there is no -0.0 in `nums`, nor bound.
- `lowerUTF8` is not one to one; `translateUTF8` with the pairs of `fold` is, and `lower` is where the wanted text is ASCII.

Values are always bound. What stands in the SQL itself are names and operators of this file alone.
"""

import struct
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from runwell.model.run_query import All, AnyOf, Compare, Not, Operator, Query, Value, Words
from runwell.search.fields import Field, field_named
from runwell.search.flatten import MAX_VALUE, fold, tokens
from runwell.search.json_conditions import NumberAt, beginning, equals, kv_path, number_at, start_of
from runwell.search.matches import POSITIVE
from runwell.search.said import pattern_of
from runwell.search.values import nanos

_TEXTS: Final = {
    "status": "status",
    "kind": "kind",
    "waiting_for": "waiting_for",
    "trigger": "trigger",
    "environment": "environment",
    "failed_step": "failed_step",
    "failure_code": "failure_code",
    "review": "review",
    "run": "run_id",
    "parent": "parent_run_id",
    "source": "source_run_id",
    "root": "root_run_id",
}
"""Empty where there is none."""

_LISTS: Final = {"model": "models", "provider": "providers", "tag": "tags", "step_type": "step.type"}

_NUMBERS: Final = {
    "version": ("version", "1"),
    "started": ("begun_at", "started_at > 0"),  # the same moment, and it has an index
    "created": ("created_at", "1"),
    "ended": ("ended_at", "ended_at > 0"),
    "begun": ("begun_at", "1"),
    "duration": ("duration_ms", "duration_ms >= 0"),
    "queued": ("queue_ms", "1"),
    "waited": ("waited_ms", "1"),
    "cost": ("cost_nanos", "1"),
    "tokens": ("(input_tokens + output_tokens)", "1"),
    "input_tokens": ("input_tokens", "1"),
    "output_tokens": ("output_tokens", "1"),
    "generations": ("generation_count", "1"),
    "tool_calls": ("tool_calls", "1"),
    "steps": ("step_count", "1"),
    "score": ("score", "NOT isNaN(score)"),
    "comments": ("comments", "1"),
}
"""The column, and when there is a value."""

_SIGNS: Final[dict[Operator, str]] = {"gt": ">", "after": ">", "gte": ">=", "lt": "<", "before": "<", "lte": "<="}
_MOST_TOKENS: Final = 32
"""How many words are looked up in the index before the text itself is read."""


@cache
def _upper() -> str:
    """Return every letter beyond ASCII that folds to another. Takes long the first time, and few searches need it."""
    return "".join(char for char in map(chr, range(128, sys.maxunicode + 1)) if fold(char) != char)


class Where(msgspec.Struct, frozen=True):
    """`params` are to be bound under their names, which begin with `w`."""

    sql: str
    params: dict[str, Any]


def where(query: Query) -> Where:
    """Return the condition."""
    writer = _Writer()
    return Where(writer.condition(query), writer.params)


class _Writer:
    def __init__(self) -> None:
        self.params: dict[str, Any] = {}

    def condition(self, query: Query) -> str:
        match query:
            case All(of=parts):
                return _joined("AND", [self.condition(part) for part in parts], "1")
            case AnyOf(of=parts):
                return _joined("OR", [self.condition(part) for part in parts], "0")
            case Not(of=inner):
                return f"(NOT {self.condition(inner)})"
            case Words(words=words, is_prefix=is_prefix):
                return self._words(words, is_prefix)
            case Compare(operator="is_not" | "not_contains"):
                return f"(NOT {self._compare(query, POSITIVE[query.operator])})"
            case Compare():
                return self._compare(query, query.operator)

    def _bind(self, value: Any, type_: str) -> str:
        name = f"w{len(self.params)}"
        self.params[name] = value
        return f"{{{name}:{type_}}}"

    def _float(self, value: Value) -> str:
        """Bind the very bits: ClickHouse reads decimal digits only nearly."""
        bits = struct.unpack("<q", struct.pack("<d", float(value) + 0.0))[0]
        return f"reinterpretAsFloat64({self._bind(bits, 'Int64')})"

    def _words(self, words: Sequence[str], is_prefix: bool) -> str:
        sure = list(dict.fromkeys(words[:-1] if is_prefix else words))[:_MOST_TOKENS]
        found = [f"hasAllTokens(text, {self._bind(sure, 'Array(String)')})"] if sure else []
        if is_prefix or len(words) > 1:
            found.append(f"match(text, {self._bind(pattern_of(words, is_prefix), 'String')})")
        return _joined("AND", found, "1")

    def _compare(self, query: Compare, operator: Operator) -> str:
        if operator == "not_empty":
            return f"(NOT {self._compare(query, 'empty')})"
        field = field_named(query.field)
        match field.kind:
            case "json":
                return self._json(field, query, operator)
            case "step_status":
                return self._step(str(field.path[0]), query, operator)
            case "error":
                return self._error(query, operator)
            case "workflow":
                return self._workflow(query, operator)
            case "boolean":
                return _joined("OR", [f"archived_at {'>' if value else '='} 0" for value in query.values], "0")
        if query.field in _LISTS:
            return self._list(_LISTS[query.field], query, operator)
        if query.field in _TEXTS:
            return self._text(_TEXTS[query.field], query, operator)
        return self._number(field, query, operator)

    def _text(self, column: str, query: Compare, operator: Operator) -> str:
        if operator == "empty":
            return f"{column} = ''"
        if operator == "contains":
            return self._holds(column, query.values)
        plain = [str(value) for value in query.values if value != "" and beginning(query, value) is None]
        found = [f"has({self._bind(plain, 'Array(String)')}, {column})"] if len(plain) > 1 else []
        found += [f"{column} = {self._bind(plain[0], 'String')}"] if len(plain) == 1 else []
        return _joined("OR", found + [f"startsWith({column}, {self._bind(begin, 'String')})" for begin in _beginnings(query)], "0")

    def _list(self, column: str, query: Compare, operator: Operator) -> str:
        if operator == "empty":
            return f"NOT arrayExists(x -> x != '', {column})"
        if operator == "contains":
            return f"arrayExists(x -> {self._holds('x', query.values)}, {column})"
        plain = [str(value) for value in query.values if value != "" and beginning(query, value) is None]
        found = [f"hasAny({column}, {self._bind(plain, 'Array(String)')})"] if plain else []
        found += [f"arrayExists(x -> startsWith(x, {self._bind(begin, 'String')}), {column})" for begin in _beginnings(query)]
        return _joined("OR", found, "0")

    def _workflow(self, query: Compare, operator: Operator) -> str:
        if operator == "contains":
            return f"({self._holds('workflow_slug', query.values)} OR {self._holds('workflow_name', query.values)})"
        return f"({self._text('workflow_id', query, 'is')} OR {self._text('workflow_slug', query, 'is')})"

    def _step(self, step_id: str, query: Compare, operator: Operator) -> str:
        if operator == "empty":
            return f"(NOT has(step.id, {self._bind(step_id, 'String')}))"
        return self._has_any([f"s:{step_id}={value}" for value in query.values])

    def _error(self, query: Compare, operator: Operator) -> str:
        if operator == "empty":
            return "(failure_code = '' AND error_message = '')"
        if operator == "contains":
            return f"({self._holds('failure_code', query.values)} OR {self._holds('error_message', query.values)})"
        return _joined("OR", [self._is_error(str(value), beginning(query, value)) for value in query.values], "0")

    def _is_error(self, value: str, begin: str | None) -> str:
        text = fold(value if begin is None else begin)
        words = tokens(text)
        found = []
        if text:
            compare = "equals" if begin is None else "startsWith"
            found.append(f"{compare}({self._folded('failure_code', text)}, {self._bind(text, 'String')})")
        if words:
            pattern = pattern_of(words, begin is not None and text.endswith(words[-1]))
            found.append(f"match({self._folded('error_message', text)}, {self._bind(pattern, 'String')})")
        return _joined("OR", found, "0")

    def _number(self, field: Field, query: Compare, operator: Operator) -> str:
        column, there = _NUMBERS[field.name]
        if operator == "empty":
            return f"(NOT {there})"
        values = [nanos(float(value)) for value in query.values] if field.kind == "money" else list(query.values)
        bound = [self._float(value) if field.name == "score" else self._bind(int(value), "Int64") for value in values]
        return _joined("AND", [*([] if there == "1" else [there]), _ordered(column, operator, bound)], "1")

    def _json(self, field: Field, query: Compare, operator: Operator) -> str:
        path = kv_path(field)
        if operator == "empty":
            return f"(NOT {self._has_any([path])})"
        if operator == "contains":
            return self._any_text(field, lambda text: self._holds(text, query.values))
        at = number_at(field, query, is_date=query.type == "date")
        if operator != "is":
            return self._any_number(at, operator, query.values)
        wanted = equals(field, query)
        found = [self._has_any(wanted.entries)] if wanted.entries else []
        found += [self._any_number(at, "is", wanted.numbers)] if wanted.numbers else []
        if wanted.beginnings:
            found.append(self._any_text(field, lambda text: self._begins(text, wanted.beginnings)))
        return _joined("OR", found, "0")

    def _has_any(self, entries: list[str]) -> str:
        if len(entries) == 1:
            return f"has(kv, {self._bind(entries[0], 'String')})"
        return f"hasAny(kv, {self._bind(entries, 'Array(String)')})"

    def _any_number(self, at: NumberAt, operator: Operator, values: Sequence[Value]) -> str:
        compared = _ordered("n", operator, [self._float(value) for value in values])
        there = f"arrayExists((p, n) -> p = {self._bind(at.path, 'String')} AND {compared}, num_paths, num_values)"
        return there if at.guard is None else f"({self._has_any([at.guard])} AND {there})"

    def _any_text(self, field: Field, fits: Callable[[str], str]) -> str:
        start = start_of(field)
        has = self._has_any([kv_path(field)])
        if start == "metadata":
            if len(field.path) != 1 or field.path[0] is None:
                return "0"
            key = self._bind(field.path[0], "String")
            return f"({has} AND arrayExists((k, v) -> k = {key} AND {fits('v')}, metadata_keys, metadata_values))"
        text = "JSONExtractString(x)"
        entry = f"concat({self._bind(f'{kv_path(field)}=', 'String')}, {text})"
        is_text = f"(length({text}) NOT BETWEEN 19 AND {MAX_VALUE} OR NOT match({text}, '^-?[0-9]+$') OR has(kv, {entry}))"
        return f"({has} AND arrayExists(x -> startsWith(x, '\"') AND {fits(text)} AND {is_text}, {self._found_at(start, field)}))"

    def _found_at(self, column: str, field: Field) -> str:
        """Return the list of JSON values at a place."""
        found, keys = f"[{column}]", ""
        for key in field.path:
            if key is not None:
                keys += f", {self._bind(key, 'String')}"
            else:
                found, keys = f"arrayFlatten(arrayMap(x -> JSONExtractArrayRaw(x{keys}), {found}))", ""
        return f"arrayMap(x -> JSONExtractRaw(x{keys}), {found})" if keys else found

    def _begins(self, text: str, beginnings: Sequence[str]) -> str:
        return _joined("OR", [f"startsWith({text}, {self._bind(begin, 'String')})" for begin in beginnings], "0")

    def _holds(self, text: str, values: Sequence[Value]) -> str:
        wanted = [fold(str(value)) for value in values]
        return _joined("OR", [f"position({self._folded(text, each)}, {self._bind(each, 'String')}) > 0" for each in wanted], "0")

    def _folded(self, text: str, wanted: str) -> str:
        """Return the text folded as far as the wanted text needs it."""
        if not wanted.isascii():
            return f"translateUTF8(lower({text}), {self._constant('w_upper', _upper())}, {self._constant('w_lower', fold(_upper()))})"
        kelvin = f"replaceAll({text}, '\u212a', 'k')" if "k" in wanted else text  # the only one beyond ASCII that folds into it
        return f"lower({kelvin})"

    def _constant(self, name: str, value: str) -> str:
        self.params[name] = value
        return f"{{{name}:String}}"


def _beginnings(query: Compare) -> list[str]:
    return [begin for value in query.values if (begin := beginning(query, value)) is not None]


def _ordered(number: str, operator: Operator, bound: Sequence[str]) -> str:
    if operator == "is":
        return _joined("OR", [f"{number} = {each}" for each in bound], "0")
    if operator == "between":
        return f"{number} BETWEEN {bound[0]} AND {bound[1]}"
    return f"{number} {_SIGNS[operator]} {bound[0]}"


def _joined(word: str, parts: Sequence[str], otherwise: str) -> str:
    return otherwise if not parts else f"({f' {word} '.join(parts)})"
