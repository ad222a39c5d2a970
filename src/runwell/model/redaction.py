"""What a project does not want to be kept: at which places, and what it looks like."""

from typing import Final, Literal

import msgspec

Kind = Literal["email", "credit_card", "iban", "us_ssn", "phone"]
"""What is known without a pattern."""


class PatternRule(msgspec.Struct, frozen=True, kw_only=True):
    """Text that matches is replaced by `[redacted:<name>]`."""

    name: str
    pattern: str


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """What is replaced before anything is kept.

    `paths`: values at these places, such as `input.card.number`, `output.*.iban` or `*.password`. `kinds` and `patterns`: parts of texts,
    wherever they are.
    """

    paths: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    patterns: tuple[PatternRule, ...] = ()


NOTHING: Final = Redaction()


def mark(name: str) -> str:
    """Return what stands where something was."""
    return f"[redacted:{name}]"
