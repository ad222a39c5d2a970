"""Tables for people, JSON for programs."""

import sys
from enum import StrEnum


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


def chosen(wanted: Format | None) -> Format:
    """Return what was wanted or, by default, a table on a terminal and JSON in a pipe."""
    return wanted or (Format.TABLE if sys.stdout.isatty() else Format.JSON)
