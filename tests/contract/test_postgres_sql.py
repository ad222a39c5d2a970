"""What only the relational seam on PostgreSQL promises, and that the tables are the same however they came."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.util import await_only
from tests.contract.backend import opened
from tests.contract.backends import SqliteBackend
from tests.contract.samples import run
from tests.postgres import PostgresServer

from runwell.model.errors import InvalidInput, JournalUnavailable
from runwell.storage import postgres_sql
from runwell.storage.postgres_sql import PostgresSql
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.sql import Sql, migrate
from runwell.storage.sqlite_sql import SqliteSql
from runwell.storage.tables import HEAD, metadata, organization
from runwell.storage.upgrade import upgrade

JOURNAL = {"meta", "run", "event", "appended", "task", "step_result", "payload", "removal"}
"""The journal's tables, which SQLite keeps in the same file."""


@asynccontextmanager
async def postgres_sql_at(url: DatabaseUrl) -> AsyncIterator[PostgresSql]:
    sql = PostgresSql(url)
    try:
        yield sql
    finally:
        await sql.close()


@asynccontextmanager
async def sqlite_sql_at(path: Path) -> AsyncIterator[SqliteSql]:
    async with opened(SqliteBackend(path).make()) as journal:
        yield SqliteSql(journal)


def drop_all(connection: Connection) -> None:
    metadata.drop_all(connection)
    connection.execute(text("DROP TABLE alembic_version"))


def differences(connection: Connection) -> list[Any]:
    def ours(name: str | None, kind: str, parents: object) -> bool:
        return kind != "table" or name not in JOURNAL

    return list(compare_metadata(MigrationContext.configure(connection, opts={"include_name": ours}), metadata))


def version(connection: Connection) -> str:
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def add_organization(name: str, org_id: str = "org_1") -> Callable[[Connection], None]:
    return lambda connection: void(connection.execute(insert(organization).values(org_id=org_id, name=name, created_at=1)))


def void(_: object) -> None:
    return


def names(connection: Connection) -> list[str]:
    return list(connection.execute(select(organization.c.name).order_by(organization.c.org_id)).scalars())


# The tables


async def every_way(sql: Sql) -> None:
    assert await sql.write(differences) == []  # made at once, by the first use
    await sql.write(drop_all)
    await sql.write(upgrade)
    assert await sql.write(differences) == []  # step by step
    assert await sql.write(version) == HEAD
    await sql.write(drop_all)
    await sql.write(migrate)
    assert await sql.write(differences) == []
    assert await sql.write(version) == HEAD
    await sql.write(migrate)  # again: nothing to do
    await sql.write(lambda connection: void(connection.execute(text("ALTER TABLE project ADD COLUMN more TEXT"))))
    assert await sql.write(differences) != []  # the comparison sees a difference when there is one


def test_migrations_lead_to_the_tables_in_sqlite(tmp_path: Path) -> None:
    async def main() -> None:
        async with sqlite_sql_at(tmp_path) as sql:
            await every_way(sql)

    run(main())


def test_migrations_lead_to_the_tables_in_postgres(postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with postgres_sql_at(postgres_url) as sql:
            await every_way(sql)

    run(main())


def test_many_processes_make_the_tables_once(postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with postgres_sql_at(postgres_url) as one, postgres_sql_at(postgres_url) as two, postgres_sql_at(postgres_url) as three:
            found = await asyncio.gather(*(sql.read(names) for sql in (one, two, three, one)))
            assert found == [[], [], [], []]

    run(main())


def test_tables_of_a_newer_runwell_are_refused(postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with postgres_sql_at(postgres_url) as sql:
            await sql.write(lambda connection: void(connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))))
        async with postgres_sql_at(postgres_url) as sql:
            for _ in range(2):
                with pytest.raises(JournalUnavailable, match="9999"):
                    await sql.read(names)

    run(main())


# Transactions


def test_work_that_raises_changes_nothing(postgres_url: DatabaseUrl) -> None:
    def half(connection: Connection) -> None:
        add_organization("one")(connection)
        raise KeyError("half way")

    async def main() -> None:
        async with postgres_sql_at(postgres_url) as sql:
            with pytest.raises(KeyError):
                await sql.write(half)
            assert await sql.read(names) == []
            with pytest.raises(JournalUnavailable, match="read-only"):
                await sql.read(add_organization("one"))

    run(main())


def test_a_read_sees_one_moment(postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with postgres_sql_at(postgres_url) as sql:

            def twice(connection: Connection) -> list[list[str]]:
                before = names(connection)
                await_only(sql.write(add_organization("one")))
                return [before, names(connection)]

            assert await sql.read(twice) == [[], []]
            assert await sql.read(names) == ["one"]

    run(main())


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_work_given_up_for_anothers_sake_is_done_again(postgres_url: DatabaseUrl, state: str) -> None:
    tries = 0

    def work(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        add_organization("one")(connection)
        if tries < 3:
            connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'given up' USING ERRCODE = '{state}'; END $$"))

    async def main() -> None:
        async with postgres_sql_at(postgres_url) as sql:
            await sql.write(work)
            assert await sql.read(names) == ["one"]
        assert tries == 3

    run(main())


def test_work_is_not_tried_for_ever(postgres_url: DatabaseUrl) -> None:
    tries = 0

    def work(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'given up' USING ERRCODE = '40001'; END $$"))

    async def main() -> None:
        async with postgres_sql_at(postgres_url) as sql:
            with pytest.raises(JournalUnavailable, match="given up"):
                await sql.write(work)
        assert tries == postgres_sql.TRIES

    run(main())


# Failure


def test_text_that_postgres_cannot_hold_is_the_givers_fault(postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with postgres_sql_at(postgres_url) as sql:
            with pytest.raises(InvalidInput, match="NUL"):
                await sql.write(add_organization("a\x00b"))

    run(main())


def test_a_server_that_is_away_and_comes_back(postgres: PostgresServer, postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with postgres_sql_at(postgres_url) as sql:
            await sql.write(add_organization("one"))
            postgres.stop()
            try:
                for attempt in (sql.read(names), sql.write(add_organization("two", "org_2"))):
                    with pytest.raises(JournalUnavailable, match="PostgreSQL at") as caught:
                        await attempt
                    assert "pass" not in str(caught.value)
            finally:
                postgres.start()
            await sql.write(add_organization("two", "org_2"))
            assert await sql.read(names) == ["one", "two"]

    run(main())


def test_tables_that_could_not_be_made_are_made_later(postgres: PostgresServer, postgres_url: DatabaseUrl) -> None:
    async def main() -> None:
        async with postgres_sql_at(postgres_url) as sql:
            postgres.stop()
            try:
                with pytest.raises(JournalUnavailable):
                    await sql.read(names)
            finally:
                postgres.start()
            assert await sql.read(names) == []

    run(main())


def test_a_wrong_password_is_not_told(postgres: PostgresServer) -> None:
    async def main() -> None:
        async with postgres_sql_at(DatabaseUrl(postgres.url().secret.replace("s3cret", "wr0ng"))) as sql:
            with pytest.raises(JournalUnavailable, match="authentication failed") as caught:
                await sql.read(names)
            assert "wr0ng" not in str(caught.value)

    run(main())


def test_it_can_be_closed_and_used_again(postgres_url: DatabaseUrl) -> None:
    sql = PostgresSql(postgres_url)

    async def once(expected: list[str]) -> None:
        assert await sql.read(names) == expected
        if not expected:
            await sql.write(add_organization("one"))
        await sql.close()
        await sql.close()

    run(once([]))
    run(once(["one"]))
