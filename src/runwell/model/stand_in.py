"""What stands in for a part of a document that could not be read.

A person wants to see every problem at once, so the engine goes on with what is right of a broken
part: its other fields, and the ids that others refer to. A stand-in never reaches a plan that runs.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

from pydantic import BaseModel, Field, ValidationError, create_model

from runwell.model.step import StepSpec

M = TypeVar("M", bound=BaseModel)

_IDS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


def stand_in(model: type[M], fields: Mapping[str, Any], wrong: Collection[Any], pointer: str) -> M:
    """Return an instance of `model` with those of `fields` that are right.

    A wrong template field keeps what was written, any other has its default. A step without an id
    gets its pointer, which no real id can be.
    """
    names = {field.alias or name: name for name, field in model.model_fields.items()}
    missing = {key for key, name in names.items() if key not in fields and model.model_fields[name].is_required()}
    unread = frozenset(names[key] for key in {*wrong, *missing} if key in names)
    kept = {key: value for key, value in fields.items() if key in names and _is_kept(model, names[key], unread)}
    if issubclass(model, StepSpec):
        kept |= _salvaged(fields, unread, pointer)
    try:
        part: M = _lenient(model, unread).model_validate(kept)
    except ValidationError:  # a check of the whole model, of a plug-in: only the common fields are left
        common = {key: kept[key] for key in ("id", "type", "depends_on") if key in kept}
        part = _lenient(model, frozenset(model.model_fields)).model_construct(**common)
    return part


def _is_kept(model: type[BaseModel], name: str, unread: frozenset[str]) -> bool:
    return name not in unread or name in getattr(model, "templates", ())


def _salvaged(fields: Mapping[str, Any], unread: frozenset[str], pointer: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "id" in unread:
        found["id"] = fields["id"] if isinstance(fields.get("id"), str) and fields["id"] else pointer
    if "depends_on" in unread:
        found["depends_on"] = tuple(_ids_in(fields.get("depends_on")))
    return found


def _ids_in(written: Any) -> Iterator[str]:
    """Yield the ids that a broken `depends_on` may mean: `a`, `a, b`, `[a, 3]`, `{a: b}`."""
    if isinstance(written, str):
        yield from _IDS.findall(written)
    elif isinstance(written, list | dict):
        yield from (item for item in written if isinstance(item, str) and _IDS.fullmatch(item))


@lru_cache(maxsize=256)
def _lenient(model: type[BaseModel], unread: frozenset[str]) -> Any:
    """Return a kind of `model` whose unread fields take anything."""
    loose: dict[str, Any] = {}
    for name in unread:
        field = model.model_fields[name]
        default = () if name == "steps" else None if field.is_required() else field.get_default(call_default_factory=True)
        loose[name] = (Any, Field(default=default, alias=field.alias))
    kind: Any = create_model(model.__name__, __base__=model, **loose)
    kind.unread = unread
    return kind


def ids_within(part: Any) -> Iterator[str]:
    """Yield what may be the ids of steps in a part of a document that is not read as steps."""
    if isinstance(part, dict):
        yield from (key for key, value in part.items() if isinstance(key, str) and isinstance(value, dict))
        if isinstance(part.get("id"), str):
            yield part["id"]
    for item in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from ids_within(item)
