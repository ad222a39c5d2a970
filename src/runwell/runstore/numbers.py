"""Numbers as columns hold them."""

from typing import Final

_MOST: Final = 2**63 - 1


def int64(value: int | None, none: int = 0) -> int:
    """Return the number as 64 bits hold it; `none` for None."""
    return none if value is None else max(-_MOST, min(value, _MOST))
