"""Runs whose time is over go, from everywhere, and no others."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.contract.samples import logs, new_run, row, run

from runwell.model.errors import RunStoreUnavailable
from runwell.model.retention import DAY_MS, Retention, RetentionRule
from runwell.model.run import RunRow
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.runtime import cutter as cutting
from runwell.runtime.cutter import EVERY_MS, FIRST_MS, Cutter
from runwell.storage.sql import migrate
from runwell.storage.sql_holds import SqlHolds
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.storage.sqlite_sql import SqliteSql
from runwell.testing.clock import FakeClock

SCOPE = Scope("org_1", "prj_1")
OLD, NEW = 40 * DAY_MS, 10 * DAY_MS


class Stage:
    """A journal with runs of known ages, and what cuts them. `gone` are those that the run store was told of."""

    def __init__(self, path: Path) -> None:
        self.journal = SqliteJournal(path, blobs=None)
        self.clock = FakeClock()
        self.sql = SqliteSql(self.journal)
        self.holds = SqlHolds(self.sql, self.clock)
        self.retention = {SCOPE: Retention(keep_days=30)}
        self.gone: list[str] = []
        self.store_is_away = False

    def cutter(self) -> Cutter:
        return Cutter(self.journal, self.rules, self.holds, self.remove_deleted, self.clock)

    async def rules(self) -> Mapping[Scope, Retention]:
        return self.retention

    async def remove_deleted(self) -> None:
        if self.store_is_away:
            raise RunStoreUnavailable("it is away")
        removals = self.journal.removals()
        for run_id in removals.runs:
            assert await self.journal.row(run_id) is None
        await self.journal.removed(removals)
        self.gone += removals.runs

    async def has(self, age: int = OLD, status: RunStatus = RunStatus.SUCCEEDED, **changes: Any) -> str:
        at = self.clock.now() - age
        run_id = new_run()
        its: RunRow = msgspec.structs.replace(
            row(run_id, 1, status), created_at=at - 5, ended_at=at if status in TERMINAL else None, **changes
        )
        await self.journal.append(0, logs(run_id, 1, 1), its)
        return run_id

    async def left(self) -> list[str]:
        return [found.run_id for found in await self.journal.oldest(limit=10_000)]


def staged(path: Path, main: Any) -> None:
    async def guarded() -> None:
        stage = Stage(path)
        await stage.journal.open()
        try:
            await stage.sql.write(migrate)
            await main(stage)
        finally:
            await stage.sql.close()
            await stage.journal.close()

    run(guarded())


def test_what_is_over_goes_and_what_lives_stays(tmp_path: Path) -> None:
    async def main(stage: Stage) -> None:
        over = [await stage.has(status=status) for status in sorted(TERMINAL)]
        live = [await stage.has(status=status) for status in RunStatus if status not in TERMINAL]
        young = await stage.has(NEW)
        other = await stage.has(project_id="prj_2")
        assert await stage.cutter().cut() == len(over)
        assert await stage.left() == [*live, young, other]
        assert sorted(stage.gone) == sorted(over)
        assert await stage.cutter().cut() == 0

    staged(tmp_path, main)


def test_rules_are_of_workflow_and_status(tmp_path: Path) -> None:
    async def main(stage: Stage) -> None:
        stage.retention = {
            SCOPE: Retention(
                rules=(RetentionRule(workflow_id="wf_2", keep_days=5), RetentionRule(statuses=(RunStatus.FAILED,), keep_days=20))
            )
        }
        kept = [await stage.has(), await stage.has(NEW, RunStatus.FAILED), await stage.has(3 * DAY_MS, workflow_id="wf_2")]
        await stage.has(OLD, RunStatus.FAILED)
        await stage.has(NEW, workflow_id="wf_2")
        assert await stage.cutter().cut() == 2
        assert await stage.left() == kept

    staged(tmp_path, main)


def test_what_is_held_stays(tmp_path: Path) -> None:
    async def main(stage: Stage) -> None:
        held, of_held = await stage.has(), await stage.has(workflow_id="wf_2")
        over = await stage.has()
        await stage.holds.put(SCOPE, "wf_1", held, reason="case 1", by="ann")
        await stage.holds.put(SCOPE, "wf_2", None, reason="case 2", by="ann")
        await stage.holds.put(Scope("org_1", "prj_2"), "wf_1", over, reason="of another project", by="bob")
        assert await stage.cutter().cut() == 1
        assert await stage.left() == [held, of_held]
        await stage.holds.remove(SCOPE, held)
        await stage.holds.remove(SCOPE, "wf_2")
        assert await stage.cutter().cut() == 2

    staged(tmp_path, main)


def test_a_run_for_which_its_parent_may_still_ask_stays(tmp_path: Path) -> None:
    async def main(stage: Stage) -> None:
        parent = await stage.has(status=RunStatus.WAITING)
        child = await stage.has(parent_run_id=parent)
        orphan = await stage.has(parent_run_id=new_run())
        ended = await stage.has(NEW)
        of_ended = await stage.has(parent_run_id=ended)
        assert await stage.cutter().cut() == 2
        assert {parent, child, ended} == set(await stage.left())
        assert {orphan, of_ended} == set(stage.gone)

    staged(tmp_path, main)


def test_many_are_cut_page_by_page_around_those_that_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "PAGE", 4)
    monkeypatch.setattr(cutting, "PIECE", 6)

    async def main(stage: Stage) -> None:
        kept = []
        for number in range(60):
            if number % 7 == 0:
                kept.append(await stage.has())
                await stage.holds.put(SCOPE, "wf_1", kept[-1], reason="held", by="ann")
            elif number % 5 == 0:
                kept.append(await stage.has(status=RunStatus.PAUSED))
            else:
                await stage.has()
        young = [await stage.has(NEW) for _ in range(9)]
        cutter = stage.cutter()
        assert await cutter.cut() == 60 - len(kept)
        assert await stage.left() == [*kept, *young]
        assert cutter.count == 60 - len(kept)

    staged(tmp_path, main)


def test_what_a_run_store_that_is_away_has_is_noted_for_later(tmp_path: Path) -> None:
    async def main(stage: Stage) -> None:
        over = await stage.has()
        stage.store_is_away = True
        assert await stage.cutter().cut() == 1
        assert await stage.left() == []
        assert stage.journal.removals().runs == {over}
        await stage.journal.close()
        await stage.journal.open()  # as the next process does
        assert stage.journal.removals().runs == {over}

    staged(tmp_path, main)


def test_one_piece_at_most_waits_for_the_run_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "PAGE", 4)
    monkeypatch.setattr(cutting, "PIECE", 6)

    async def main(stage: Stage) -> None:
        for _ in range(30):
            await stage.has()
        stage.store_is_away = True
        cut = await stage.cutter().cut()
        assert 6 <= cut < 10
        assert len(stage.journal.removals().runs) == cut
        stage.store_is_away = False
        assert await stage.cutter().cut() == 30 - cut
        assert len(stage.gone) == 30

    staged(tmp_path, main)


def test_there_is_a_pass_soon_after_the_start_and_every_hour(tmp_path: Path) -> None:
    async def main(stage: Stage) -> None:
        async def until(count: int) -> None:
            while len(await stage.left()) != count:  # noqa: ASYNC110 - the pass goes on in threads
                await asyncio.sleep(0.005)

        cutter = stage.cutter()
        cutter.start()
        await stage.has()
        await stage.clock.advance(FIRST_MS - 1)
        assert len(await stage.left()) == 1
        await stage.clock.advance(1)
        await asyncio.wait_for(until(0), 10)
        await stage.has()
        while await stage.left():  # an hour that finds the pass before still at work makes none
            await asyncio.sleep(0.005)
            await stage.clock.advance(EVERY_MS)
        await cutter.close()
        await stage.has()
        await stage.clock.advance(2 * EVERY_MS)
        assert len(await stage.left()) == 1

    staged(tmp_path, main)
