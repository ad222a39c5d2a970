"""Text that people give names with: no control characters, not only space."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")


def _plain(text: str) -> str:
    plain = text.strip()
    if not plain or _CONTROL.search(plain):
        raise ValueError("is empty or has control characters")
    return plain


def _email(text: str) -> str:
    plain = _plain(text).lower()
    if not _EMAIL.fullmatch(plain):
        raise ValueError("is no e-mail address")
    return plain


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]
Email = Annotated[str, Field(min_length=3, max_length=254, examples=["ada@example.com"]), AfterValidator(_email)]
"""In lower case afterwards."""

Token = Annotated[str, Field(min_length=1, max_length=200)]
"""A one-time token, as it stood in a link."""
