"""Where e-mail addresses, card numbers, IBANs, US social security numbers and phone numbers are in a text.

Each is looked for in time that grows with the text's length only: what a pattern may repeat is bounded.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from runwell.model.redaction import Kind

Spans = Iterator[tuple[int, int]]

_EMAIL: Final = re.compile(r"[^\s@<>\"'(),:;\[\]\\{}]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")
_SSN: Final = re.compile(r"(?<!\d)(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?!\d)", re.ASCII)
_PHONE: Final = re.compile(
    r"(?<![\w+])\+\d(?:[ ()./-]{0,2}\d){7,14}(?!\d)|(?<![\w.-])(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])", re.ASCII
)
_DIGITS: Final = re.compile(r"(?<!\d)\d(?:[ .\u00a0-]?\d){12,}", re.ASCII)
_GROUP: Final = re.compile(r"\d+", re.ASCII)
_IBAN: Final = re.compile(r"(?<![^\W_])[a-z]{2}\d{2}(?:[ -]?[a-z0-9]){11,60}", re.ASCII | re.IGNORECASE)

CARD_DIGITS: Final = range(13, 20)
IBAN_LENGTHS: Final = range(15, 35)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], Spans]:
    return lambda text: (found.span() for found in pattern.finditer(text))


def _cards(text: str) -> Spans:
    """Yield card numbers: 13 to 19 digits, in groups or not, whose last one fits the others (Luhn)."""
    for found in _DIGITS.finditer(text):
        groups = [(group.start() + found.start(), group.group()) for group in _GROUP.finditer(found.group())]
        first = 0
        while first < len(groups):
            last = _card_end(groups, first)
            if last is None:
                first += 1
                continue
            yield groups[first][0], groups[last][0] + len(groups[last][1])
            first = last + 1


def _card_end(groups: list[tuple[int, str]], first: int) -> int | None:
    """Return the last of the groups that make a card number with the first, as many as can be."""
    digits, end = "", None
    for index in range(first, min(len(groups), first + CARD_DIGITS.stop)):
        digits += groups[index][1]
        if len(digits) >= CARD_DIGITS.stop:
            break
        if len(digits) in CARD_DIGITS and digits[0] in "23456" and _luhn(digits):
            end = index
    return end


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _ibans(text: str) -> Spans:
    """Yield IBANs, whose check digits fit; what stands behind one, such as a word, is not taken for a part of it."""
    for found in _IBAN.finditer(text):
        places = [place for place in range(found.start(), found.end()) if text[place].isalnum()]
        for length in reversed(IBAN_LENGTHS):
            if length > len(places):
                continue
            end = places[length - 1] + 1
            glued = end < len(text) and text[end].isalnum()
            if not glued and _mod97("".join(text[place] for place in places[:length])):
                yield found.start(), end
                break


def _mod97(iban: str) -> bool:
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1


KINDS: Final[dict[Kind, Callable[[str], Spans]]] = {
    "email": _matches(_EMAIL),
    "credit_card": _cards,
    "iban": _ibans,
    "us_ssn": _matches(_SSN),
    "phone": _matches(_PHONE),
}
"""From a text to where such things are in it, in order, not overlapping. They are applied in this order."""
