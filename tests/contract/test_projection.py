"""The projector over each kind of journal: it starts anywhere, is restarted, follows deletions, and is as a rebuild."""

import random
from pathlib import Path

import pytest
from tests.contract.backends import MemoryBackend, PostgresBackend, SqliteBackend
from tests.contract.samples import run
from tests.unit.projection_stage import LIFE, ProjectionStage

from runwell.storage.postgres_url import DatabaseUrl


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> MemoryBackend | SqliteBackend | PostgresBackend:
    if request.param == "memory":
        return MemoryBackend()
    if request.param == "sqlite":
        return SqliteBackend(tmp_path)
    url: DatabaseUrl = request.getfixturevalue("postgres_url")
    return PostgresBackend(url, tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_the_store_is_as_the_journal(backend: MemoryBackend | SqliteBackend | PostgresBackend, seed: int) -> None:
    chance = random.Random(seed)

    async def main() -> None:
        stage = ProjectionStage(journal=backend.make())
        for _ in range(60):
            what = chance.random()
            if what < 0.3 or not stage.runs:
                await stage.start(f"wf_{chance.randint(1, 2)}")
            elif what < 0.8:
                await stage.go_on(chance.choice(list(stage.runs)))
            elif what < 0.9:
                await stage.tick(chance.choice([100, 1_000, 6_000]))
            elif what < 0.95:
                await stage.live()
                await stage.check()
            else:
                stage.restart()
        await stage.check_written()
        gone = await stage.start("wf_gone")
        await stage.finish(gone)
        assert stage.runs[gone] == len(LIFE)
        await stage.journal.delete_runs("wf_gone")
        await stage.projector.remove_deleted()
        del stage.runs[gone]
        await stage.check_written()
        before = dict(stage.memory.kept)
        await stage.projector.rebuild()
        assert stage.memory.kept == before
        await stage.check_written()
        stage.restart()
        await stage.check_written()
        await stage.journal.close()

    run(main())
