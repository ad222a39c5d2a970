"""Every store of evaluators, datasets and experiments keeps them apart by project, and each cell's end once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from tests.contract.backend import opened
from tests.contract.backends import SqliteBackend
from tests.contract.samples import run

from runwell.model.datasets import MOST_VERSIONS, DatasetRow
from runwell.model.errors import NotFound, Refused
from runwell.model.evaluation import EvaluationAsked, Turn
from runwell.model.experiments import Cell, CellScore, ExperimentPlan, NamedEvaluator, TriedVariant
from runwell.model.ids import new_id
from runwell.model.scope import Scope
from runwell.model.variant import Variant
from runwell.ports.evaluations import NewEvaluator, Span
from runwell.storage.postgres_sql import PostgresSql
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.sql import Sql
from runwell.storage.sql_datasets import SqlDatasets
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.storage.sql_evaluators import SqlEvaluators, SqlPendingEvaluations
from runwell.storage.sql_experiments import SqlExperiments
from runwell.storage.sql_workflows import SqlWorkflows
from runwell.storage.sqlite_sql import SqliteSql
from runwell.storage.tables import document

ONE, TWO = Scope("org_1", "prj_1"), Scope("org_1", "prj_2")


def evaluator(name: str) -> NewEvaluator:
    return NewEvaluator(id=new_id("evl"), name=name, kind="code", workflow_id="wf_1", version=1, pass_score=0.5)


class EvaluationStoresContract:
    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Sql]:
        raise NotImplementedError
        yield

    def test_evaluators_and_what_they_are_attached_to(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as sql:
                held = SqlEvaluators(sql)
                made = [await held.create(ONE, "u", evaluator(f"e{n}")) for n in range(3)]
                assert (made[0].pass_score, made[0].version, await held.get(ONE, "e0")) == (0.5, 1, made[0])
                assert await held.get(ONE, made[1].id.removeprefix("evl_")) == made[1]
                assert [one.name for one in await held.page(ONE, Span(limit=2))] == ["e2", "e1"]
                assert [one.name for one in await held.page(ONE, Span(limit=2, before=made[1].id))] == ["e0"]
                assert [one.name for one in await held.page(ONE, Span(limit=1, after=made[0].id))] == ["e1"]
                with pytest.raises(Refused, match="already"):
                    await held.create(ONE, "u", evaluator("e0"))
                await held.create(TWO, "u", evaluator("e0"))
                for key in ("e1", made[1].id):
                    with pytest.raises(NotFound):
                        await held.get(TWO, key)
                await held.attach(ONE, "wf_9", "e0", 1.0, 7)
                assert (await held.attach(ONE, "wf_9", "e0", 0.25, 99)).sample_rate == 0.25
                [watched] = await held.watched()
                assert (watched.position, watched.scope, watched.sample_rate) == (7, ONE, 0.25), "a new rate begins nothing anew"
                assert (watched.on, (await held.attachments(ONE, "wf_9"))[0].on) == ("run", "run")
                assert (await held.attach(ONE, "wf_9", "e0", 0.25, 99, "turn")).on == (await held.watched())[0].on == "turn"
                await held.looked_at(watched, 12)
                await held.looked_at(watched, 9)
                assert (await held.watched())[0].position == 12
                assert await held.attachments(TWO, "wf_9") == []
                await held.delete(ONE, "e0")
                assert await held.watched() == []

        run(main())

    def test_pending_evaluations_are_kept_until_they_are_told(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as sql:
                held = SqlPendingEvaluations(sql)
                turn = Turn(number=2, input={"a": 1}, output=[None, "x"])
                asked = EvaluationAsked(evaluation_run_id="run_e", scope=ONE, run_id="run_1", evaluator_id="evl_1", turn=turn, expected=4)
                await held.add(asked)
                await held.add(asked)
                assert await held.all() == [asked]
                await held.remove("run_e")
                assert await held.all() == []

        run(main())

    def test_versions_of_datasets_are_numbered_however_many_add_at_once(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as sql:
                held = SqlDatasets(sql)
                made = await held.create(ONE, "u", "d", "")
                rows = [DatasetRow(input={"n": 1}, expected="é", metadata={"a": [1]}, source_run_id="run_1")]
                adds = [held.add_version(ONE, "u", "d", rows, append=True, note=None) for _ in range(6)]
                assert sorted([(one.number, one.rows) for one in await asyncio.gather(*adds)]) == [(n, n) for n in range(1, 7)]
                assert await held.rows(ONE, made.id, 2) == (2, rows * 2)
                assert (await held.rows(ONE, made.id))[0] == 6
                assert [one.number for one in await held.versions(ONE, "d")] == [6, 5, 4, 3, 2, 1]
                with pytest.raises(NotFound):
                    await held.rows(TWO, made.id)
                for _ in range(MOST_VERSIONS - 6):
                    await held.add_version(ONE, "u", "d", [], append=False, note=None)
                with pytest.raises(Refused, match="versions already"):
                    await held.add_version(ONE, "u", "d", [], append=False, note=None)

        run(main())

    def test_an_experiment_keeps_its_cells_and_its_documents_as_long_as_its_workflow(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as sql:
                held, definitions = SqlExperiments(sql), SqlDefinitions(sql)
                version = await definitions.put(ONE, "w", "W", "h1", b'{"a":1}')
                bare, changed = Variant(name="a"), Variant(name="b", model="x:y")
                tried = (TriedVariant(variant=bare, version=1, hash="h1"), TriedVariant(variant=changed, version=1, hash="h2"))
                plan = ExperimentPlan(
                    name="E",
                    workflow_id=version.workflow_id,
                    dataset_id="dset_1",
                    dataset_version=1,
                    variants=tried,
                    evaluators=(NamedEvaluator("evl_1", "right"),),
                    baseline="a",
                )
                cells = [Cell(row=row, variant=variant, run_id=new_id("run")) for row in range(30) for variant in range(2)]
                made = await held.create(ONE, "u", plan, cells, [b'{"a":1}', b'{"a":2}'])
                assert (made.cells, made.open_cells, made.status, made.variants) == (60, 60, "running", tried)
                assert await definitions.by_hash("h2") == b'{"a":2}'
                assert await held.cells(made.id) == cells
                score = CellScore(evaluator="right", evaluation_run_id="run_e", points=0.5)
                done = msgspec.structs.replace(cells[3], status="succeeded", scores=(score,), cost_nanos=5, duration_ms=7)
                await held.finish_cell(made.id, 2, done)
                await held.finish_cell(made.id, 2, msgspec.structs.replace(done, status="stopped"))
                assert (await held.cells(made.id))[3] == done, "an end is kept once"
                assert len(await held.cells(made.id, open_only=True)) == (await held.get(ONE, made.id)).open_cells == 59
                with pytest.raises(NotFound):
                    await held.get(TWO, made.id)
                with pytest.raises(Refused, match="stop it first"):
                    await held.delete(ONE, made.id)
                [still] = await held.open()
                assert (still.scope, still.experiment.id) == (ONE, made.id)
                await held.set_status(made.id, "stopped")
                await held.set_status(made.id, "running")
                assert ((await held.get(ONE, made.id)).status, await held.open()) == ("stopped", [])
                await SqlWorkflows(sql).delete(ONE, "w")
                with pytest.raises(NotFound):
                    await held.get(ONE, made.id)
                assert await sql.read(lambda connection: connection.execute(select(document.c.hash)).all()) == []

        run(main())


class TestSqlite(EvaluationStoresContract):
    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Sql]:
        journal = SqliteBackend(path).make()
        async with opened(journal):
            yield SqliteSql(journal)


class TestPostgres(EvaluationStoresContract):
    @pytest.fixture(autouse=True)
    def _schema(self, postgres_url: DatabaseUrl) -> None:
        self._url = postgres_url

    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Sql]:
        sql = PostgresSql(self._url)
        try:
            yield sql
        finally:
            await sql.close()
