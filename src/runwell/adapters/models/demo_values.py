"""The demo model's leaves: numbers, texts and the choice among an enum's values."""

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from runwell.adapters.models.demo_pattern import Pick, matching_text

_FORMATS: Final = {
    "date": "2026-01-{:02d}",
    "date-time": "2026-01-{:02d}T09:30:00Z",
    "time": "09:30:{:02d}Z",
    "duration": "PT{}M",
    "email": "demo{}@example.com",
    "idn-email": "demo{}@example.com",
    "hostname": "demo{}.example.com",
    "idn-hostname": "demo{}.example.com",
    "ipv4": "192.0.2.{}",
    "ipv6": "2001:db8::{}",
    "uri": "https://example.com/demo/{}",
    "url": "https://example.com/demo/{}",
    "iri": "https://example.com/demo/{}",
    "uri-reference": "/demo/{}",
    "iri-reference": "/demo/{}",
    "uri-template": "https://example.com/demo/{}",
    "uuid": "00000000-0000-4000-8000-0000000000{:02d}",
    "json-pointer": "/demo/{}",
    "relative-json-pointer": "{}",
    "regex": "demo{}",
}

Schema = dict[str, Any]


def by_preference(values: Sequence[Any], message: str, pick: Pick) -> list[Any]:
    """Return the values, the likeliest first: most often a word of the message, then latest in it, else by chance."""
    start = pick(len(values)) if values else 0
    rotated = [*values[start:], *values[:start]]
    return sorted(rotated, key=lambda value: _mentions(value, message), reverse=True)


def _mentions(value: Any, message: str) -> tuple[int, int]:
    if not isinstance(value, str) or not value.strip():
        return (0, -1)
    words = re.escape(value.strip()).replace("_", "[ _-]").replace(r"\-", "[ _-]")
    places = [match.start() for match in re.finditer(rf"(?<!\w){words}(?!\w)", message, re.IGNORECASE)]
    return (len(places), places[-1] if places else -1)


def number(schema: Schema, pick: Pick, salt: int, *, whole: bool) -> int | float | None:
    """Return a number within the schema's bounds; None when there is none."""
    step = _fraction(schema.get("multipleOf")) or (Fraction(1) if whole else Fraction(1, 2))
    if whole and step.denominator != 1:
        step = Fraction(step.numerator)
    low, high = _bounds(schema)
    if not whole and "multipleOf" not in schema and low is not None and high is not None:
        while step > (high - low) / 4 and step > Fraction(1, 10**9):
            step /= 10
    first = _first_multiple(schema, low, high, step)
    last = high if high is not None else first + 99 * step
    count = int((last - first) // step) + 1 if last >= first else 0
    if count <= 0:
        return None
    value = first + ((pick(min(count, 100)) + salt) % count) * step
    if high is not None and value == high and _is_open(schema, "Maximum"):
        value -= step
    if low is not None and value < low:
        return None
    return int(value) if whole or value.denominator == 1 else float(value)


def _bounds(schema: Schema) -> tuple[Fraction | None, Fraction | None]:
    lows = [_fraction(schema.get(key)) for key in ("minimum", "exclusiveMinimum")]
    highs = [_fraction(schema.get(key)) for key in ("maximum", "exclusiveMaximum")]
    return max((low for low in lows if low is not None), default=None), min((high for high in highs if high is not None), default=None)


def _first_multiple(schema: Schema, low: Fraction | None, high: Fraction | None, step: Fraction) -> Fraction:
    if low is None:
        one = max(step, Fraction(1)) if high is None or high >= 1 else (high // step) * step - 9 * step
        return math.ceil(one / step) * step
    first = math.ceil(low / step) * step
    return first + step if first == low and _is_open(schema, "Minimum") else first


def _is_open(schema: Schema, bound: str) -> bool:
    exclusive = schema.get(f"exclusive{bound}")
    if isinstance(exclusive, bool):
        return exclusive
    closed, opened = _fraction(schema.get(bound.lower())), _fraction(exclusive)
    if opened is None or closed is None:
        return opened is not None
    return opened >= closed if bound == "Minimum" else opened <= closed


def _fraction(value: Any) -> Fraction | None:
    return Fraction(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def text(schema: Schema, name: str, pick: Pick, salt: int) -> str | None:
    """Return a text for the property `name`; None when the pattern is beyond the demo model."""
    low, high = int(schema.get("minLength", 0)), schema.get("maxLength")
    if "pattern" in schema:
        return matching_text(schema["pattern"], pick, low)
    if (form := _FORMATS.get(schema.get("format", ""))) is not None:
        return form.format(1 + (pick(28) + salt) % 28)
    words = f"demo {name}" if salt == 0 else f"demo {name} {salt + 1}"
    if high is not None and len(words) > int(high):
        words = (chr(97 + salt % 26) + words)[: int(high)]
    return words.ljust(low, ".")
