"""The functions that expressions have beyond CEL's own. All are pure and total or raise `ValueError`."""

import base64
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

from runwell.model.canonical import canonical_json

MAX_TEXT: Final = 1_048_576
"""Longest text that an expression or template may make, in characters of UTF-8 (1 MiB)."""

MAX_SPLIT: Final = 2_000
"""Most pieces that `split` makes: CEL's own list macros take time quadratic in a list's length."""

CEL_FUNCTIONS: Final = frozenset({"size", "type", "dyn", "int", "uint", "double", "bytes", "timestamp", "duration"}) | frozenset(
    {"contains", "startsWith", "endsWith", "matches", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"}
    | {"getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds"}
)
"""What the CEL library brings along."""

_WIDE: Final = Context(prec=60)
"""Enough for every digit of a 64-bit integer and 18 after its point."""


def plain(value: Any) -> Any:
    """Return a CEL value as JSON data: moments and durations as text, bytes as base64, keys as text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{value} is no JSON number")
            return value
        case dict():
            return {key if isinstance(key, str) else to_text(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case timedelta():
            return f"{value.total_seconds():g}s"
        case bytes():
            return base64.b64encode(value).decode()
    raise ValueError(f"a value of type {type(value).__name__} is no JSON data")


def to_text(value: Any) -> str:
    """Return how a value reads inside a text: strings as they are, nothing for null, else JSON."""
    value = plain(value)
    if isinstance(value, str):
        return value
    return "" if value is None else canonical_json(value).decode()


def _json(value: Any) -> str:
    return _bounded(canonical_json(plain(value)).decode())


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ValueError(f"the text has {len(text)} characters, more than {MAX_TEXT}")
    return text


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} takes text, not {type(value).__name__}: wrap it in string()")
    return value


def _join(items: Any, separator: Any = "") -> str:
    if not isinstance(items, list):
        raise ValueError(f"join takes a list first, not {type(items).__name__}")
    return _bounded(_text("join", separator).join(to_text(item) for item in items))


def split(text: Any, separator: Any, most: int = MAX_SPLIT) -> list[str]:
    pieces = _text("split", text).split(_text("split", separator)) if separator else list(_text("split", text))
    if len(pieces) > most:
        raise ValueError(f"split made {len(pieces)} pieces, more than {most}: use a python step")
    return pieces


def _replace(text: Any, old: Any, new: Any) -> str:
    text, old, new = _text("replace", text), _text("replace", old), _text("replace", new)
    grown = len(text) + text.count(old) * (len(new) - len(old))
    if grown > MAX_TEXT:
        raise ValueError(f"replace would make {grown} characters, more than {MAX_TEXT}")
    return str(text.replace(old, new))


def _round(value: Any, digits: Any = 0) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"round takes a number, not {type(value).__name__}")
    if isinstance(digits, bool) or not isinstance(digits, int) or not -18 <= digits <= 18:
        raise ValueError(f"round takes -18 to 18 digits, not {digits!r}")
    if (isinstance(value, int) and digits >= 0) or not abs(value) < 2**63:  # no fraction to round; also inf and nan
        return value
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, _WIDE)
    return float(rounded) if digits > 0 else int(rounded)


def _default(value: Any, alternative: Any) -> Any:
    return alternative if value is None else value


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "json": _json,
    "upper": lambda text: _text("upper", text).upper(),
    "lower": lambda text: _text("lower", text).lower(),
    "trim": lambda text: _text("trim", text).strip(),
    "join": _join,
    "split": split,
    "replace": _replace,
    "default": _default,
    "string": to_text,
    "round": _round,
}
