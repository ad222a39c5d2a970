"""A feed and a journal that a test plays, and readers that it holds up and cuts."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from tests.contract.samples import event, row

from runwell.model.events import Event, Log, RunSucceeded
from runwell.model.statuses import RunStatus
from runwell.ports.feed import Feed
from runwell.ports.journal import Journal
from runwell.query.following import StreamLimits, Streams
from runwell.query.messages import EndReason, Message, parse_cursor
from runwell.query.places import Place, RunPlace, WorkflowPlace
from runwell.storage.memory_journal import MemoryJournal

Said = dict[str, Any]


class Stage:
    """A journal and a feed: `tell` does what a runtime does, `keep` and `rumour` one half of it each."""

    def __init__(self, **limits: Any) -> None:
        self.journal: Journal = MemoryJournal()
        self.feed = Feed()
        self.streams = Streams(self.feed, self.journal, StreamLimits(**limits))
        self.seqs: dict[str, int] = {}
        self.whole: list[str] = []

    async def keep(self, run_id: str, count: int = 1, *, last: bool = False) -> tuple[list[Event], int]:
        await self.journal.open()
        seq = self.seqs.get(run_id, 0)
        events = [event(run_id, seq + n, Log(message=f"{seq + n}")) for n in range(1, count + 1)]
        if last:
            events[-1] = event(run_id, seq + count, RunSucceeded())
        status = RunStatus.SUCCEEDED if last else RunStatus.RUNNING
        position = await self.journal.append(seq, events, row(run_id, seq + count, status))
        self.seqs[run_id] = seq + count
        self.whole += [one.id for one in events]
        return events, position

    def rumour(self, events: Sequence[Event], position: int) -> None:
        self.feed.events("wf_1", events, position)

    async def tell(self, run_id: str, count: int = 1, *, last: bool = False) -> None:
        self.rumour(*await self.keep(run_id, count, last=last))


class Reader:
    """Collects what a stream says, and waits at the gate before it takes any."""

    def __init__(self, stage: Stage, place: Place, check: EndReason | None = None) -> None:
        self.said: list[Said] = []
        self.open = asyncio.Event()
        self.open.set()
        self._check = check
        self.task = asyncio.create_task(stage.streams.follow(place, self._take, self._may_read, lambda follower: None))

    async def _may_read(self) -> EndReason | None:
        return self._check

    async def _take(self, batch: Sequence[Message]) -> None:
        await self.open.wait()
        self.said += [json.loads(message.body) for message in batch]

    async def reads(self, count: int) -> None:
        """Wait until it has so many events."""
        async with asyncio.timeout(2):
            while len(self.ids) < count:  # noqa: ASYNC110 - it has no event for this
                await asyncio.sleep(0)

    @property
    def ids(self) -> list[str]:
        return [message["id"] for message in self.said if "id" in message]

    @property
    def kinds(self) -> list[str]:
        return [message["type"] for message in self.said]

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def place(stage: Stage, run_id: str | None, after: str = "0") -> Place:
    return RunPlace(stage.journal, run_id, int(after)) if run_id else WorkflowPlace(stage.journal, "wf_1", parse_cursor(after))


async def at_rest() -> None:
    for _ in range(50):
        await asyncio.sleep(0)
