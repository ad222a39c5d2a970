"""JSON values in requests: what any JSON parser takes and gives back the same."""

import json
from typing import Annotated, Any, Final

import msgspec
from pydantic import AfterValidator

MAX_DEPTH: Final = 100


def _plain(value: Any) -> Any:
    if _is_deeper(value, MAX_DEPTH):
        raise ValueError(f"nests deeper than {MAX_DEPTH} levels: make it flatter")
    try:
        json.dumps(value, allow_nan=False)
        msgspec.json.encode(value)
    except UnicodeEncodeError as exc:
        raise ValueError("text must be Unicode without lone surrogates") from exc
    except (ValueError, OverflowError, TypeError, RecursionError) as exc:
        raise ValueError("numbers must be finite, and whole ones of at most 64 bits: put others in quotes") from exc
    return value


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most + 1):
        nodes = [node for node in level if isinstance(node, dict | list)]
        if not nodes:
            return False
        level = [child for node in nodes for child in (node.values() if isinstance(node, dict) else node)]
    return True


def _stored(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character: take it out")
    return text


JsonValue = Annotated[Any, AfterValidator(_plain)]
"""Any JSON value."""

JsonObject = Annotated[dict[str, Any], AfterValidator(_plain)]

StoredText = Annotated[str, AfterValidator(_stored)]
"""Text that every database takes."""

Text = Annotated[str, AfterValidator(_plain)]
