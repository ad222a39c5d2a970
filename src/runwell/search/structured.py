"""Searches in fields rather than in a text: `{field_name, operator, values, type}`, each of which must hold."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from math import isfinite
from typing import Any, Final, get_args

from runwell.model.errors import InvalidQuery, Problem
from runwell.model.run_query import FieldType, Not, Operator, Query
from runwell.search.conditions import WORDS, BadCondition, Given, Meant, condition
from runwell.search.dates import Today
from runwell.search.fields import Field, UnknownField, field_named, nearest_of
from runwell.search.json_conditions import with_length
from runwell.search.matches import POSITIVE
from runwell.search.values import number_text

MAX_QUERIES: Final = 100
MAX_VALUES: Final = 100
MAX_LENGTH: Final = 4096

_SPOKEN: Final[dict[Operator, tuple[str, ...]]] = {
    "gt": ("greater than",),
    "gte": ("greater than or equal to", "is greater than or equal to"),
    "lt": ("less than",),
    "lte": ("less than or equal to", "is less than or equal to"),
    "before": ("before",),
    "after": ("after",),
    "between": ("between",),
    "empty": ("empty",),
    "not_empty": ("not empty",),
    "not_contains": ("not contains",),
}
OPERATORS: Final[dict[str, Operator]] = {
    name: operator for operator in WORDS for name in (operator.replace("_", " "), WORDS[operator], *_SPOKEN.get(operator, ()))
}
"""From what callers say to what it means; underscores count as spaces."""

TYPES: Final = get_args(FieldType)
_EMPTINESS: Final[tuple[Operator, ...]] = ("empty", "not_empty")
_ORDER: Final[tuple[Operator, ...]] = ("is", "is_not", "gt", "gte", "lt", "lte", "between")
OPERATORS_OF: Final[dict[str, tuple[Operator, ...]]] = {
    "string": ("is", "is_not", "contains", "not_contains", *_EMPTINESS),
    "boolean": ("is", "is_not", *_EMPTINESS),
    "number": (*_ORDER, *_EMPTINESS),
    "integer": (*_ORDER, *_EMPTINESS),
    "array_length": _ORDER,
    "date": (*_ORDER, "before", "after", *_EMPTINESS),
}
"""By the type that a value is said to have."""

_TYPES_OF: Final[dict[str, tuple[str, ...]]] = {
    "string": ("string",),
    "number": ("number", "integer"),
    "integer": ("integer", "number"),
    "boolean": ("boolean",),
    "date": ("date",),
    "any": TYPES,
}


class _Bad(Exception):
    def __init__(self, pointer: str, message: str, hint: str | None) -> None:
        self.problem = Problem(code="INVALID_QUERY", message=message, pointer=pointer, hint=hint)


def read_field_queries(queries: Sequence[Mapping[str, Any]], now: int, zone: tzinfo = UTC, pointer: str = "/field_queries") -> list[Query]:
    """Return what each says. Raises `InvalidQuery` with all problems; `pointer` is where the list lies in the request."""
    if len(queries) > MAX_QUERIES:
        raise _refused([Problem(code="INVALID_QUERY", message=f"more than {MAX_QUERIES} conditions", pointer=pointer, hint="ask for less")])
    read: list[Query] = []
    problems: list[Problem] = []
    for index, asked in enumerate(queries):
        try:
            read.append(_read(asked, Today(now, zone), f"{pointer}/{index}"))
        except _Bad as exc:
            problems.append(exc.problem)
    if problems:
        raise _refused(problems)
    return read


def _refused(problems: list[Problem]) -> InvalidQuery:
    first = problems[0]
    return InvalidQuery(f"{first.pointer}: {first.message}", hint=first.hint, problems=tuple(problems))


def _read(asked: Mapping[str, Any], today: Today, pointer: str) -> Query:
    field = _field(asked.get("field_name"), pointer)
    operator = _operator(asked.get("operator"), pointer)
    meant = _type(asked.get("type"), field, pointer)
    if operator not in OPERATORS_OF.get(meant or "", OPERATORS.values()):
        known = ", ".join(WORDS[each] for each in OPERATORS_OF[str(meant)])
        raise _Bad(f"{pointer}/operator", f"{WORDS[operator]!r} makes no sense for the type {meant}", f"it knows: {known}")
    if meant == "array_length":
        field = with_length(field)
    given = _values(asked.get("values"), field, operator, meant, pointer)
    positive = POSITIVE.get(operator, operator)
    try:
        query = condition(field, positive, given, today, meant)
    except BadCondition as exc:
        raise _Bad(f"{pointer}/operator" if exc.value is None else f"{pointer}/values/{exc.value}", exc.message, exc.hint) from exc
    return query if positive == operator else Not(query)


def _field(name: object, pointer: str) -> Field:
    if not isinstance(name, str) or not name or len(name) > MAX_LENGTH:
        raise _Bad(f"{pointer}/field_name", "it must name a field", "status, input.ticket.lang, output.items[].name")
    try:
        return field_named(name)
    except UnknownField as exc:
        raise _Bad(f"{pointer}/field_name", exc.message, exc.hint) from exc


def _operator(said: object, pointer: str) -> Operator:
    found = OPERATORS.get(" ".join(said[:100].lower().replace("_", " ").split())) if isinstance(said, str) else None
    if found is None:
        hint = (nearest_of(said, OPERATORS) if isinstance(said, str) else None) or f"operators are {', '.join(WORDS.values())}"
        raise _Bad(f"{pointer}/operator", f"there is no operator {str(said)[:100]!r}", hint)
    return found


def _type(said: object, field: Field, pointer: str) -> Meant:
    if said is None:
        return "exact"
    if said not in TYPES:
        hint = (nearest_of(said, TYPES) if isinstance(said, str) else None) or f"types are {', '.join(TYPES)}"
        raise _Bad(f"{pointer}/type", f"there is no type {str(said)[:100]!r}", hint)
    if said not in _TYPES_OF[field.type]:
        raise _Bad(f"{pointer}/type", f"{field.name} is no {said}", f"it is of type {field.type}")
    return said  # type: ignore[return-value]


def _values(values: object, field: Field, operator: Operator, meant: Meant, pointer: str) -> list[Given]:
    if operator in ("empty", "not_empty"):
        if values:
            raise _Bad(f"{pointer}/values", f"{WORDS[operator]!r} takes no values", "leave them out")
        return []
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise _Bad(f"{pointer}/values", f"{WORDS[operator]!r} needs values", "write a list: [3]")
    if len(values) > MAX_VALUES:
        raise _Bad(f"{pointer}/values", f"more than {MAX_VALUES} values", "ask for less")
    return [_value(value, field, meant, f"{pointer}/values/{index}") for index, value in enumerate(values)]


def _value(value: object, field: Field, meant: Meant, pointer: str) -> Given:
    match value:
        case bool():
            text = "true" if value else "false"
        case float() if not isfinite(value):
            raise _Bad(pointer, f"{value} is no number", "write it as 3, -0.5 or 1e6")
        case int() | float() if not isinstance(value, int) or value.bit_length() < 1_100:
            text = number_text(value)
        case str() if len(value) <= MAX_LENGTH and not any("\ud800" <= char <= "\udfff" for char in value):
            text = value
        case _:
            raise _Bad(pointer, "this is no value", "a value is a text of at most 4096 characters, a number, true or false")
    if meant in ("integer", "array_length") and not text.lstrip("+-").isdigit():
        raise _Bad(pointer, f"{text[:100]!r} is no whole number", "write it as 3")
    if field.kind == "duration" and not isinstance(value, str | bool):
        text += "ms"
    return Given(text, isinstance(value, str) and (meant == "string" or (meant == "exact" and field.kind in ("json", "text", "error"))))
