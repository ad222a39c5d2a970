"""What only the journal on disk promises: its file, its owner, its log, and how it fails."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest
from tests.contract.backend import opened
from tests.contract.samples import event, logs, new_run, row, run, seqs

from runwell.model.errors import DataDirectoryBusy, InvalidInput, JournalUnavailable
from runwell.model.events import Log, StepCompleted
from runwell.model.statuses import RunStatus
from runwell.ports.journal import Blobs
from runwell.storage.blobs import DirectoryBlobs
from runwell.storage.payloads import RECORD_LIMIT
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.storage.sqlite_view import SqliteView


def journal_at(path: Path, blobs: Blobs | None = None) -> SqliteJournal:
    return SqliteJournal(path, blobs=blobs, checkpoint_bytes=100_000)


def stored(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Read the file of a closed journal."""
    with closing(sqlite3.connect(path / "runwell.db")) as connection:
        return connection.execute(sql).fetchall()


async def fill(journal: SqliteJournal, runs: int, size: int = 500) -> None:
    for _ in range(runs):
        run_id = new_run()
        await journal.append(0, logs(run_id, 1, 3, "x" * size), row(run_id, 3, RunStatus.SUCCEEDED))


# The owner


def test_a_second_journal_on_the_directory_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path)):
            with pytest.raises(DataDirectoryBusy) as caught:
                await journal_at(tmp_path).open()
            assert repr(str(tmp_path)) in str(caught.value)
            assert f"pid {os.getpid()} since 20" in str(caught.value)
            assert "--data-dir" in str(caught.value)
        async with opened(journal_at(tmp_path)):
            pass

    run(main())


