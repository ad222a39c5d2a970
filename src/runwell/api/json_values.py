"""JSON values in requests: what any JSON parser takes and gives back the same, and every database keeps."""

import json
from typing import Annotated, Any, Final

import msgspec
from pydantic import AfterValidator

MAX_DEPTH: Final = 100
"""Lists and objects in one another. What reads an event has less stack to spare than what writes it."""


def _kept_as_it_is(value: Any) -> Any:
    if _is_deeper(value, MAX_DEPTH):
        raise ValueError(f"it nests deeper than {MAX_DEPTH} lists and objects: make it flatter")
    try:
        json.dumps(value, allow_nan=False)
        msgspec.json.encode(value)
    except UnicodeEncodeError as exc:
        raise ValueError("text must be Unicode without lone surrogates") from exc
    except (ValueError, OverflowError, TypeError, RecursionError) as exc:
        raise ValueError("numbers must be finite, and of a sensible length: put others in quotes") from exc
    return value


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    while depth and level:
        level = [part for held in level for part in _parts(held)]
        depth -= 1
    return any(isinstance(held, dict | list) for held in level)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _stored(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character: take it out")
    return text


JsonValue = Annotated[Any, AfterValidator(_kept_as_it_is)]
"""Any JSON value."""

JsonObject = Annotated[dict[str, Any], AfterValidator(_kept_as_it_is)]

Text = Annotated[str, AfterValidator(_kept_as_it_is)]
"""Text that JSON can carry."""

StoredText = Annotated[str, AfterValidator(_stored)]
"""Text that every database takes."""

KeptText = Annotated[str, AfterValidator(_stored), AfterValidator(_kept_as_it_is)]
"""Text that JSON can carry and every database takes."""
