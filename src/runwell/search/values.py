"""What a value means: numbers, durations and money, from text and back."""

import re
from decimal import Decimal
from typing import Final

MAX_INTEGER: Final = 2**63 - 1

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_UNITS: Final = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_PART: Final = r"(\d{1,15}(?:\.\d{1,9})?)(ms|[wdhms])"
_DURATION: Final = re.compile(f"(?:{_PART})+", re.ASCII)
_PARTS: Final = re.compile(_PART, re.ASCII)
_MONEY: Final = re.compile(r"\$?(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})", re.ASCII)


class BadValue(Exception):
    """The text is no such value."""

    def __init__(self, message: str, hint: str) -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


def number(text: str) -> int | float | None:
    """Return the number that the text is; None when it is none, or beyond all floats."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        value: int | float = int(text) if text.lstrip("+-").isdigit() else float(text)
        return value if abs(float(value)) != float("inf") else None
    except (ValueError, OverflowError):
        return None


def integer(text: str) -> int:
    value = number(text.removeprefix("v"))
    if value is None or value != int(value):
        raise BadValue(f"{text!r} is no whole number", "write it as 3")
    if abs(value) > MAX_INTEGER:
        raise BadValue(f"{text!r} is too large", f"numbers go up to {MAX_INTEGER}")
    return int(value)


def boolean(text: str) -> bool:
    word = text.lower()
    if word not in ("true", "false", "yes", "no"):
        raise BadValue(f"{text!r} is neither true nor false", "write true or false")
    return word in ("true", "yes")


def duration(text: str) -> int:
    """Return ms."""
    ms = read_duration(text)
    if ms is None:
        raise BadValue(f"{text!r} is no duration", "write it with units: 2s, 1m30s, 500ms, 2h")
    if ms > MAX_INTEGER:
        raise BadValue(f"{text!r} is too long", "write a shorter one")
    return ms


def read_duration(text: str) -> int | None:
    """Return ms; None when the text is no duration."""
    if text.strip("0") == "" and text:
        return 0  # in any unit
    if not _DURATION.fullmatch(text):
        return None
    return round(sum(Decimal(amount) * _UNITS[unit] for amount, unit in _PARTS.findall(text)))


def money(text: str) -> int | float:
    """Return US dollars."""
    found = _MONEY.fullmatch(text)
    if found is None:
        raise BadValue(f"{text!r} is no amount of US dollars", "write it as 0.01, with at most nine digits behind the point")
    value = Decimal(found[1])
    return int(value) if value == int(value) else float(value)


def nanos(usd: int | float) -> int:
    """Return billionths of a US dollar."""
    return round(Decimal(str(usd)) * 1_000_000_000)


def duration_text(ms: int) -> str:
    parts = []
    for unit in ("h", "m", "s", "ms"):
        count, ms = divmod(ms, _UNITS[unit])
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) or "0s"


def number_text(value: int | float) -> str:
    """Return the number as it is read, to the last bit, without an exponent where it has few digits."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e16):
        return str(int(value))
    return format(Decimal(repr(value)), "f") if 1e-10 < abs(value) < 1e16 else repr(value)