OWNER = """
import asyncio, sys, pathlib
from runwell.storage.sqlite_journal import SqliteJournal

async def main():
    await SqliteJournal(pathlib.Path(sys.argv[1]), blobs=None).open()
    print("open", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_another_process_is_refused_until_the_owner_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline() == "open\n"
            with pytest.raises(DataDirectoryBusy, match=f"pid {owner.pid} "):
                run(journal_at(tmp_path).open())
        finally:
            owner.kill()

    async def main() -> None:
        async with opened(journal_at(tmp_path)):
            pass

    run(main())


def test_the_data_directory_is_private(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b #1?%20"

    async def main() -> None:
        async with opened(journal_at(path)) as journal:
            await fill(journal, 1)

    run(main())
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert {file.name for file in path.iterdir()} == {"runwell.db", "runwell.lock"}


def refused(path: Path) -> str:
    with pytest.raises(JournalUnavailable) as caught:
        run(journal_at(path).open())
    return str(caught.value)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path)):
            pass

    run(main())
    with closing(sqlite3.connect(tmp_path / "runwell.db")) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
        connection.commit()
    assert "schema version 99" in refused(tmp_path)
    assert "upgrade" in refused(tmp_path)  # and the first refusal let go of the lock


OLDER = """
DROP TABLE removal;
DROP INDEX run_cache;
ALTER TABLE run DROP COLUMN cache_key;
UPDATE meta SET value = '1' WHERE key = 'schema_version'
"""


def test_an_older_schema_is_brought_up_to_date_by_the_owner_and_read_by_others(tmp_path: Path) -> None:
    ended = msgspec.structs.replace(row("run_" + "1" * 32, 1, RunStatus.SUCCEEDED), input_hash="i")

    async def begun() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            await journal.append(0, logs(ended.run_id, 1, 1), ended)

    async def looked_at() -> None:
        view = SqliteView(tmp_path, blobs=None)
        await view.open()
        assert await view.row(ended.run_id) == ended
        assert await view.cached("org_1", "h", "i") is None
        await view.close()

    async def gone_on() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            assert await journal.row(ended.run_id) == ended
            after = msgspec.structs.replace(row("run_" + "2" * 32, 1, RunStatus.SUCCEEDED), input_hash="i")
            await journal.append(0, logs(after.run_id, 1, 1), after)
            assert await journal.cached("org_1", "h", "i") == after
            await journal.delete_runs("wf_none")
            await journal.removed(journal.removals())

    run(begun())
    with closing(sqlite3.connect(tmp_path / "runwell.db")) as connection:
        connection.executescript(OLDER)
    run(looked_at())
    run(gone_on())
    assert stored(tmp_path, "SELECT value FROM meta WHERE key = 'schema_version'") == [("3",)]


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runwell.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    assert "not a database" in refused(tmp_path)
    (tmp_path / "runwell.db").unlink()
    (tmp_path / "runwell.db").mkdir()
    assert "could not be opened" in refused(tmp_path)
    (tmp_path / "file").write_text("")
    assert "is a file" in refused(tmp_path / "file")
    assert "is a file" in refused(tmp_path / "file" / "below")


# Its log


def test_only_the_writer_checkpoints_and_it_does(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            await fill(journal, 300)
            log = tmp_path / "runwell.db-wal"
            assert 100_000 < log.stat().st_size < 1_300_000  # several times as much was logged
            assert (tmp_path / "runwell.db").stat().st_size > 400_000
            with pytest.raises(JournalUnavailable, match="readonly"):
                await journal.query(lambda connection: connection.execute("DELETE FROM event"))
        assert not log.exists()

    run(main())
    assert stored(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert stored(tmp_path, "SELECT count(*) FROM event") == [(900,)]


def test_a_quiet_moment_checkpoints_a_small_excess(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            size_before = (tmp_path / "runwell.db").stat().st_size
            await fill(journal, 4, size=10_000)
            deadline = asyncio.get_running_loop().time() + 10
            while (tmp_path / "runwell.db").stat().st_size == size_before:
                assert asyncio.get_running_loop().time() < deadline
                await asyncio.sleep(0.01)

    run(main())


def test_the_probe_sees_every_stage_of_a_commit(tmp_path: Path) -> None:
    points: list[str] = []

    async def main() -> None:
        async with opened(SqliteJournal(tmp_path, blobs=None, probe=points.append)) as journal:
            run_id = new_run()
            await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))

    run(main())
    assert points == ["journal.before_handover", "journal.before_commit", "journal.after_commit", "journal.after_resolve"]


# How it fails


def test_a_full_disk_fails_the_commit_and_room_cures_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            kept, lost, after = new_run(), new_run(), new_run()
            await journal.append(0, logs(kept, 1, 1), row(kept, 1))
            limit = "PRAGMA max_page_count = {}"
            await journal.transact(lambda connection: connection.execute(limit.format(1)).fetchall())
            first = journal.append(0, logs(lost, 1, 1, "x" * 100_000), row(lost, 1))
            await asyncio.sleep(0)  # the first is handed over, what follows is not
            behind = [journal.append(1, logs(kept, 2, 1), row(kept, 2)), journal.append(1, logs(lost, 2, 1), row(lost, 2))]
            for outcome in await asyncio.gather(first, *behind, return_exceptions=True):
                assert isinstance(outcome, JournalUnavailable)
                assert isinstance(outcome.__cause__, sqlite3.Error)
                assert "full" in str(outcome)
            await journal.transact(lambda connection: connection.execute(limit.format(2**30)).fetchall())
            await journal.append(1, logs(kept, 2, 1), row(kept, 2))
            await journal.append(0, logs(after, 1, 1), row(after, 1))
            assert seqs(await journal.read(kept)) == [1, 2]
            assert await journal.read(lost) == []

    run(main())
    assert stored(tmp_path, "PRAGMA integrity_check") == [("ok",)]


def test_what_is_submitted_behind_a_failing_commit_fails_with_it(tmp_path: Path) -> None:
    failing = True

    def probe(point: str) -> None:
        if point == "journal.before_commit" and failing:
            raise OSError("no space left")

    async def main() -> None:
        nonlocal failing
        async with opened(SqliteJournal(tmp_path, blobs=None, probe=probe)) as journal:
            run_id = new_run()
            first = journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
            await asyncio.sleep(0)  # handed over
            second = journal.append(1, logs(run_id, 2, 1), row(run_id, 2))
            outcomes = await asyncio.gather(first, second, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [JournalUnavailable] * 2
            failing = False
            await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
            assert seqs(await journal.read(run_id)) == [1]

    run(main())


def test_the_database_itself_keeps_the_24_hex_id_unique(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            await fill(journal, 1)
            twin = "INSERT INTO run SELECT rid + 1, substr(run_id, 1, 28) || 'ffffffff', '', '', '', '', 0, 0, 0, '', NULL FROM run"
            with pytest.raises(JournalUnavailable, match="UNIQUE"):
                await journal.transact(lambda connection: connection.execute(twin))

    run(main())


# Payloads


class CountingBlobs:
    def __init__(self, path: Path) -> None:
        self._inner = DirectoryBlobs(path)
        self.puts: list[int] = []
        self.gets: list[str] = []

    def put(self, content: bytes) -> str:
        self.puts.append(len(content))
        return self._inner.put(content)

    def get(self, ref: str) -> bytes:
        self.gets.append(ref)
        return self._inner.get(ref)

    def remove(self, ref: str) -> None:
        self._inner.remove(ref)


def test_only_what_is_over_64_kib_moves_out(tmp_path: Path) -> None:
    blobs = CountingBlobs(tmp_path / "blobs")
    sent = [
        event("run_1", 1, Log(message="x" * 65_000)),
        event("run_1", 2, StepCompleted(result={"text": "é" * 40_000}, reason="disabled", caused_by="c" * 60_000), step="s"),
        event("run_1", 3, Log(message="y" * 70_000)),
    ]

    async def main() -> None:
        async with opened(journal_at(tmp_path / "data", blobs)) as journal:
            await journal.append(0, sent, row("run_1", 3))
            assert await journal.read("run_1") == sent

    run(main())
    assert blobs.puts == [80_011, 70_002]  # the result alone was enough, so the smaller field stayed
    lengths = [size for (size,) in stored(tmp_path / "data", "SELECT length(cast(body AS BLOB)) FROM event ORDER BY seq")]
    assert all(isinstance(size, int) and size <= RECORD_LIMIT for size in lengths)


def test_a_value_that_looks_like_a_reference_reads_no_payload(tmp_path: Path) -> None:
    blobs = CountingBlobs(tmp_path / "blobs")
    secret = blobs.put(b'"another run\'s"')
    ref = {"payload_ref": secret, "bytes": 5}
    results = [{"$payload_ref": secret}, {"refs": {"result": ref}}, {"data": {"refs": {"x": ref}}}, '"refs":{"result":{}}', ref]
    sent = [event("run_1", n, StepCompleted(result=result), step="s") for n, result in enumerate(results, 1)]
    sent.append(event("run_1", 6, StepCompleted(result=["x" * 70_000, {"refs": {"result": ref}}]), step="s"))

    async def main() -> None:
        async with opened(journal_at(tmp_path / "data", blobs)) as journal:
            await journal.append(0, sent, row("run_1", 6))
            assert await journal.read("run_1", limit=5) == sent[:5]
            assert blobs.gets == []
            assert await journal.read("run_1") == sent
            assert len(blobs.gets) == 1
            assert secret not in blobs.gets

    run(main())


def test_a_payload_that_cannot_be_kept_fails_the_append(tmp_path: Path) -> None:
    class FullBlobs(CountingBlobs):
        def put(self, content: bytes) -> str:
            raise OSError(28, "No space left on device")

    async def main() -> None:
        async with opened(journal_at(tmp_path / "data", FullBlobs(tmp_path))) as journal:
            with pytest.raises(JournalUnavailable, match="No space left"):
                await journal.append(0, logs("run_1", 1, 1, "x" * 70_000), row("run_1", 1))
            assert await journal.read("run_1") == []

    run(main())


def test_a_payload_without_its_store_is_an_error_not_a_gap(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path / "data", DirectoryBlobs(tmp_path / "blobs"))) as journal:
            await journal.append(0, logs("run_1", 1, 1, "x" * 70_000), row("run_1", 1))
        async with opened(journal_at(tmp_path / "data")) as journal:
            with pytest.raises(JournalUnavailable, match="payload"):
                await journal.read("run_1")

    run(main())


def rewrite(connection: sqlite3.Connection, body: str) -> None:
    connection.execute("UPDATE event SET body = ?", (body,))


def test_a_damaged_record_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path)) as journal:
            await journal.append(0, logs("run_1", 1, 1), row("run_1", 1))
            for damage in ("{", '{"refs":{"x":1},"data":{}}', '{"refs":{"x":{"payload_ref":"sha256:no","bytes":1}},"data":{}}'):
                await journal.transact(partial(rewrite, body=damage))
                with pytest.raises((InvalidInput, JournalUnavailable)):
                    await journal.read("run_1")

    run(main())
