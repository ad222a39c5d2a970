"""A journal, a feed, a store and projectors that a test plays, crashes among them."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec
from tests.contract.samples import CREATED, event, new_run, row

from runwell.model import events as ev
from runwell.model.errors import JournalUnavailable
from runwell.model.events import Event
from runwell.model.run_record import RunRecord
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.model.usage import Usage
from runwell.ports.feed import Feed
from runwell.ports.journal import Journal
from runwell.ports.probe import Probe, no_probe
from runwell.ports.run_store import RunStore
from runwell.runtime.projector import Projector
from runwell.runtime.run_recorder import recorded
from runwell.storage.memory_journal import MemoryJournal
from runwell.testing import FakeClock, MemoryRunStore

CALL = ev.GenerationCompleted(provider="p", model="m", usage=Usage(output_tokens=3, generations=1), response={"text": "hello"})
LIFE: Sequence[Sequence[tuple[ev.EventData, str | None]]] = (
    [(CREATED, None)],
    [(ev.RunStarted(), None), (ev.StepStarted(step_type="llm"), "ask")],
    [(CALL, "ask")],
    [(ev.StepCompleted(result=1), "ask"), (ev.StepStarted(step_type="approval"), "approve")],
    [(ev.StepWaiting(waiting_for="approval", task_id="t"), "approve"), (ev.RunWaiting(waiting_for="approval", steps=("approve",)), None)],
    [(ev.StepResumed(by="task"), "approve"), (ev.StepCompleted(), "approve"), (ev.RunSucceeded(output="yes"), None)],
)
"""What happens to a run, append by append; comments follow."""


class ProjectionStage:
    """`live` runs go on with `go_on`. A projector that crashed is replaced with `restart`."""

    def __init__(self, store: RunStore | None = None, journal: Journal | None = None, clock: FakeClock | None = None) -> None:
        self.journal = journal or MemoryJournal()
        self.feed = Feed()
        self.clock = clock or FakeClock()
        self.memory = MemoryRunStore()
        self.store = store or self.memory
        self.runs: dict[str, int] = {}
        self.seqs: dict[str, int] = {}
        self.workflows: dict[str, str] = {}
        self.names = ["wf_1", "wf_2", "wf_3"]
        self.projector = Projector(self.journal, self.store, self.feed, self.clock)

    def restart(self, probe: Probe = no_probe) -> None:
        """Go on as another process does: nothing of the old one's memory is left."""
        self.feed = Feed()
        self.projector = Projector(self.journal, self.store, self.feed, self.clock, probe)

    async def start(self, workflow_id: str = "wf_1", run_id: str | None = None) -> str:
        await self.journal.open()
        run_id = run_id or new_run()
        self.runs[run_id], self.seqs[run_id], self.workflows[run_id] = 0, 0, workflow_id
        await self.go_on(run_id)
        return run_id

    async def go_on(self, run_id: str, *, told: bool = True) -> None:
        """Let the run's next append happen."""
        number = self.runs[run_id]
        parts = LIFE[number] if number < len(LIFE) else [(ev.CommentAdded(comment_id=f"c{number}", content="well"), None)]
        await self.say(run_id, [data for data, _ in parts], [step for _, step in parts], told=told, ended=number >= len(LIFE) - 1)
        self.runs[run_id] = number + 1

    async def finish(self, run_id: str) -> None:
        while self.runs[run_id] < len(LIFE):
            await self.go_on(run_id)

    async def say(
        self, run_id: str, datas: Sequence[ev.EventData], steps: Sequence[str | None] = (), *, told: bool = True, ended: bool = False
    ) -> None:
        seq, workflow = self.seqs[run_id], self.workflows[run_id]
        steps = steps or [None] * len(datas)
        events = [self._event(run_id, seq + n, data, step) for n, (data, step) in enumerate(zip(datas, steps, strict=True), 1)]
        self.seqs[run_id] = seq + len(events)
        status = RunStatus.SUCCEEDED if ended else RunStatus.RUNNING
        at = msgspec.structs.replace(row(run_id, self.seqs[run_id], status), workflow_id=workflow)
        position = await self.journal.append(seq, events, at)
        if told:
            self.feed.events(workflow, events, position)

    def _event(self, run_id: str, seq: int, data: ev.EventData, step: str | None) -> Event:
        if isinstance(data, ev.RunCreated):
            data = msgspec.structs.replace(data, workflow_id=self.workflows[run_id])
        return msgspec.structs.replace(event(run_id, seq, data, step=step), ts=self.clock.now())

    def trouble(self) -> None:
        """Let the feed say that the journal failed, after which it is not to be trusted."""
        self.feed.keeping.failed(JournalUnavailable("no"), self.clock.now())
        self.feed.keeping.kept()

    async def tick(self, ms: int = 0) -> None:
        await self.clock.advance(ms)
        await self.projector.tick()

    async def live(self) -> None:
        """Let the projector read up to the journal's end."""
        for _ in range(10_000):
            if self.projector.mode == "live":
                return
            await self.tick(1_000 if self.projector.mode == "away" else 0)
        raise AssertionError(f"the projector stays {self.projector.mode}")

    async def truth(self) -> dict[str, RunRecord]:
        """Return the record of every run, by the journal alone."""
        events = {run_id: await self.journal.read(run_id) for run_id in self.runs}
        return {run_id: recorded(found).record() for run_id, found in events.items() if found}

    async def check(self) -> None:
        """The store and the overlay have every run as it is, and the overlay only what the store has not."""
        await self.projector.catch_up()
        newer = {record.run_id: record for record in self.projector.overlay()}
        assert len(newer) == len(self.projector.overlay())
        truth, removals = await self.truth(), self.projector.removals()
        shown = {run_id: record for run_id, record in (self.memory.kept | newer).items() if not removals.has(record)}
        assert shown == truth
        for run_id, record in newer.items():
            held = self.memory.kept.get(run_id)
            assert held is None or held.rev <= record.rev

    async def check_written(self) -> None:
        """All is in the store once everything was written."""
        await self.live()
        await self.projector.catch_up()
        await self.removed()
        assert await self.projector.write_all()
        assert self.memory.kept == await self.truth()
        assert self.projector.overlay() == ()
        assert self.memory.kept_at == await self.journal.position()

    async def removed(self) -> None:
        """Let the projector carry out what was deleted."""
        for _ in range(100):
            if not self.journal.removals():
                return
            await self.tick(1_000)
        raise AssertionError(f"{self.journal.removals()} is still there")

    async def delete_workflow(self, workflow_id: str) -> None:
        gone = [run_id for run_id in self.runs if self.workflows[run_id] == workflow_id]
        for run_id in gone:
            await self.finish(run_id)
        await self.journal.delete_runs(workflow_id)
        for run_id in gone:
            del self.runs[run_id]

    async def delete_ended(self, run_ids: Sequence[str]) -> None:
        await self.journal.delete_ended(run_ids)
        for run_id in run_ids:
            if await self.journal.row(run_id) is None:
                self.runs.pop(run_id, None)

    def any_live(self, chance: random.Random) -> str | None:
        return chance.choice(list(self.runs)) if self.runs else None

    def ended(self) -> list[str]:
        return [record.run_id for record in self.memory.kept.values() if record.status in TERMINAL]


def dump(records: dict[str, RunRecord]) -> dict[str, Any]:
    return {run_id: msgspec.to_builtins(record) for run_id, record in sorted(records.items())}
