"""Conditions on places within inputs, outputs and metadata, in the terms of `flatten`: for `matches`, and for the store's SQL."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from runwell.model.run_query import Compare, Value
from runwell.search.fields import Field
from runwell.search.flatten import entry, truth
from runwell.search.paths import Path, written
from runwell.search.values import number

_PREFIXES: Final = {"input": "i:", "output": "o:", "metadata": "m:"}


@lru_cache(maxsize=1024)
def kv_path(field: Field) -> str:
    """Return the path as `Flat.kv` has it."""
    return _PREFIXES[start_of(field)] + written(field.path).removeprefix(".")


def start_of(field: Field) -> str:
    """Return `input`, `output` or `metadata`."""
    return next(start for start in _PREFIXES if field.name.startswith(start))


def with_length(field: Field) -> Field:
    """Return the field of how many items the list has that is at this one."""
    if field.path[-1:] == ("length",):
        return field
    return field._replace(name=f"{field.name}.length", path=(*field.path, "length"))


class NumberAt(NamedTuple):
    """Where `Flat.nums` has the numbers that a condition compares, and what `Flat.kv` must have for there to be any."""

    path: str
    guard: str | None


def number_at(field: Field, query: Compare, *, is_date: bool) -> NumberAt:
    measured = with_length(field) if query.type == "array_length" else field
    path = kv_path(measured)
    if is_date:
        return NumberAt(f"{path}@", path)
    return NumberAt(path, None if measured.path[-1:] == ("length",) else path)


class Equals(NamedTuple):
    """What a field may be: any entry of `kv`, any number, or any text that begins so."""

    entries: list[str]
    numbers: list[float]
    beginnings: list[str]


def equals(field: Field, query: Compare) -> Equals:
    """Return what `is` means for a place within JSON."""
    path = kv_path(field)
    found = Equals([], [], [])
    for value in query.values:
        if isinstance(value, bool):
            found.entries.append(truth(path, value))
        elif isinstance(value, int | float):
            found.numbers.append(float(value))
        elif query.type is None and (begin := beginning(query, value)) is not None:
            found.beginnings.append(begin)
        else:
            found.entries.append(entry(path, value))
            if query.type is None:
                _add_what_looks_so(found, path, value)
    return found


def _add_what_looks_so(found: Equals, path: str, text: str) -> None:
    """Add the number, or the boolean, that is written like the text."""
    meant = number(text)
    if meant is not None:
        found.numbers.append(float(meant))
    if text in ("true", "false"):
        found.entries.append(truth(path, text == "true"))


def beginning(query: Compare, value: Value) -> str | None:
    """Return with what a text must begin, where the value ends in an unquoted `*`."""
    wild = query.type is None and isinstance(value, str) and len(value) > 1 and value.endswith("*")
    return str(value)[:-1] if wild else None


def texts_at(value: Any, path: Path) -> Iterator[str]:
    """Yield the texts at a place of a JSON value."""
    if not path:
        if isinstance(value, str):
            yield value
    elif path[0] is None:
        for item in value if isinstance(value, list | tuple) else ():
            yield from texts_at(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from texts_at(value[path[0]], path[1:])
