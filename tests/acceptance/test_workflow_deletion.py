"""Deleting a workflow over HTTP removes it with everything that is kept of it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.acceptance.workflow_api import ASK, ECHO, Api, served
from tests.clickhouse_server import USER, ClickHouseServer
from tests.contract.samples import run

from runwell.bootstrap import open_app
from runwell.model.errors import RunStoreUnavailable
from runwell.model.principal import LOCAL
from runwell.model.run import RunRow
from runwell.model.statuses import TERMINAL
from runwell.ports.run_store import RunsAsked
from runwell.runstore.store import open_run_store
from runwell.runstore.url import RunStoreUrl
from runwell.settings import Settings
from runwell.storage import sqlite_deletion
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.testing import MemoryRunStore

CANARY = "canary-3b9d51"
FOREIGN = "other-8aa1c2"


def ask(name: str, canary: str) -> dict[str, Any]:
    return {"name": name, "description": canary, "steps": [{"id": "say", "type": "transform", "value": "{{ input }}"}, *ASK["steps"]]}


async def start(api: Api, slug: str, text: str) -> str:
    return str((await api.command(slug, "start", input=text, tags=[text[:20]], metadata={"k": text[:20]}))["run_id"])


def files_with(path: Path, text: str) -> list[str]:
    """Return the files below a directory that hold the text. Only for one that nobody in this process has open."""
    return [str(file) for file in path.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


async def until(api: Api, reached: Callable[[list[RunRow]], bool]) -> None:
    for _ in range(5_000):
        if reached(await api.app.journal.rows()):
            return
        await asyncio.sleep(0.001)
    raise AssertionError("the runs did not come")


def test_nothing_is_left_of_a_deleted_workflow(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ask("Gone", CANARY))
            await api.published(ask("Stays", FOREIGN))
            await api("PUT", "/v1/workflows/gone", {"document": {"name": CANARY, "steps": CANARY * 50}}, headers={"If-Match": "*"})
            for _ in range(5):
                await start(api, "gone", CANARY)
                await start(api, "gone", CANARY * 9_000)
                kept = await start(api, "stays", FOREIGN)
        assert files_with(tmp_path, CANARY)
        async with served(tmp_path) as api:
            refused = await api("DELETE", "/v1/workflows/gone", status=409)
            assert (refused["code"], "10 runs that have not ended" in refused["detail"]) == ("CONFLICT", True)
            await api.command("gone", "start", input=CANARY)
            await api("DELETE", "/v1/workflows/gone?stop=true", status=204)
            await api("GET", "/v1/workflows/gone", status=404)
            await api("DELETE", "/v1/workflows/gone", status=404)
            await api("GET", "/v1/workflows/gone/versions/1", status=404)
            assert {row.workflow_slug for row in await api.app.journal.rows()} == {"stays"}
            assert len(await api.app.journal.pending_tasks()) == 5
            assert (await api("GET", f"/v1/runs/{kept}"))["input"] == FOREIGN
            assert files_with(tmp_path, CANARY) == []  # while the server goes on
        assert files_with(tmp_path, CANARY) == []
        assert files_with(tmp_path, FOREIGN)

    run(main())


def test_a_document_that_another_workflow_has_stays(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ECHO)
            await api.published(ECHO, slug="twin")
            await api("DELETE", "/v1/workflows/echo", status=204)
            assert (await api("GET", "/v1/workflows/twin/versions/1"))["document"] == ECHO
            await api.command("twin", "start")
            await api.published(ECHO)  # the slug is free again
            await api("DELETE", "/v1/workflows/twin?stop=true", status=204)
            assert (await api("GET", "/v1/workflows/echo/versions/1"))["document"] == ECHO

    run(main())


def test_starts_while_a_workflow_is_deleted_leave_no_run(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ask("Gone", "x"))
            body = {"command": "start", "params": {"input": "x"}}

            async def starts() -> list[int]:
                return [(await api.raw("POST", "/v1/workflows/gone/command", body)).status_code for _ in range(25)]

            starting = [asyncio.ensure_future(starts()) for _ in range(4)]
            await until(api, lambda rows: len(rows) >= 10)
            await api("DELETE", "/v1/workflows/gone?stop=true", status=204)
            statuses = [status for done in await asyncio.gather(*starting) for status in done]
            assert set(statuses) <= {202, 404, 409}
            assert statuses.count(202) >= 10
            assert await api.app.journal.rows() == []
            assert await api.app.journal.tail(0) == []
            assert await api.app.journal.live() == []

    run(main())


def test_deleting_a_child_ends_the_parents_step(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ask("Child", "x"))
            parent = {"name": "Parent", "steps": [{"id": "child", "type": "workflow", "workflow": "child"}]}
            await api.published(parent)
            started = (await api.command("parent", "start"))["run_id"]
            await until(api, lambda rows: any(row.workflow_slug == "child" for row in rows))
            await api("DELETE", "/v1/workflows/child?stop=true", status=204)
            async with asyncio.timeout(20):
                await api.app.runtime.ended(started)
            assert (await api("GET", f"/v1/runs/{started}"))["error"]["code"] == "CHILD_RUN_FAILED"

    run(main())


def test_its_runs_are_gone_from_the_run_store_wherever_they_were(tmp_path: Path) -> None:
    async def main() -> None:
        store = MemoryRunStore()
        async with served(tmp_path, store) as api:
            projector = api.app.projector
            assert projector is not None
            await api.published(ECHO)
            await api.published(ECHO | {"name": "Stays"})
            written = await start(api, "echo", CANARY)
            await projector.complete()
            assert written in store.kept
            await start(api, "echo", CANARY)
            stays = await start(api, "stays", FOREIGN)
            await projector.catch_up()
            assert len(projector.overlay()) == 2
            await api("DELETE", "/v1/workflows/echo", status=204)
            await projector.complete()
            assert list(store.kept) == [stays]
        async with served(tmp_path, store) as api:
            assert api.app.projector is not None
            await api.app.projector.rebuild()
            assert list(store.kept) == [stays]

    run(main())


def test_a_deletion_goes_on_by_itself_when_the_run_store_is_back(tmp_path: Path) -> None:
    async def main() -> None:
        server = ClickHouseServer(tmp_path / "server")
        store = open_run_store(tmp_path, RunStoreUrl(f"http://{USER}:p%C3%A4ss%3A%2Fword@{server.address}"))
        async with served(tmp_path, store) as api:
            assert api.app.projector is not None
            await api.published(ECHO)
            await api.published(ECHO | {"name": "Stays"})
            for _ in range(3):
                await start(api, "echo", CANARY)
            stays = await start(api, "stays", FOREIGN)
            await api.app.projector.complete()
            api.app.projector.start()
            server.is_away = True
            await api("DELETE", "/v1/workflows/echo", status=202)
            await api("GET", "/v1/workflows/echo", status=404)
            refused = await api("GET", "/v1/runs", status=503)
            assert (refused["code"], refused["detail"]) == (
                "RUN_STORE_UNAVAILABLE",
                "there are no lists of runs just now: the run store does not answer",
            )
            assert refused["hint"].startswith("start its server, or check RUNWELL_RUNSTORE_URL; ")
            server.is_away = False
            everything = RunsAsked(scope=LOCAL.scope)
            async with asyncio.timeout(60):
                while api.app.journal.removals():
                    with suppress(RunStoreUnavailable):
                        await store.counts(everything)  # it is open again
                        shown = await api("GET", "/v1/runs?count=true")
                        assert ([run["id"] for run in shown["data"]], shown["count"]) == ([stays], 1)
                    await asyncio.sleep(0.05)
            assert (await store.counts(everything)).count == 1
        server.close()

    run(main())


def test_a_deletion_that_the_run_store_cut_off_is_ended_by_the_next_process(tmp_path: Path) -> None:
    async def main() -> None:
        store = MemoryRunStore()
        async with served(tmp_path, store) as api:
            await api.published(ECHO)
            await start(api, "echo", CANARY)
            assert api.app.projector is not None
            await api.app.projector.complete()
            store.fail = "away"
            await api("DELETE", "/v1/workflows/echo", status=202)
        store.fail = None
        assert len(store.kept) == 1
        async with served(tmp_path, store) as api:
            assert api.app.projector is not None
            fields = await api("GET", "/v1/runs/fields")
            assert CANARY not in str(fields)
            for path in ("/v1/runs?count=true", "/v1/analytics/runs-count"):
                assert CANARY not in str(await api("GET", path))
            assert (await api("GET", "/v1/runs?count=true"))["count"] == 0
            api.app.projector.start()
            async with asyncio.timeout(10):
                while store.kept:  # noqa: ASYNC110 - nothing tells its end
                    await asyncio.sleep(0.01)
            made = await api.published(ECHO)  # the name is free
            await start(api, made["slug"], FOREIGN)

    run(main())


def test_without_a_run_store_a_deletion_that_was_cut_off_is_ended_at_the_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            made = await api.published(ECHO)
            await start(api, "echo", CANARY)
            await until(api, lambda rows: all(row.status in TERMINAL for row in rows))
            assert isinstance(api.app.journal, SqliteJournal)
            await api.app.journal.transact(lambda connection: sqlite_deletion.begin(connection, made["id"]))  # as far as a kill let it come
        async with open_app(Settings(data_dir=tmp_path / "data", runstore_url="none")) as app:
            assert await app.journal.rows() == []
            assert await app.definitions.workflow_id_of(LOCAL.scope, "echo") is None

    run(main())
