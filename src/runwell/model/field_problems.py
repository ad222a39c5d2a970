"""What is wrong with the fields of a part of a document, in words that name the cure.

pydantic finds the errors; its own wording speaks of Python ("a valid tuple", patterns).
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from runwell.model.errors import Problem
from runwell.model.step import STEP_ID

_WANTED: Final = {
    "string_type": "text",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
}
"""From pydantic's error to the type of value that it wants."""

_PATTERNS: Final = {
    STEP_ID: ("is no step id", "an id is 1 to 64 letters, digits, _ and -, and begins with a letter or _"),
}

_BOUND_CURES: Final = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}

_BOUNDS: Final = {
    "greater_than": ("gt", "must be greater than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}


def field_problems(exc: ValidationError, model: type[BaseModel], fields: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    """Yield a problem for each field that `exc` names; `pointer` is where the part stands in the document."""
    found = [(_known_part(fields, error["loc"], error["type"]), error) for error in exc.errors(include_url=False) if not _is_echo(error)]
    for loc, same_place in groupby(found, key=lambda one: one[0]):
        errors = [error for _, error in same_place]
        place = pointer + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in loc)
        yield _problem(errors, model, loc, place)


def _is_echo(error: Any) -> bool:
    """Whether a list counts as too short only because what is wrong in it was left out."""
    return error["type"] == "too_short" and bool(len(error["input"]) >= error["ctx"]["min_length"])


def _known_part(value: Any, loc: Sequence[int | str], kind: str) -> tuple[int | str, ...]:
    """Return `loc` without what pydantic adds to it: the choice within a union."""
    if kind == "missing":
        return (*_known_part(value, loc[:-1], ""), loc[-1])
    known: list[int | str] = []
    for part in loc:
        within = part in value if isinstance(value, Mapping) else isinstance(part, int) and isinstance(value, list | tuple)
        if within:
            known.append(part)
            value = value[part]
    return tuple(known)


def _problem(errors: list[Any], model: type[BaseModel], loc: tuple[int | str, ...], place: str) -> Problem:
    error, name = errors[0], str(loc[-1]) if loc else ""
    match error["type"]:
        case "missing":
            parent = place.rpartition("/")[0]
            return Problem(code="missing_field", message=f"the field {name!r} is missing", pointer=parent, hint=f"add {name}:")
        case "extra_forbidden" | "invalid_key":
            known = _fields_at(model, error["loc"][:-1])
            cure = nearest(name, known) or f"fields are {', '.join(sorted(known))}"
            return Problem(code="unknown_field", message=f"unknown field {name!r}", pointer=place, hint=cure)
        case kind if kind in _WANTED:
            wanted = " or ".join(dict.fromkeys(_WANTED.get(one["type"], one["msg"]) for one in errors))
            message = f"{name!r} should be {wanted}, not {_shown(error['input'])}"
            return Problem(
                code="wrong_type",
                message=_in_list(message, loc),
                pointer=place,
                hint=_type_hint(wanted, error["input"], _own_fields(model, error["loc"])),
            )
    message, hint = _value_problem(error, name)
    return Problem(code="bad_value", message=message, pointer=place, hint=hint)


def _value_problem(error: Any, name: str) -> tuple[str, str]:
    given, about = error["input"], error.get("ctx", {})
    match error["type"]:
        case kind if kind in _BOUNDS:
            key, words = _BOUNDS[kind]
            return (
                f"{name!r} {words} {about[key]:.12g}, not {_shown(given)}",
                f"write a number that is {_BOUND_CURES[key]} {about[key]:.12g}",
            )
        case "literal_error":
            choices = [word.strip("'") for word in str(about["expected"]).replace(" or ", ", ").split(", ")]
            return f"{name!r} should be {about['expected']}, not {_shown(given)}", nearest(
                given, choices
            ) or f"write {' or '.join(choices)}"
        case "union_tag_invalid":
            known = [word.strip("' ") for word in str(about["expected_tags"]).split(",")]
            return f"unknown type {about['tag']!r}", nearest(about["tag"], known) or f"types are {', '.join(known)}"
        case "union_tag_not_found":
            return "it has no type", "give it `type:`"
        case "string_pattern_mismatch" if about["pattern"] in _PATTERNS:
            says, cure = _PATTERNS[about["pattern"]]
            return f"{_shown(given)} {says}", cure
        case "string_pattern_mismatch":
            return f"{name!r} cannot be {_shown(given)}", "leave out slashes and control characters"
        case "string_too_long":
            return f"{name!r} has {len(given)} characters, more than {about['max_length']}", "make it shorter"
        case "string_too_short" | "too_short":
            return f"{name!r} is empty", f"give {name} at least one {'character' if isinstance(given, str) else 'entry'}"
        case "too_long" if name == "steps":
            return f"{name!r} has more than {about['max_length']} entries", "split the workflow: a workflow step runs another one"
        case "too_long":
            return f"{name!r} has more than {about['max_length']} entries", "take some out"
    return f"{error['msg']}, got {_shown(given)}", f"see the field {name!r} in the reference of workflow documents"


def _in_list(message: str, loc: tuple[int | str, ...]) -> str:
    return f"entry {loc[-1]} of {loc[-2]!r} {message.partition(' ')[2]}" if len(loc) > 1 and isinstance(loc[-1], int) else message


def _type_hint(wanted: str, given: Any, known: Sequence[str]) -> str:
    if wanted == "a list":
        return "write it as a list: [a, b], or one line with a dash for each entry"
    if wanted == "text" and isinstance(given, bool | int | float):
        return "put it in quotes"
    return f"its fields are {', '.join(known)}" if wanted == "an object" and known else f"write {wanted}"


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _fields_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """Return the names of the fields that the part of a document at `loc`, as pydantic tells it, may have."""
    at = [model]
    for part in loc:
        chosen = [kind for kind in at if _has_tag(kind, part)]
        field = _field(at[0], part)
        at = chosen or (list(_models_in(field.annotation)) if field else []) or at
    return [field.alias or name for name, field in at[0].model_fields.items()]


def _has_tag(model: type[BaseModel], tag: int | str) -> bool:
    """Whether a union of models takes this one for parts whose `type` is the tag."""
    field = model.model_fields.get("type")
    return field is not None and tag in get_args(field.annotation)


def _field(model: type[BaseModel], name: int | str) -> FieldInfo | None:
    return next((field for own, field in model.model_fields.items() if name in (own, field.alias)), None)


def _models_in(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from _models_in(inner)


def _own_fields(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """Return the names of the fields of the part at `loc`; none when it is no part of its own, or one of several kinds."""
    around, known = _fields_at(model, loc[:-1]), _fields_at(model, loc)
    return [] if known == around else known


def nearest(word: Any, known: Sequence[str] | Mapping[str, Any]) -> str | None:
    """Return `did you mean ...?` when a known word is like this one."""
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else None
