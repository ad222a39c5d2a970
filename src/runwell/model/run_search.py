"""What lists of runs are asked, and what they answer."""

import json
from typing import Any, Literal

import msgspec

from runwell.model.errors import InvalidInput, Problem
from runwell.model.run_overview import RunSummary

Archived = Literal["false", "true", "only"]
"""Whether a list leaves archived runs out, holds them too, or holds them alone."""


class RunFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs a list holds: those for which all of it holds. Of several values of one filter any counts, but of `metadata` each.

    `q` is in the search language, `field_queries` are the same in fields. `since` and `until` are moments as text, absolute or
    relative; the second is left out. `metadata`: keys with values. Durations in ms, costs in US dollars.
    """

    q: str = ""
    field_queries: tuple[dict[str, Any], ...] = ()
    workflows: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    archived: Archived = "false"
    environments: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    has_error: bool | None = None
    min_duration_ms: int | None = None
    max_duration_ms: int | None = None
    min_cost_usd: float | None = None
    max_cost_usd: float | None = None


class WorkflowNames(msgspec.Struct, frozen=True, kw_only=True):
    """What a workflow was called when the newest of the runs was started."""

    slug: str
    name: str


def metadata_text(key: str, value: str) -> str:
    """Return `key:value`, the key in quotes where it needs them."""
    if ":" in key or key.startswith('"'):
        key = json.dumps(key, ensure_ascii=False)
    return f"{key}:{value}"


def metadata_pair(text: str) -> tuple[str, str]:
    """Return key and value of a `key:value`. Raises `InvalidInput`."""
    key, end = text.partition(":")[0], text.find(":")
    if text.startswith('"'):
        try:
            key, end = json.JSONDecoder(strict=False).raw_decode(text)
        except ValueError:
            end = -1
    if not key or text[end : end + 1] != ":":
        problem = Problem(
            code="invalid",
            message=f"{text!r} names no metadata",
            pointer="/metadata",
            hint='write it as key:value, or as "a:b":value where the key itself has a colon',
        )
        raise InvalidInput(problem.message, hint=problem.hint, problems=(problem,))
    return key, text[end + 1 :]


class Facets(msgspec.Struct, frozen=True, kw_only=True):
    """How the runs of a list divide: by status, and by workflow id (the most frequent, these first), with the workflows' names."""

    statuses: dict[str, int]
    workflows: dict[str, int]
    workflow_names: dict[str, WorkflowNames] = {}


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Runs, newest first. `next_cursor` leads to older ones, `prev_cursor` to newer ones; null where there are none.

    `count` and `facets`, where they were asked for, are exact over the whole list: all pages from the first one on, without what
    has been made since. `behind_ms` is there when the newest
    of what happened may be missing: since how long.
    """

    data: list[RunSummary]
    next_cursor: str | None = None
    prev_cursor: str | None = None
    count: int | msgspec.UnsetType = msgspec.UNSET
    facets: Facets | msgspec.UnsetType = msgspec.UNSET
    behind_ms: int | msgspec.UnsetType = msgspec.UNSET


class RunField(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked about runs. `values` are suggestions: all that there are, or those seen most often in the last 90 days."""

    name: str
    types: tuple[str, ...]
    operators: tuple[str, ...]
    description: str = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class RunFields(msgspec.Struct, frozen=True, kw_only=True):
    """`data` are the fields that every run has, and the patterns of all others; `seen` the steps and places that runs of late have."""

    data: list[RunField]
    seen: list[RunField]
