"""Values that are typed on a command line."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from runwell.model.errors import InvalidInput

MAX_DEPTH: Final = 200
"""How deep data may nest: as deep as what python steps return."""


def read_json(text: str, what: str) -> Any:
    """Return the data of `JSON`, `@file` or `@-` (stdin). Raises `InvalidInput`; `what` names it there."""
    try:
        content = _content(text, what)
        value = msgspec.json.decode(content)
    except RecursionError as exc:
        raise _too_deep(what) from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        cure = 'quote JSON for the shell, as in \'{"name": "Ada"}\', or write @file'
        raise InvalidInput(f"{what} is not JSON: {exc}", hint=cure) from exc
    if _is_deeper(value, MAX_DEPTH):
        raise _too_deep(what)
    if isinstance(value, dict | list):
        _refuse_repeated_keys(content, what)
    return value


def _refuse_repeated_keys(content: bytes, what: str) -> None:
    def checked(pairs: list[tuple[str, Any]]) -> None:
        keys = Counter(key for key, _ in pairs)
        if len(keys) < len(pairs):
            raise InvalidInput(f"{what} gives the key {keys.most_common(1)[0][0]!r} twice", hint="keep one of them")

    json.loads(content.decode(), object_pairs_hook=checked, parse_int=str, parse_float=str)


def _too_deep(what: str) -> InvalidInput:
    return InvalidInput(f"{what} nests deeper than {MAX_DEPTH} levels", hint="make it flatter, or give the deep part as text")


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects stand in each other more than `levels` times."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [item for part in layer if isinstance(part, dict | list) for item in (part.values() if isinstance(part, dict) else part)]
        if not layer:
            return False
    return True


def read_object(text: str, what: str) -> dict[str, Any]:
    """Return the JSON object. Raises `InvalidInput` for anything else."""
    value = read_json(text, what)
    if not isinstance(value, dict):
        raise InvalidInput(f"{what} is no JSON object", hint='write it as {"field": value}')
    return value


def _content(text: str, what: str) -> bytes:
    if text == "@-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text.encode(errors="surrogateescape")
    try:
        return Path(text[1:]).expanduser().read_bytes()
    except OSError as exc:
        raise InvalidInput(f"{what} cannot be read from {text[1:]!r}: {exc.strerror}") from exc


def read_pairs(texts: Sequence[str]) -> dict[str, str]:
    """Return `key=value` texts as a mapping. Raises `InvalidInput`."""
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InvalidInput(f"the metadata {text!r} is no key=value", hint="write it as --metadata ticket=4711")
        pairs[key] = value
    return pairs
