"""What only the journal in PostgreSQL promises: its owner, appends that are refused late, and its text."""

import asyncio
import subprocess
import sys

import asyncpg
import msgspec
import pytest
from tests.contract.backend import opened, refused
from tests.contract.postgres_journals import ENDED, journal_at, put
from tests.contract.samples import KEY, asks, event, logs, new_run, pending, row, run, seqs
from tests.postgres import PostgresServer

from runwell.model.caching import KeptResult
from runwell.model.errors import DataDirectoryBusy, JournalUnavailable, PositionConflict
from runwell.model.events import RunSucceeded, StepCompleted
from runwell.model.statuses import RunStatus
from runwell.ports.journal import Cached, RunFilter
from runwell.storage.postgres_session import original, stored
from runwell.storage.postgres_url import DatabaseUrl

# Appends that are refused late


def test_a_refused_append_harms_no_other_of_its_batch(postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with opened(journal_at(postgres_url)) as journal:
            ended, other, unknown, last = new_run(), new_run(), new_run(), new_run()
            await put(journal, ended, 0, ENDED)
            futures = [
                journal.append(0, logs(other, 1, 1), row(other, 1)),
                journal.append(4, logs(ended, 5, 1), row(ended, 5, ENDED)),
                journal.append(5, logs(ended, 6, 1), row(ended, 6, ENDED)),  # stands on the one before
                journal.append(2, logs(unknown, 3, 1), row(unknown, 3)),
                journal.append(0, logs(last, 1, 1), row(last, 1)),
            ]
            outcomes = await asyncio.gather(*futures, return_exceptions=True)
            kept = [outcome for outcome in outcomes if isinstance(outcome, int)]
            conflicts = [(one.run_id, one.expected, one.actual) for one in outcomes if isinstance(one, PositionConflict)]
            assert outcomes[0] in kept
            assert outcomes[4] in kept
            assert conflicts == [(ended, 4, 1), (ended, 5, 1), (unknown, 2, 0)]
            assert await journal.read(ended) == logs(ended, 1, 1)
            assert await journal.row(unknown) is None
            await put(journal, ended, 1, ENDED)
            await put(journal, other, 1)

    run(main())


def test_what_stands_on_a_refused_append_is_refused_in_the_next_batch_too(postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with opened(journal_at(postgres_url)) as journal:
            ended = new_run()
            await put(journal, ended, 0, ENDED)
            first = journal.append(7, logs(ended, 8, 1), row(ended, 8, ENDED))
            await asyncio.sleep(0)  # handed over
            second = journal.append(8, logs(ended, 9, 1), row(ended, 9, ENDED))
            for outcome in await asyncio.gather(first, second, return_exceptions=True):
                assert isinstance(outcome, PositionConflict)
                assert outcome.actual == 1
            assert seqs(await journal.read(ended)) == [1]

    run(main())


def test_a_run_looked_up_again_has_its_tasks(postgres_url: DatabaseUrl) -> None:
    failing = False

    def probe(point: str) -> None:
        if failing and point == "journal.before_commit":
            raise asyncpg.DiskFullError("no space")

    async def main() -> None:
        nonlocal failing
        async with opened(journal_at(postgres_url, probe)) as journal:
            run_id = new_run()
            asked = [event(run_id, 1, asks("task_\x00a"), step="s\\0\x00"), event(run_id, 2, asks("task_b"), step="t")]
            await journal.append(0, asked, row(run_id, 2))
            failing = True
            await refused(journal, JournalUnavailable, 2, logs(run_id, 3, 1), row(run_id, 3))
            failing = False
            await journal.append(2, [event(run_id, 3, StepCompleted(), step="s\\0\x00")], row(run_id, 3))
            assert await pending(journal) == ["task_b"]

    run(main())


# Text


@pytest.mark.parametrize("text", ["", "plain", "\x00", "a\x00b", "\\", "\\0", "\\\\0", "\\\x00", "\x00\\0\\\\\x00"])
def test_text_with_nul_is_stored_and_comes_back(text: str) -> None:
    assert "\x00" not in stored(text)
    assert original(stored(text)) == text


def test_a_backslash_is_no_nul(postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with opened(journal_at(postgres_url)) as journal:
            slugs = ["\x00", "\\0", "\\\\0"]
            for slug in slugs:
                run_id = new_run()
                await journal.append(0, logs(run_id, 1, 1), row(run_id, 1, slug=slug))
            for slug in slugs:
                assert [found.workflow_slug for found in await journal.rows(RunFilter(slug=slug))] == [slug]

    run(main())


def test_more_than_one_statement_carries_is_cut(postgres_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runwell.storage.postgres_batch.PART_CHARACTERS", 1_000)

    async def main() -> None:
        async with opened(journal_at(postgres_url)) as journal:
            run_id = new_run()
            await journal.append(0, logs(run_id, 1, 50, "x" * 300), row(run_id, 50))
            assert await journal.read(run_id) == logs(run_id, 1, 50, "x" * 300)

    run(main())


# The owner


def test_a_second_owner_is_refused_and_told_who_has_it(postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with opened(journal_at(postgres_url)):
            with pytest.raises(DataDirectoryBusy, match=r"pid \d+ on .* since 20") as caught:
                await journal_at(postgres_url, patience_s=0.1).open()
            assert "RUNWELL_DATABASE_URL" in str(caught.value)
            assert "pass" not in str(caught.value)
        async with opened(journal_at(postgres_url, patience_s=0)):  # closing gives it up at once
            pass

    run(main())


OWNER = """
import asyncio, sys
from runwell.storage.postgres_journal import PostgresJournal
from runwell.storage.postgres_url import DatabaseUrl

async def main():
    await PostgresJournal(DatabaseUrl(sys.argv[1]), blobs=None).open()
    print("open", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_another_process_is_refused_until_the_owner_is_gone(postgres_url: DatabaseUrl) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, postgres_url.secret], stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline() == "open\n"
            with pytest.raises(DataDirectoryBusy, match=f"pid {owner.pid} "):
                run(journal_at(postgres_url, patience_s=0).open())
        finally:
            owner.kill()

    async def main() -> None:
        async with opened(journal_at(postgres_url)):
            pass

    run(main())


def test_schemas_of_one_database_are_journals_of_their_own(postgres: PostgresServer) -> None:
    one, two = postgres.new_schema(), postgres.new_schema()

    async def main() -> None:
        async with opened(journal_at(one)) as first, opened(journal_at(two)) as second:
            run_id = new_run()
            await put(first, run_id, 0)
            assert await second.row(run_id) is None

    run(main())


_OF_4 = ("DROP TABLE step_result",)
_OF_3 = ("DROP TABLE removal",)
_OF_2 = ("DROP INDEX run_cache", "ALTER TABLE run DROP COLUMN cache_key")
OLDER = {1: _OF_4 + _OF_3 + _OF_2, 2: _OF_4 + _OF_3, 3: _OF_4}
"""What takes from the schema all that came after a version."""


@pytest.mark.parametrize("version", OLDER)
def test_an_older_schema_is_brought_up_to_date(postgres: PostgresServer, postgres_url: DatabaseUrl, version: int) -> None:
    ended = msgspec.structs.replace(row(new_run(), 1, RunStatus.SUCCEEDED), cache_key=KEY)

    async def begun() -> None:
        async with opened(journal_at(postgres_url)) as journal:
            await journal.append(0, logs(ended.run_id, 1, 1), ended)

    async def gone_on() -> None:
        async with opened(journal_at(postgres_url)) as journal:
            assert await journal.row(ended.run_id) == ended
            after = msgspec.structs.replace(row(new_run(), 2, RunStatus.SUCCEEDED), cache_key=KEY)
            done, end = event(after.run_id, 1, StepCompleted(kept=KeptResult(key=KEY))), event(after.run_id, 2, RunSucceeded())
            await journal.append(0, [done, end], after)
            assert (await journal.cached(KEY), await journal.cached_step(KEY)) == (Cached(after, end), done)
            await journal.delete_runs("wf_none")
            await journal.removed(journal.removals())

    run(begun())
    for change in (*OLDER[version], f"UPDATE journal_owner SET schema_version = {version}"):
        postgres.execute(change, postgres_url)
    run(gone_on())
    run(gone_on())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("UPDATE journal_owner SET schema_version = 99", "schema version 99"),
        ("ALTER ROLE runwell SET synchronous_commit = off", "synchronous_commit"),
    ],
)
def test_what_promises_less_is_refused(postgres: PostgresServer, postgres_url: DatabaseUrl, change: str, complaint: str) -> None:
    async def once() -> None:
        async with opened(journal_at(postgres_url)):
            pass

    run(once())
    postgres.execute(change, postgres_url)
    try:
        for _ in range(2):  # and the first refusal let go of the lock
            with pytest.raises(JournalUnavailable, match=complaint):
                run(journal_at(postgres_url, patience_s=0).open())
    finally:
        postgres.execute("ALTER ROLE runwell RESET synchronous_commit")


def test_a_schema_that_is_missing_is_named(postgres: PostgresServer) -> None:
    with pytest.raises(JournalUnavailable, match="search_path"):
        run(journal_at(postgres.url("no_such_schema")).open())


def test_a_server_that_is_not_there(postgres: PostgresServer) -> None:
    with pytest.raises(JournalUnavailable, match=r"PostgreSQL at postgresql://runwell@127\.0\.0\.1:1/x"):
        run(journal_at(DatabaseUrl("postgresql://runwell:pass@127.0.0.1:1/x")).open())


def test_an_encoding_that_cannot_hold_all_text_is_refused(postgres: PostgresServer) -> None:
    postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(JournalUnavailable, match="UTF8"):
        run(journal_at(postgres.url(database="latin")).open())
