"""Waiting for a run that somebody started and wants the result of."""

import asyncio
from typing import Final

from runwell.model.errors import NotFound
from runwell.model.run import RunRow
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.model.text_delta import Delta
from runwell.ports.feed import Feed
from runwell.ports.journal import Journal, Kept

_FOR_SOMEBODY: Final = frozenset({"approval", "message"})


def rests(row: RunRow) -> bool:
    """Whether the run has ended, or goes on only when somebody does something."""
    return (
        row.status in TERMINAL or row.status is RunStatus.PAUSED or (row.status is RunStatus.WAITING and row.waiting_for in _FOR_SOMEBODY)
    )


async def at_rest(feed: Feed, journal: Journal, run_id: str, patience_s: float) -> RunRow:
    """Return the run's durable row once it rests, or as it is after `patience_s`. Raises `NotFound` when it is deleted meanwhile."""
    woken = asyncio.Event()

    def hear(item: Kept | Delta) -> None:
        if isinstance(item, Kept) and item.event.type.startswith("run_"):
            woken.set()

    unlisten = feed.listen(hear, run_id)
    until = asyncio.get_running_loop().time() + patience_s
    try:
        while True:
            woken.clear()
            row = await journal.row(run_id)
            if row is None:
                raise NotFound(f"there is no run {run_id!r}")
            if rests(row):
                return row
            try:
                async with asyncio.timeout_at(until):
                    await woken.wait()
            except TimeoutError:
                return row
    finally:
        unlisten()
