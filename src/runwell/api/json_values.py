"""Free JSON in request bodies: what Python reads beyond JSON, and what could not be kept, is refused."""

import json
from typing import Annotated, Any, Final

import msgspec
from pydantic import AfterValidator

MAX_DEPTH: Final = 100
"""Lists and objects in one another. What reads an event has less stack to spare than what writes it."""


def _kept_as_it_is(value: Any) -> Any:
    if _is_deeper(value, MAX_DEPTH):
        raise ValueError(f"it nests deeper than {MAX_DEPTH} lists and objects")
    try:
        json.dumps(value, allow_nan=False)
        msgspec.json.encode(value)
    except UnicodeEncodeError as exc:
        raise ValueError("text must be Unicode without lone surrogates") from exc
    except (TypeError, ValueError, OverflowError) as exc:
        raise ValueError("it is no JSON: numbers must be finite") from exc
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


JsonObject = Annotated[dict[str, Any], AfterValidator(_kept_as_it_is)]
Text = Annotated[str, AfterValidator(_kept_as_it_is)]
