"""Reading a whole run from the journal, for its record."""

import asyncio
from typing import Final

from runwell.ports.journal import JournalReader
from runwell.runtime.run_recorder import RunRecorder

PAGE: Final = 1_000


async def read_run(journal: JournalReader, run_id: str) -> RunRecorder | None:
    """Return the recorder of a run after all that the journal has of it; None when it has nothing."""
    recorder: RunRecorder | None = None
    while page := await journal.read(run_id, 0 if recorder is None else recorder.rev, PAGE):
        if recorder is None:
            recorder = RunRecorder(page[0])
        for event in page:
            recorder.add(event)
        if len(page) < PAGE:
            break
        await asyncio.sleep(0)
    return recorder
