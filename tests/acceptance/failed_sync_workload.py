"""Loses its disk's favour during a commit, and dies right after it was told.

Usage: python failed_sync_workload.py DATA_DIR FAIL_FILE MODE, where MODE is `fence` or, a planted bug, `no-fence`.
"""

import asyncio
import os
import sys
from pathlib import Path

from tests.acceptance.power_cut_workload import event, open_journal, row, run_id

from runwell.model.errors import JournalUnavailable
from runwell.storage.writer import Writer


def break_disk(fail: Path) -> None:
    fail.touch()


async def main() -> None:
    data_dir, fail, mode = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    if mode == "no-fence":
        Writer._fence = lambda self: None  # type: ignore[method-assign]
    journal = open_journal(data_dir)
    await journal.open()
    kept, failed = run_id(1), run_id(2)
    await journal.append(0, [event(kept, 1)], row(kept, 1))
    break_disk(fail)
    try:
        await journal.append(0, [event(failed, 1)], row(failed, 1))
    except JournalUnavailable:
        os._exit(7)


asyncio.run(main())
