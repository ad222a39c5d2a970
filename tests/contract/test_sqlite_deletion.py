"""What is deleted from a SQLite data directory is not in its files any more."""

import sqlite3
from pathlib import Path

import msgspec
import pytest
from tests.contract.backend import opened
from tests.contract.samples import event, logs, new_run, row, run

from runwell.model.errors import JournalUnavailable
from runwell.model.events import Log
from runwell.model.statuses import RunStatus
from runwell.storage import sqlite_deletion
from runwell.storage.blobs import DirectoryBlobs
from runwell.storage.sqlite_journal import SqliteJournal

CANARY = b"canary-7e1f0c"
ENDED = RunStatus.SUCCEEDED


def journal_at(path: Path) -> SqliteJournal:
    return SqliteJournal(path, blobs=DirectoryBlobs(path / "blobs"))


def files_with(path: Path, content: bytes = CANARY) -> list[str]:
    """Return the files below a directory that hold the bytes. Only for one that nobody in this process has open."""
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file() and content in file.read_bytes())


def log_sizes(path: Path) -> list[int]:
    return [file.stat().st_size for file in path.glob("*-wal")]


@pytest.mark.parametrize("pieces", [1, 20_000])
def test_no_byte_of_a_deleted_run_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
    monkeypatch.setattr(sqlite_deletion, "EVENTS", pieces)
    text = CANARY.decode()

    async def main() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            for number in range(30):
                run_id, other = new_run(), new_run()
                log = event(run_id, 1, Log(message=text * (1 + 200 * (number % 5))))
                large = event(run_id, 2, Log(message=f"{number}" + text * 10_000))
                mine = msgspec.structs.replace(row(run_id, 2, ENDED), workflow_name=text)
                await journal.append(0, [log, large], mine)
                await journal.append(0, logs(other, 1, 3), msgspec.structs.replace(row(other, 3), workflow_id="wf_2"))
            await journal.close()
            assert len(files_with(tmp_path)) == 31
            await journal.open()
            assert await journal.delete_runs("wf_1") == 30
            assert (await journal.query(lambda reader: reader.execute("SELECT count(*) FROM appended").fetchone()))[0] == 30
            assert (await journal.query(lambda reader: reader.execute("SELECT count(*) FROM payload").fetchone()))[0] == 0
            assert log_sizes(tmp_path) == [0]
        assert files_with(tmp_path) == []
        assert not [file for file in (tmp_path / "blobs").rglob("*") if file.is_file()]

    run(main())


@pytest.mark.parametrize("pieces", [1, 20_000])
def test_no_byte_of_a_deleted_ended_run_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
    monkeypatch.setattr(sqlite_deletion, "EVENTS", pieces)
    text = CANARY.decode()

    async def main() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            shared, mine, other = Log(message="y" * 100_000), [new_run() for _ in range(10)], new_run()
            for number, run_id in enumerate(mine):
                told = [event(run_id, 1, Log(message=text)), event(run_id, 2, Log(message=f"{number}{text}" * 5_000))]
                its = msgspec.structs.replace(row(run_id, 3, ENDED), workflow_name=text)
                await journal.append(0, [*told, event(run_id, 3, shared)], its)
            await journal.append(0, [event(other, 1, shared)], row(other, 1, ENDED))
            await journal.close()
            assert len(files_with(tmp_path)) == 11
            await journal.open()
            assert await journal.delete_ended(mine) == 10
            assert (await journal.read(other))[0].data == shared
            assert (await journal.query(lambda reader: reader.execute("SELECT count(*) FROM appended").fetchone()))[0] == 1
            assert log_sizes(tmp_path) == [0]
        assert files_with(tmp_path) == []

    run(main())


def test_what_a_dead_process_left_of_a_deletion_is_cleared_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            one, two = new_run(), new_run()
            for run_id in (one, two):
                await journal.append(0, [event(run_id, 1, Log(message=f"{run_id}" * 3_000))], row(run_id, 1, ENDED))

            def dying(connection: sqlite3.Connection, after: int) -> int | None:
                raise OSError("killed")

            sweep = sqlite_deletion.sweep
            monkeypatch.setattr(sqlite_deletion, "sweep", dying)
            with pytest.raises(JournalUnavailable):
                await journal.delete_ended([one])
            monkeypatch.setattr(sqlite_deletion, "sweep", sweep)
            assert [kept.event.run_id for kept in await journal.tail(0, limit=1)] == [two]  # what is left speaks of nobody
        async with opened(journal_at(tmp_path)) as journal:
            assert await journal.delete_ended([]) == 0
            assert len([file for file in (tmp_path / "blobs").rglob("*") if file.is_file()]) == 1
            assert await journal.delete_ended([two]) == 1
            assert (await journal.query(lambda reader: reader.execute("SELECT count(*) FROM appended").fetchone()))[0] == 0

    run(main())


def test_a_payload_that_another_run_has_stays(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            one, two = new_run(), new_run()
            shared = Log(message="x" * 100_000)
            await journal.append(0, [event(one, 1, shared)], row(one, 1, ENDED))
            await journal.append(0, [event(two, 1, shared)], msgspec.structs.replace(row(two, 1, ENDED), workflow_id="wf_2"))
            await journal.delete_runs("wf_1")
            assert (await journal.read(two))[0].data == shared
            await journal.delete_runs("wf_2")
            assert not [file for file in (tmp_path / "blobs").rglob("*") if file.is_file()]

    run(main())


def test_a_deletion_that_fails_half_way_can_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        failing = True

        def probe(point: str) -> None:
            if point == "journal.before_commit" and failing and swept:
                raise OSError("disk full")

        swept: list[int] = []
        sweep = sqlite_deletion.sweep

        def sweeping(connection: sqlite3.Connection, after: int) -> int | None:
            swept.append(after)
            return sweep(connection, after)

        monkeypatch.setattr(sqlite_deletion, "sweep", sweeping)
        async with opened(SqliteJournal(tmp_path, blobs=DirectoryBlobs(tmp_path / "blobs"), probe=probe)) as journal:
            run_id = new_run()
            await journal.append(0, [event(run_id, 1, Log(message=CANARY.decode() * 9_000))], row(run_id, 1, ENDED))
            with pytest.raises(JournalUnavailable):
                await journal.delete_runs("wf_1")
            failing = False
            assert journal.removals().of("cut_off") == ["wf_1"]
            assert await journal.delete_runs("wf_1") == 0
            assert journal.removals().of("deleted") == ["wf_1"]
            await journal.removed(journal.removals())
        assert files_with(tmp_path) == []
        async with opened(journal_at(tmp_path)) as journal:
            later = new_run()
            await journal.append(0, logs(later, 1, 1), row(later, 1, ENDED))
            assert len(await journal.tail(0)) == 1

    run(main())
