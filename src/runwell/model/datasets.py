"""Datasets: inputs to try workflows with, and what is expected of them."""

from typing import Any, Final

import msgspec

MOST_DATASETS: Final = 200
MOST_VERSIONS: Final = 100
MOST_ROWS: Final = 1_000
MOST_BYTES: Final = 8 * 1024 * 1024
"""Of the rows of one version, as JSON."""


class DatasetRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One input. `source_run_id`: the run from which it is taken."""

    input: Any = None
    expected: Any = None
    metadata: dict[str, Any] = {}
    source_run_id: str | None = None


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """`version` is the newest one's number, `rows` how many it has; 0 for one without any."""

    id: str
    name: str
    description: str = ""
    version: int = 0
    rows: int = 0
    created_by: str | None = None
    created_at: str
    updated_at: str


class DatasetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a dataset's rows. It never changes."""

    dataset_id: str
    number: int
    rows: int
    note: str | None = None
    created_by: str | None = None
    created_at: str
