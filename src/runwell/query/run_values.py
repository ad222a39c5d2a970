"""What the runs of a page have in fields of their inputs, outputs and metadata, for screens that show these as columns."""

from collections.abc import Sequence
from typing import Final

import msgspec

from runwell.model.listed_run import ListedRun
from runwell.model.run_query import All, Compare
from runwell.model.run_record import RunRecord
from runwell.ports.run_store import RunsAsked, RunStore
from runwell.query.exports.columns import Column

MOST: Final = 20
"""So many fields a list shows at most."""

LENGTH: Final = 200
"""So many characters of a value a list shows at most."""

Values = dict[str, dict[str, str]]
"""By run id: the fields that the run has, with their values as text."""


async def values_of(store: RunStore, asked: RunsAsked, shown: Sequence[ListedRun], columns: Sequence[Column]) -> Values:
    """Return the values of these runs, which are one page of the list that is `asked` for. Raises `RunStoreUnavailable`."""
    if not shown or not columns:
        return {}
    moments = [record.created_at for record in shown]
    ids = tuple(record.run_id for record in shown)
    query = All((Compare("created", "gte", (min(moments),)), Compare("created", "lte", (max(moments),)), Compare("run", "is", ids)))
    records = store.records(msgspec.structs.replace(asked, query=query))
    return {record.run_id: _values(record, columns) async for record in records}


def _values(record: RunRecord, columns: Sequence[Column]) -> dict[str, str]:
    found = ((column.name, column.value(record)) for column in columns)
    return {name: value if len(value) <= LENGTH else value[: LENGTH - 1] + "…" for name, value in found if value is not None}
