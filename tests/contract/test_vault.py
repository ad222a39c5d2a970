"""Every store of secrets and connections keeps them sealed, apart by project, and bound to their origins."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Table, select, update
from tests.contract.backend import opened
from tests.contract.backends import SqliteBackend
from tests.contract.samples import run

from runwell.model.errors import InvalidInput, NotFound, Outdated, Refused, RunwellError, SealBroken
from runwell.model.scope import Scope
from runwell.model.secret_key import SecretKey
from runwell.ports.vault import ConnectionSettings, Credentials, Names
from runwell.storage.postgres_sql import PostgresSql
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.sealing import KeyRing, Sealer
from runwell.storage.sql import Sql
from runwell.storage.sql_connections import SqlConnections
from runwell.storage.sql_secrets import SqlSecrets
from runwell.storage.sqlite_sql import SqliteSql
from runwell.storage.tables import connection, secret
from runwell.storage.vault_marks import VaultMarks

ONE, TWO, OTHER_PROJECT = Scope("org_1", "prj_1"), Scope("org_2", "prj_2"), Scope("org_1", "prj_3")
KEY, NEXT_KEY = SecretKey(b"k" * 32), SecretKey(b"n" * 32)
A, B = ("https://a.example",), ("https://b.example",)
SETTINGS = ConnectionSettings(base_url="https://a.example/v1", headers={"X-Team": "t"}, origins=A)
CREDENTIALS = Credentials(headers={"Authorization": "Bearer topsecret"})


class VaultContract:
    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Sql]:
        raise NotImplementedError
        yield

    @asynccontextmanager
    async def stores(self, path: Path, *keys: SecretKey) -> AsyncIterator[tuple[Sql, SqlSecrets, SqlConnections]]:
        current, *previous = keys or (KEY,)
        async with self.opened(path) as sql:
            sealer = Sealer(KeyRing(path, current, previous))
            yield sql, SqlSecrets(sql, sealer), SqlConnections(sql, sealer)

    def test_a_secret_is_kept_sealed(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.stores(tmp_path) as (sql, secrets, _):
                made = await secrets.create(ONE, "usr_1", "TOKEN", "topsecret-é\0", A)
                assert (made.name, made.allowed_origins, made.revision, made.created_by) == ("TOKEN", A, 1, "usr_1")
                assert made.id.startswith("sec_")
                assert await secrets.get(ONE, made.id) == made
                assert "topsecret" not in repr(made)
                [row] = await rows(sql, secret)
                assert b"topsecret" not in row.sealed
                opened = await secrets.open(ONE, "TOKEN")
                assert opened is not None
                assert (opened.value, opened.origins) == ("topsecret-é\0", A)
                assert await secrets.open(ONE, "token") is None

        run(main())

    def test_projects_are_apart(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.stores(tmp_path) as (_, secrets, connections):
                made = await secrets.create(ONE, "u", "TOKEN", "topsecret", A)
                linked = await connections.create(ONE, "u", "desk", "http", SETTINGS, CREDENTIALS)
                for scope in (TWO, OTHER_PROJECT, Scope(TWO.org_id, ONE.project_id), Scope(ONE.org_id, TWO.project_id)):
                    assert await secrets.open(scope, "TOKEN") is None
                    assert await connections.open(scope, "desk") is None
                    assert await connections.types(scope) == {}
                    assert await secrets.page(scope, Names()) == []
                    assert await connections.page(scope, Names()) == []
                    calls = [
                        secrets.get(scope, made.id),
                        secrets.change(scope, made.id, {1}, "x", A),
                        secrets.delete(scope, made.id),
                        connections.get(scope, linked.id),
                        connections.change(scope, linked.id, 1, SETTINGS, None),
                        connections.delete(scope, linked.id),
                    ]
                    for call in calls:
                        with pytest.raises(NotFound):
                            await call
                await secrets.create(OTHER_PROJECT, "u", "TOKEN", "other", A)
                opened = await secrets.open(ONE, "TOKEN")
                assert opened is not None
                assert opened.value == "topsecret"

        run(main())

    def test_names_are_taken_once(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.stores(tmp_path) as (_, secrets, connections):
                making = [secrets.create(ONE, "u", "TOKEN", f"topsecret-{n}", A) for n in range(10)]
                came = await asyncio.gather(*making, return_exceptions=True)
                assert sorted(type(one).__name__ for one in came) == ["Refused"] * 9 + ["StoredSecret"]
                await connections.create(ONE, "u", "desk", "http", SETTINGS, CREDENTIALS)
                with pytest.raises(Refused, match="'desk'"):
                    await connections.create(ONE, "u", "desk", "http", SETTINGS, CREDENTIALS)

        run(main())

    def test_a_change_builds_on_the_newest_revision(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.stores(tmp_path) as (_, secrets, connections):
                made = await secrets.create(ONE, "u", "TOKEN", "one", A)
                changed = await secrets.change(ONE, made.id, {1}, "two", None)
                assert (changed.revision, changed.allowed_origins) == (2, A)
                with pytest.raises(Outdated):
                    await secrets.change(ONE, made.id, {1}, "three", None)
                linked = await connections.create(ONE, "u", "desk", "http", SETTINGS, CREDENTIALS)
                await connections.change(ONE, linked.id, 1, SETTINGS, Credentials())
                with pytest.raises(Outdated):
                    await connections.change(ONE, linked.id, 1, SETTINGS, CREDENTIALS)
                opened = await secrets.open(ONE, "TOKEN")
                assert opened is not None
                assert opened.value == "two"
                assert (await connections.get(ONE, linked.id)).has_secret is False

        run(main())

    def test_new_origins_need_the_secret_again(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.stores(tmp_path) as (_, secrets, connections):
                made = await secrets.create(ONE, "u", "TOKEN", "one", A)
                with pytest.raises(InvalidInput, match="need the secret again"):
                    await secrets.change(ONE, made.id, {1}, None, B)
                assert (await secrets.change(ONE, made.id, {1}, "two", B)).allowed_origins == B
                linked = await connections.create(ONE, "u", "desk", "http", SETTINGS, CREDENTIALS)
                wider = msgspec.structs.replace(SETTINGS, origins=(*A, *B))
                with pytest.raises(InvalidInput, match="need the secret again"):
                    await connections.change(ONE, linked.id, 1, wider, None)
                await connections.change(ONE, linked.id, 1, wider, CREDENTIALS)
                opened = await connections.open(ONE, "desk")
                assert opened is not None
                assert (opened.origins, opened.secret_headers) == ((*A, *B), CREDENTIALS.headers)

        run(main())

    @pytest.mark.parametrize(
        "change",
        [{"project_id": "prj_3"}, {"org_id": "org_2", "project_id": "prj_2"}, {"origins": ["https://evil.example"]}, {"origins": [*A, *B]}],
    )
    def test_what_was_moved_in_the_database_does_not_open(self, tmp_path: Path, change: dict[str, Any]) -> None:
        async def main() -> None:
            async with self.stores(tmp_path) as (sql, secrets, connections):
                made = await secrets.create(ONE, "u", "TOKEN", "topsecret", A)
                await connections.create(ONE, "u", "desk", "http", SETTINGS, CREDENTIALS)
                for table in (secret, connection):
                    await altered(sql, table, **change)
                now = Scope(change.get("org_id", "org_1"), change.get("project_id", "prj_1"))
                for opening in (secrets.open(now, "TOKEN"), connections.open(now, "desk")):
                    with pytest.raises(SealBroken, match="moved or changed") as caught:
                        await opening
                    assert "topsecret" not in str(caught.value)
                with pytest.raises(SealBroken):
                    await secrets.change(now, made.id, {1}, None, tuple(change.get("origins", A)))

        run(main())

    def test_a_value_put_into_another_row_does_not_open(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.stores(tmp_path) as (sql, secrets, _):
                await secrets.create(ONE, "u", "MINE", "topsecret", A)
                await secrets.create(TWO, "u", "THEIRS", "other", A)
                sealed = (await rows(sql, secret))[0].sealed
                await altered(sql, secret, sealed=sealed)
                with pytest.raises(SealBroken):
                    await secrets.open(TWO, "THEIRS")

        run(main())

    def test_a_new_key_takes_over_at_the_next_change(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.stores(tmp_path, KEY) as (_, secrets, connections):
                made = await secrets.create(ONE, "u", "TOKEN", "topsecret", A)
                linked = await connections.create(ONE, "u", "desk", "http", SETTINGS, CREDENTIALS)
            async with self.stores(tmp_path, NEXT_KEY, KEY) as (_, secrets, connections):
                assert await secrets.open(ONE, "TOKEN") is not None
                await secrets.change(ONE, made.id, {1}, None, A)
                await connections.change(ONE, linked.id, 1, msgspec.structs.replace(SETTINGS, headers={}), None)
            async with self.stores(tmp_path, NEXT_KEY) as (_, secrets, connections):
                opened, desk = await secrets.open(ONE, "TOKEN"), await connections.open(ONE, "desk")
                assert opened is not None
                assert desk is not None
                assert (opened.value, desk.secret_headers) == ("topsecret", CREDENTIALS.headers)
            async with self.stores(tmp_path, KEY) as (_, secrets, connections):
                for opening in (secrets.open(ONE, "TOKEN"), connections.open(ONE, "desk")):
                    with pytest.raises(SealBroken, match="a key that this server does not have"):
                        await opening

        run(main())

    def test_a_mark_is_another_one_after_any_change(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as sql:
                marks, sealer = VaultMarks(sql), Sealer(KeyRing(tmp_path, KEY))
                secrets, connections = SqlSecrets(marks, sealer), SqlConnections(marks, sealer)
                seen, other = [await marks.of(ONE)], await marks.of(OTHER_PROJECT)

                async def changed() -> bool:
                    seen.append(await marks.of(ONE))
                    return seen[-1] not in seen[:-1] and seen[-1] == await VaultMarks(sql).of(ONE)

                made = await secrets.create(ONE, "u", "TOKEN", "1", A)
                assert await changed()
                linked = await connections.create(ONE, "u", "desk", "http", SETTINGS, CREDENTIALS)
                assert await changed()
                await secrets.change(ONE, made.id, (1,), "2", None)
                assert await changed()
                await connections.change(ONE, linked.id, 1, SETTINGS, None)
                assert await changed()
                await connections.delete(ONE, linked.id)
                await connections.create(ONE, "u", "desk", "http", SETTINGS, CREDENTIALS)
                assert await changed()
                await secrets.delete(ONE, made.id)
                assert await changed()
                assert await marks.of(OTHER_PROJECT) == other
                assert await VaultMarks(sql, "elsewhere").of(ONE) != await marks.of(ONE)

        run(main())

    def test_pages_are_in_the_order_of_names(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.stores(tmp_path) as (_, secrets, connections):
                for name in "cadb":
                    await secrets.create(ONE, "u", name, "v", A)
                    await connections.create(ONE, "u", name, "http", SETTINGS, Credentials())
                for store in (secrets, connections):
                    for names, expected in [
                        (Names(), "abcd"),
                        (Names(limit=2), "ab"),
                        (Names(limit=2, after="b"), "cd"),
                        (Names(limit=2, before="d"), "bc"),
                        (Names(after="d"), ""),
                    ]:
                        assert "".join(one.name for one in await store.page(ONE, names)) == expected
                assert await connections.types(ONE) == dict.fromkeys("abcd", "http")

        run(main())

    def test_what_is_deleted_is_gone(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.stores(tmp_path) as (sql, secrets, connections):
                made = await secrets.create(ONE, "u", "TOKEN", "topsecret", A)
                linked = await connections.create(ONE, "u", "desk", "http", SETTINGS, CREDENTIALS)
                await secrets.delete(ONE, made.id)
                await connections.delete(ONE, linked.id)
                assert await secrets.open(ONE, "TOKEN") is None
                assert await connections.open(ONE, "desk") is None
                assert [*await rows(sql, secret), *await rows(sql, connection)] == []
                for again in (secrets.delete(ONE, made.id), connections.delete(ONE, linked.id)):
                    with pytest.raises(NotFound):
                        await again

        run(main())


async def rows(sql: Sql, table: Table) -> list[Any]:
    return await sql.read(lambda face: list(face.execute(select(table))))


async def altered(sql: Sql, table: Table, **values: Any) -> None:
    """Change all rows behind the store's back."""
    changed = update(table).values(values)
    await sql.write(lambda face: face.execute(changed).rowcount)


class TestSqliteVault(VaultContract):
    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Sql]:
        journal = SqliteBackend(path).make()
        async with opened(journal):
            yield SqliteSql(journal)

    def test_a_failed_commit_keeps_nothing(self, tmp_path: Path) -> None:
        async def main() -> None:
            backend = SqliteBackend(tmp_path)
            journal = backend.make()
            async with opened(journal):
                secrets = SqlSecrets(SqliteSql(journal), Sealer(KeyRing(tmp_path, KEY)))
                await secrets.page(ONE, Names())
                backend.fail_next(journal)
                with pytest.raises(RunwellError) as caught:
                    await secrets.create(ONE, "u", "TOKEN", "topsecret", A)
                assert "topsecret" not in repr(caught.value.__cause__)
                assert await secrets.open(ONE, "TOKEN") is None

        run(main())


class TestPostgresVault(VaultContract):
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
