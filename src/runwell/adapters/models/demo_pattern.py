"""A text that matches a regular expression, for the demo model. Look-arounds and back-references are beyond it."""

import re
from collections.abc import Callable, Sequence
from re import _parser as parser
from typing import Any, Final

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:;/@#%+=!?()[]{}<>*&'\"\\|~^$`\t\n"
_CLASSES: Final = {"category_digit": r"\d", "category_word": r"\w", "category_space": r"\s"} | {
    "category_not_digit": r"\D",
    "category_not_word": r"\W",
    "category_not_space": r"\S",
}

Pick = Callable[[int], int]
"""Returns a number from 0 to below its argument, deterministically."""


def matching_text(pattern: str, pick: Pick, min_length: int = 0) -> str | None:
    """Return a text in which `pattern` is found and which has about `min_length` characters; None when that is too hard."""
    for extra in (0, 1, 4, 16, min_length):
        try:
            text = _write(parser.parse(pattern), pick, extra)
        except (re.error, ValueError, KeyError, OverflowError, RecursionError):
            return None
        if len(text) >= min_length and re.search(pattern, text):
            return text
    return None


def _write(nodes: Sequence[Any], pick: Pick, extra: int) -> str:
    return "".join(_node(str(op).lower(), arg, pick, extra) for op, arg in nodes)


def _node(op: str, arg: Any, pick: Pick, extra: int) -> str:
    match op:
        case "literal":
            return chr(arg)
        case "not_literal":
            return _one([c for c in _ALPHABET if c != chr(arg)], pick)
        case "any":
            return "x"
        case "in":
            return _one(_members(arg), pick)
        case "max_repeat" | "min_repeat" | "possessive_repeat":
            low, high, inner = arg
            times = min(low + extra, int(high), 10_000)
            return "".join(_write(inner, pick, 0) for _ in range(times))
        case "subpattern" | "atomic_group":
            return _write(arg[-1] if op == "subpattern" else arg, pick, extra)
        case "branch":
            branches = arg[1]
            return _write(branches[pick(len(branches))], pick, extra)
        case "at":
            return ""
        case _:
            raise ValueError(f"no text for {op}")


def _members(items: Sequence[Any]) -> list[str]:
    negated = str(items[0][0]).lower() == "negate"
    found = [c for c in _candidates(items) if any(_is_in(c, str(op).lower(), arg) for op, arg in items) != negated]
    if not found:
        raise ValueError("an empty set of characters")
    return found


def _candidates(items: Sequence[Any]) -> list[str]:
    named = [chr(arg) for op, arg in items if str(op).lower() == "literal"]
    starts = [chr(arg[0]) for op, arg in items if str(op).lower() == "range"]
    return [*_ALPHABET, *named, *starts]


def _is_in(char: str, op: str, arg: Any) -> bool:
    match op:
        case "literal":
            return ord(char) == int(arg)
        case "range":
            return int(arg[0]) <= ord(char) <= int(arg[1])
        case "category":
            return re.fullmatch(_CLASSES[str(arg).lower()], char) is not None
        case _:
            return False


def _one(chars: Sequence[str], pick: Pick) -> str:
    return chars[pick(len(chars))]
