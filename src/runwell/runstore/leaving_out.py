"""Conditions that leave out what is named, however much that is."""

from collections.abc import Sequence
from typing import Any, Final

IDS_A_PARAMETER: Final = 2_000
"""A server refuses form fields over 128 KiB."""


def none_of(condition: str, name: str, ids: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Return `condition`, which has `?` in place of an array of ids, for every part of the ids, and the parameters."""
    conditions, params = list[str](), dict[str, Any]()
    for start in range(0, len(ids), IDS_A_PARAMETER):
        part = f"{name}_{start}"
        conditions.append(condition.replace("?", f"{{{part}:Array(String)}}"))
        params[part] = ids[start : start + IDS_A_PARAMETER]
    return conditions, params
