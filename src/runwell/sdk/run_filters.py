"""Which runs a list holds, as keywords of the client's methods."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from runwell.model.run_search import Archived, metadata_text
from runwell.sdk.request import Given

Several = str | Sequence[str]
"""One or several; of several, any."""


class RunFiltering(TypedDict, total=False):
    """Filters of a list of runs: all of them hold.

    `since` and `until` are moments (RFC 3339, a day, or relative: `-30d`), by when the run began; without them, and without
    a time in the query, a list holds the runs of the last 7 days. Archived runs and trial runs show only when asked for.
    """

    status: Several
    since: str
    until: str
    archived: Archived
    environment: Several | None
    trigger: Several
    tag: Several
    metadata: Mapping[str, str]
    has_error: bool
    min_duration_ms: int
    max_duration_ms: int
    min_cost_usd: float
    max_cost_usd: float


_SENT = {"since": "from", "until": "to"}


def as_query(filters: RunFiltering) -> dict[str, Given]:
    """Return the filters as query parameters."""
    return {_SENT.get(name, name): _given(value) for name, value in filters.items()}


def as_body(filters: RunFiltering) -> dict[str, Any]:
    """Return the filters as members of a search's body."""
    found = {_SENT.get(name, name): value for name, value in filters.items() if value is not None}
    for name in ("status", "environment", "trigger", "tag"):
        if name in found:
            found[name] = several(found[name])
    return found


def several(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _given(value: Any) -> Given:
    if isinstance(value, Mapping):
        return tuple(metadata_text(key, inner) for key, inner in value.items())
    if value is None or isinstance(value, str | bool | int):
        return value
    return repr(value) if isinstance(value, float) else tuple(value)
