"""The rows of datasets, from runs that were found and from what was sent."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from runwell.model.datasets import DatasetRow
from runwell.model.redactor import Redactor
from runwell.model.run_search import RunFilters
from runwell.model.scope import Scope
from runwell.query.run_export import EVER
from runwell.query.run_search import RunIndex, telling


async def rows_of_runs(index: RunIndex, scope: Scope, query: str, limit: int, now: int, *, expected: bool) -> list[DatasetRow]:
    """Return the inputs of the newest runs of a search, of all time unless it says less. With `expected` their outputs come along.

    What they hold was redacted when it was kept. Raises as lists of runs do.
    """
    asked = await index.asked(scope, RunFilters(q=query, since=EVER), now)
    found = list[DatasetRow]()
    with telling():
        async for record in index.store.records(asked):
            metadata: dict[str, Any] = dict(record.metadata)
            output = record.output if expected else None
            found.append(DatasetRow(input=record.input, expected=output, metadata=metadata, source_run_id=record.run_id))
            if len(found) >= limit:
                break
    return found


def redacted(rows: Iterable[DatasetRow], redactor: Redactor) -> Sequence[DatasetRow]:
    """Return the rows without what the project does not want to be kept."""
    return [
        msgspec.structs.replace(
            row,
            input=redactor.data(row.input, "input"),
            expected=redactor.data(row.expected, "output"),
            metadata=redactor.data(row.metadata, "metadata"),
        )
        for row in rows
    ]
