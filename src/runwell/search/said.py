"""Words within folded text."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_GAP: Final = r"[\x00-/:-@\[-\x60{-\x7f]"
"""ASCII characters that are neither letters nor digits: they part words."""


def pattern_of(words: Sequence[str], is_prefix: bool) -> str:
    """Return a regular expression that finds the words next to each other; Python and ClickHouse (RE2) read it alike.

    Words hold no character that means something in it.
    """
    return f"(?:^|{_GAP}){f'{_GAP}+'.join(words)}" + ("" if is_prefix else f"(?:{_GAP}|$)")


def says(text: str, words: Sequence[str], is_prefix: bool) -> bool:
    """Whether the folded text has these words, next to each other and in this order. `is_prefix`: the last one may go on."""
    return all(word in text for word in words) and _compiled(tuple(words), is_prefix).search(text) is not None


@lru_cache(maxsize=256)
def _compiled(words: tuple[str, ...], is_prefix: bool) -> re.Pattern[str]:
    return re.compile(pattern_of(words, is_prefix))
