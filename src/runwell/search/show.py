"""A query as text that reads back as the same query, so that every list and number can be opened as a search."""

import re
from typing import Final

from runwell.model.run_query import All, AnyOf, Compare, Not, Operator, Query, Value, Words
from runwell.search.dates import date_text
from runwell.search.fields import field_named
from runwell.search.paths import quoted
from runwell.search.values import duration_text, number_text

_SIGNS: Final[dict[Operator, str]] = {
    "is": "",
    "contains": "~",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "after": ">",
    "before": "<",
    "between": "",
}
_POSITIVE: Final[dict[Operator, Operator]] = {"is_not": "is", "not_contains": "contains"}
_BARE: Final = re.compile(r'[^\s(),"=<>~!][^\s(),"]*')
_WORD: Final = re.compile(r"[a-z0-9]+")


def show(query: Query) -> str:
    """Return the query in the search language; empty for all runs. No text says what is never true: an `AnyOf` of nothing."""
    if isinstance(query, All):
        return " ".join(_inner(part) for part in query.of if part != All())
    if isinstance(query, AnyOf):
        return " OR ".join(_inner(part) for part in query.of)
    return _inner(query)


def _inner(query: Query) -> str:
    """Return it as one term."""
    match query:
        case All(of=(alone,)) | AnyOf(of=(alone,)):
            return _inner(alone)
        case All() | AnyOf():
            return f"({show(query)})"
        case Not(of=Not()):
            return f"-({_inner(query.of)})"
        case Not():
            return f"-{_inner(query.of)}"
        case Words():
            return _words(query)
        case Compare(operator="is_not" | "not_contains"):
            return f"-{_compare(query.field, _POSITIVE[query.operator], query)}"
        case Compare():
            return _compare(query.field, query.operator, query)


def _words(query: Words) -> str:
    text = query.words[0] if len(query.words) == 1 and _WORD.fullmatch(query.words[0]) else f'"{" ".join(query.words)}"'
    return text + "*" * query.is_prefix


def _compare(name: str, operator: Operator, query: Compare) -> str:
    if operator == "not_empty":
        return f"has:{name}"
    if operator == "empty":
        return f"{name}:empty"
    field = field_named(name)
    write = {"json": _json_text, "date": _date, "duration": _duration, "money": _number}.get(field.kind, _own)
    exact = "=" if field.kind == "json" and operator == "is" and query.type not in (None, "string") else ""
    texts = [_contained(str(value)) if operator == "contains" else write(value, query) for value in query.values]
    return f"{name}:{_SIGNS[operator]}{exact}{('..' if operator == 'between' else ',').join(texts)}"


def _contained(text: str) -> str:
    return text if _BARE.fullmatch(text) else quoted(text)


def _date(value: Value, query: Compare) -> str:
    return date_text(int(value))


def _duration(value: Value, query: Compare) -> str:
    return duration_text(int(value))


def _number(value: Value, query: Compare) -> str:
    return number_text(value) if isinstance(value, int | float) else str(value)


def _json_text(value: Value, query: Compare) -> str:
    if query.type == "date":
        return date_text(int(value))
    return _own(value, query)


def _own(value: Value, query: Compare) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    bare = query.type != "string" and _BARE.fullmatch(value) and ".." not in value.strip(".") and value not in ("empty", "notempty", "*")
    return value if bare else quoted(value)
