"""A model's fields in words, for the tables of docs/reference: no reader has to know Python."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from annotated_types import BaseMetadata, Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from runwell.model.step import STEP_ID, StepSpec

WORDS: Final[Mapping[Any, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    NoneType: "null",
    Any: "any JSON",
    object: "any JSON",
}
PATTERNS: Final[Mapping[str, str]] = {
    STEP_ID: "1 to 64 letters, digits, `_` and `-`, beginning with a letter or `_`",
    r"^[^\x00-\x1f/]+$": "no `/` and no control character",
}
"""Every pattern in words; one that is not here stops the drawing."""

Parts = Mapping[type, str]
"""From a model that has a table of its own to the table's anchor."""


class Row(NamedTuple):
    """One field. `default` is None for a required field."""

    name: str
    kind: str
    default: str | None
    notes: str


def table(rows: Sequence[Row]) -> str:
    """Return a Markdown table; it has a column of notes when any field has one."""
    noted = any(row.notes for row in rows)
    columns = ["Field", "Type", "Default", *(["Notes"] if noted else [])]
    cells = [[f"`{row.name}`", row.kind, row.default or "required", *([row.notes] if noted else [])] for row in rows]
    lines = [f"| {' | '.join(line)} |" for line in [columns, *cells]]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]])


def fields_of(model: type[BaseModel], parts: Parts, *, without: frozenset[str] = frozenset()) -> list[Row]:
    """Return the fields of a part of a document, by the names that documents use."""
    templates = model.templates if issubclass(model, StepSpec) else frozenset()
    rows = []
    for name, field in model.model_fields.items():
        if name not in without:
            notes = [_bounds(field), "template" if name in templates else "", field.description or ""]
            default = None if field.is_required() else _default(field.get_default(call_default_factory=True), parts)
            rows.append(Row(field.alias or name, _field_kind(field, parts), default, "; ".join(filter(None, notes))))
    return rows


def members_of(struct: type[msgspec.Struct], parts: Parts) -> list[Row]:
    """Return the fields of an event's data or of what is in it."""
    return [
        Row(field.encode_name, words(field.type, parts), None if field.required else _default(_struct_default(field), parts), "")
        for field in msgspec.structs.fields(struct)
    ]


def words(kind: Any, parts: Parts, *, many: bool = False) -> str:
    """Return a type in words, without the null of what is optional."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(args[0], _flat(args[1:]), parts, many=many)
    if origin is Literal:
        return _choice([f"`{value}`" for value in args])
    if origin in (Union, UnionType):
        return _union([arg for arg in args if arg is not NoneType], parts, many=many)
    if origin in (tuple, list):
        return f"list of {words(args[0], parts, many=True)}"
    if origin is dict or kind is dict:
        simple = not args or args[1] in (Any, object)
        return "object" if simple else f"object; each value {_union(get_args(args[1]) or (args[1],), parts)}"
    if kind in WORDS:
        return WORDS[kind] + ("s" if many and kind in (int, float) else "")
    if kind in parts:
        return f"[{_noun(kind)}{'s' if many else ''}]({parts[kind]})"
    raise TypeError(f"{kind!r} has neither a word nor a table")


def _noun(kind: type) -> str:
    return "step" if issubclass(kind, StepSpec) else "object"


def _field_kind(field: FieldInfo, parts: Parts) -> str:
    return "[expression](expressions.md)" if _is_expression(field) else words(field.annotation, parts)


def _annotated(kind: Any, marks: Sequence[Any], parts: Parts, *, many: bool) -> str:
    if any(_is_expression(mark) for mark in marks):
        return "[expression](expressions.md)"
    if any(_pattern(mark) == STEP_ID for mark in marks):
        return "step ids" if many else "step id"
    limits = _limits(kind, marks)
    return words(kind, parts, many=many) + (f" ({limits})" if limits else "")


def _union(kinds: Sequence[Any], parts: Parts, *, many: bool = False) -> str:
    kept = [kind for kind in kinds if not (kind is int and float in kinds)]  # a whole number is a number
    shown = [words(kind, parts, many=many) for kind in kept]
    return ", ".join(shown) if bool in kept else _choice(shown)


def _choice(shown: Sequence[str]) -> str:
    *most, last = shown
    return f"{', '.join(most)} or {last}" if most else last


def _is_expression(mark: Any) -> bool:
    extra = getattr(mark, "json_schema_extra", None)
    return isinstance(extra, dict) and extra.get("format") == "cel"


def _bounds(field: FieldInfo) -> str:
    return "" if _is_expression(field) else _limits(field.annotation, _flat(field.metadata))


def _flat(marks: Sequence[Any]) -> list[Any]:
    """Return the marks with the bounds that pydantic keeps inside of its own."""
    return [inner for mark in marks for inner in (mark, *(mark.metadata if isinstance(mark, FieldInfo) else ()))]


def _limits(kind: Any, marks: Sequence[Any]) -> str:
    bounds = {type(mark): mark for mark in marks if isinstance(mark, BaseMetadata)}
    patterns = [PATTERNS[pattern] for mark in marks if (pattern := _pattern(mark))]
    return "; ".join([*_size(kind, bounds), *_range(bounds), *patterns])


def _size(kind: Any, bounds: Mapping[type, Any]) -> Iterator[str]:
    least, most = bounds.get(MinLen), bounds.get(MaxLen)
    of_text = kind is str or (get_origin(kind) in (Union, UnionType) and str in get_args(kind))
    unit = "character" if of_text else "entry"
    shown = _between(least.min_length if least else None, most.max_length if most else None)
    if shown:
        yield f"{shown} {unit if shown == 'at least 1' else {'character': 'characters', 'entry': 'entries'}[unit]}"


def _range(bounds: Mapping[type, Any]) -> Iterator[str]:
    if Gt in bounds:
        yield f"over {bounds[Gt].gt:,}"
    if Lt in bounds:
        yield f"under {bounds[Lt].lt:,}"
    shown = _between(bounds[Ge].ge if Ge in bounds else None, bounds[Le].le if Le in bounds else None)
    if shown:
        yield shown


def _between(least: Any, most: Any) -> str:
    if least is not None and most is not None:
        return f"{least:,} to {most:,}"
    if least is not None:
        return f"at least {least:,}"
    return f"at most {most:,}" if most is not None else ""


def _pattern(mark: Any) -> str | None:
    return getattr(mark, "pattern", None)


def _default(value: Any, parts: Parts) -> str:
    if value is None:
        return "optional"
    if type(value) in parts:
        return f"[its defaults]({parts[type(value)]})"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _struct_default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if field.default is msgspec.NODEFAULT else field.default
