"""One run as one JSON file: the run, the document of its version, and all of its events."""

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from runwell.model.events import event_json
from runwell.model.run import RunRow, RunView
from runwell.model.run_parts import EventView
from runwell.model.scope import Scope
from runwell.ports.journal import Journal
from runwell.ports.runs import Runs
from runwell.query.events import all_events

FORMAT: Final = "runwell-run/1"

_CHUNK: Final = 65_536


class RunExport(msgspec.Struct, frozen=True, kw_only=True):
    """`format` names this form. `events` are those kept when the export began."""

    format: str
    run: RunView
    document: dict[str, Any]
    events: list[EventView]


async def export_run(runs: Runs, journal: Journal, scope: Scope, row: RunRow) -> AsyncIterator[bytes]:
    """Return the file, piece by piece. What can fail at the start fails before this returns."""
    document = await runs.document(scope, row.run_id)
    run = await runs.view(scope, row.run_id)
    head = b'{"format":%b,"run":%b,"document":%b,"events":[' % (
        msgspec.json.encode(FORMAT),
        msgspec.json.encode(run),
        msgspec.json.encode(document),
    )
    return _pieces(head, journal, row)


async def _pieces(head: bytes, journal: Journal, row: RunRow) -> AsyncIterator[bytes]:
    held = bytearray(head)
    comma = b""
    async for event in all_events(journal, row.run_id, until=row.seq):
        held += comma + event_json(event, raw=True)
        comma = b",\n"
        if len(held) >= _CHUNK:
            yield bytes(held)
            held.clear()
    yield bytes(held) + b"]}\n"
