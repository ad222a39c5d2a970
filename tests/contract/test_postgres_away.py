"""A PostgreSQL server that goes away under an open journal, and one that another process took meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from tests.contract.backend import opened, refused
from tests.contract.postgres_journals import ENDED, journal_at, put
from tests.contract.samples import logs, new_run, row, run, seqs
from tests.postgres import PostgresServer, query

from runwell.model.errors import JournalUnavailable, PositionConflict
from runwell.ports.journal import Journal
from runwell.storage.postgres_journal import PostgresJournal
from runwell.storage.postgres_owner import Owner
from runwell.storage.postgres_url import DatabaseUrl

KILL_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"


def owner_of(journal: PostgresJournal) -> Owner:
    assert journal._owner is not None
    return journal._owner


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the journal tells nobody
            await asyncio.sleep(0.01)


async def until_back(journal: Journal, run_id: str, expected: int) -> None:
    """Append as soon as the journal takes appends again."""
    async with asyncio.timeout(20):
        while True:
            try:
                await put(journal, run_id, expected)
                return
            except JournalUnavailable:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def restarted(server: PostgresServer, *, at_once: bool) -> AsyncIterator[None]:
    """Be without the server."""
    await asyncio.to_thread(server.stop, at_once=at_once)
    try:
        yield
    finally:
        server.start()  # on this thread: the server would end with another one


@pytest.mark.parametrize("at_once", [False, True], ids=["restart", "crash"])
def test_a_server_that_comes_back_is_taken_again(postgres: PostgresServer, postgres_url: DatabaseUrl, at_once: bool) -> None:
    async def main() -> None:
        async with opened(journal_at(postgres_url)) as journal:
            live, ended, new = new_run(), new_run(), new_run()
            await put(journal, live, 0)
            await put(journal, ended, 0, ENDED)
            async with restarted(postgres, at_once=at_once):
                with pytest.raises(JournalUnavailable, match="lost"):
                    await put(journal, live, 1)
                with pytest.raises(JournalUnavailable):
                    await journal.read(live)
            await until_back(journal, live, 1)
            await refused(journal, PositionConflict, 5, logs(ended, 6, 1), row(ended, 6, ENDED))
            await put(journal, new, 0)
            assert seqs(await journal.read(live)) == [1, 2]
            kept = await journal.tail(0)
            assert [one.event.run_id for one in kept] == [live, ended, live, new]

    run(main())


def test_an_append_under_way_when_the_connection_breaks_fails_whole(postgres_url: DatabaseUrl) -> None:
    breaks = True

    def probe(point: str) -> None:
        nonlocal breaks
        if point == "journal.before_commit" and breaks:
            breaks = False
            owner_of(journal).connection.terminate()
            raise asyncpg.ConnectionDoesNotExistError("gone")

    journal = journal_at(postgres_url, probe)

    async def main() -> None:
        async with opened(journal):
            run_id, other = new_run(), new_run()
            first = journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
            await asyncio.sleep(0)  # handed over
            behind = journal.append(0, logs(other, 1, 1), row(other, 1))
            for outcome in await asyncio.gather(first, behind, return_exceptions=True):
                assert isinstance(outcome, JournalUnavailable)
            await until_back(journal, run_id, 0)
            assert await journal.row(other) is None

    run(main())


def break_commits(connection: Any, *, kept: bool) -> None:
    """Let the connection break in the next commit, after the server has done it or before."""
    ask = connection.fetchval

    async def fetchval(sql: str, *values: object) -> object:
        if kept:
            await ask(sql, *values)
        connection.terminate()
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    connection.fetchval = fetchval


@pytest.mark.parametrize("kept", [True, False])
def test_a_commit_whose_answer_is_lost_is_asked_for(postgres_url: DatabaseUrl, kept: bool) -> None:
    async def main() -> None:
        journal = journal_at(postgres_url)
        async with opened(journal):
            run_id, other = new_run(), new_run()
            break_commits(owner_of(journal).connection, kept=kept)
            first = journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
            await asyncio.sleep(0)  # handed over
            behind = journal.append(0, logs(other, 1, 1), row(other, 1))
            outcomes = await asyncio.gather(first, behind, return_exceptions=True)
            if kept:
                assert list(outcomes) == [1, 2]
            else:
                assert [type(outcome) for outcome in outcomes] == [JournalUnavailable] * 2
                await until_back(journal, run_id, 0)
            assert seqs(await journal.read(run_id)) == [1]

    run(main())


def test_closing_does_not_wait_for_a_lost_server_for_ever(
    postgres: PostgresServer, postgres_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runwell.storage.postgres_owner.OUTCOME_S", 0.1)

    async def main() -> None:
        journal = journal_at(postgres_url)
        await journal.open()
        connection = owner_of(journal).connection

        async def fetchval(sql: str, *values: object) -> object:
            await asyncio.to_thread(postgres.stop, at_once=True)
            raise asyncpg.ConnectionDoesNotExistError("gone")

        connection.fetchval = fetchval
        run_id = new_run()
        future = journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
        await asyncio.wait_for(journal.close(), 10)
        with pytest.raises(JournalUnavailable, match="not known"):
            await future

    try:
        run(main())
    finally:
        postgres.start()


def test_who_lost_the_journal_to_another_keeps_nothing_any_more(postgres_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with opened(journal_at(postgres_url)) as journal:
            run_id = new_run()
            await put(journal, run_id, 0)
            owner, taken = owner_of(journal), asyncio.Event()
            regain = owner._try

            async def too_late() -> bool:
                await taken.wait()
                return await regain()

            monkeypatch.setattr(owner, "_try", too_late)
            owner.connection.terminate()
            other = journal_at(postgres_url)
            await other.open()
            await put(other, run_id, 1)
            taken.set()
            await until(lambda: owner.is_over)
            await other.close()
            with pytest.raises(JournalUnavailable, match="taken over"):
                await put(journal, run_id, 1)
            with pytest.raises(JournalUnavailable, match="taken over"):
                await journal.row(run_id)

    run(main())


def test_a_commit_asks_whether_the_journal_is_still_ours(postgres_url: DatabaseUrl) -> None:
    """As behind a pooler that gives two processes the same session: the lock does not keep them apart."""

    async def main() -> None:
        async with opened(journal_at(postgres_url)) as journal:
            run_id = new_run()
            await put(journal, run_id, 0)
            await query(postgres_url, "UPDATE journal_owner SET epoch = epoch + 1")
            with pytest.raises(JournalUnavailable, match="taken over"):
                await put(journal, run_id, 1)
            assert await query(postgres_url, "SELECT count(*) FROM event") == [(1,)]

    run(main())


def test_a_server_that_lost_commits_is_believed(postgres: PostgresServer, postgres_url: DatabaseUrl) -> None:
    """After a failover to a copy that lags: what this process remembers is not so any more."""

    async def main() -> None:
        async with opened(journal_at(postgres_url)) as journal:
            run_id = new_run()
            await journal.append(0, logs(run_id, 1, 3), row(run_id, 3))
            await query(postgres_url, "WITH e AS (DELETE FROM event WHERE seq > 1) UPDATE run SET seq = 1")
            await query(postgres_url, KILL_OTHERS)
            async with asyncio.timeout(20):
                error: Exception | None = None
                while not isinstance(error, PositionConflict):
                    error = await error_of(put(journal, run_id, 3))
                    await asyncio.sleep(0.01)
            await put(journal, run_id, 1)
            assert seqs(await journal.read(run_id)) == [1, 2]

    run(main())


async def error_of(appending: Awaitable[int]) -> Exception | None:
    try:
        await appending
    except (JournalUnavailable, PositionConflict) as exc:
        return exc
    return None
