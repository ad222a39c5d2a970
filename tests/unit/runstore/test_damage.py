"""A run store that is damaged, away, busy or too small: runs go on, and it is built anew or found again."""

import asyncio
import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver import exceptions
from tests.clickhouse_server import PASSWORD, USER, ClickHouseServer
from tests.contract.run_samples import OURS, full, record
from tests.contract.run_store_contract import opening

from runwell.model.errors import RunStoreUnavailable, SearchTooLarge
from runwell.model.ids import new_id
from runwell.ports.run_store import RunsAsked, RunStore
from runwell.runstore import client
from runwell.runstore.bounds import Bounds
from runwell.runstore.failures import translated
from runwell.runstore.store import open_run_store
from runwell.runstore.url import RunStoreUrl

ALL = RunsAsked(scope=OURS)


def run(main: Any) -> None:
    asyncio.run(main)


async def count(store: RunStore) -> int:
    return (await store.counts(ALL)).count


def files(directory: Path, name: str) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and path.match(name)]


def _cut(directory: Path) -> None:
    for path in files(directory, "data.bin"):
        os.truncate(path, path.stat().st_size // 2)


def _no_schema(directory: Path) -> None:
    for path in files(directory, "*.sql"):
        path.write_bytes(os.urandom(64))


def _no_rows(directory: Path) -> None:
    shutil.rmtree(next(path for path in (directory / "store").glob("*/*") if any(path.glob("2*"))))


def _nothing(directory: Path) -> None:
    shutil.rmtree(directory)


def _a_file(directory: Path) -> None:
    shutil.rmtree(directory)
    directory.write_text("not a directory")


@pytest.mark.parametrize("damage", [_cut, _no_schema, _no_rows, _nothing, _a_file])
def test_a_damaged_directory_is_built_anew_from_the_start(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    async def main() -> None:
        async with opening(open_run_store(tmp_path / "runs")) as store:
            await store.keep([record(at) for at in range(5)], 9)
        damage(tmp_path / "runs")
        again = open_run_store(tmp_path / "runs")
        async with opening(again):
            assert again.trouble() is None
            assert await again.position() == 0
            assert await count(again) == 0
            await again.keep([record()], 9)
        async with opening(open_run_store(tmp_path / "runs")) as store:
            assert await store.position() == 9

    run(main())


def test_a_directory_deleted_under_way_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE_S", 0.0)

    async def main() -> None:
        store = open_run_store(tmp_path / "runs")
        async with opening(store):
            await store.keep([record()], 1)
            shutil.rmtree(tmp_path / "runs")
            with pytest.raises(RunStoreUnavailable):
                await store.page(ALL, 10)
            assert store.trouble() is not None
            assert await count(store) == 0
            with pytest.raises(RunStoreUnavailable, match="built anew"):
                await store.keep([record()], 2)  # the first run would be missing for ever
            assert await store.position() == 0
            await store.keep([record(), record()], 2)
            assert (store.trouble(), await count(store), await store.position()) == (None, 2, 2)

    run(main())


def test_after_a_directory_was_deleted_under_way_the_next_process_begins_anew(tmp_path: Path) -> None:
    async def main() -> None:
        async with opening(open_run_store(tmp_path / "runs")) as store:
            await store.keep([record()], 1)
            shutil.rmtree(tmp_path / "runs")
            with pytest.raises(RunStoreUnavailable):
                await store.page(ALL, 10)
            assert store.trouble() is not None
        async with opening(open_run_store(tmp_path / "runs")) as store:
            assert (store.trouble(), await store.position()) == (None, 0)
            await store.keep([record()], 1)
            assert (await count(store), await store.position()) == (1, 1)

    run(main())


CODES = (36, 40, 47, 60, 62, 81, 158, 160, 192, 241, 243, 252, 497, 516, 999, None)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", ["OperationalError", "DatabaseError", "ProgrammingError"])
def test_what_the_driver_says_is_for_the_log_only(code: int | None, kind: str) -> None:
    raw = f"Code: {code}. DB::Exception: secret_table /home/ann/data/runstore: SELECT canary FROM runs (UNKNOWN) (version 26.9.1)"
    told = translated(getattr(exceptions, kind)(raw, code=code), is_search=False)
    assert isinstance(told, RunStoreUnavailable)
    shown = f"{told.message} {told.hint}"
    assert not re.search(r"secret|/home|canary|DB::|Code|version|SELECT", shown)
    assert told.hint


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.ENOTDIR])
def test_paths_are_for_the_log_only(number: int) -> None:
    told = translated(OSError(number, os.strerror(number), "/home/ann/data/runstore"), is_search=True)
    assert "/home" not in str(told)
    assert str(told) != str(translated(ImportError("/home/lib.so"), is_search=True))


@contextmanager
def owned_by_another_process(directory: Path) -> Iterator[None]:
    script = "import sys, chdb; owner = chdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    arguments = [sys.executable, "-c", script, str(directory)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        yield
        other.communicate()


def test_a_sound_directory_that_another_process_owns_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with opening(open_run_store(tmp_path / "runs")) as store:
            await store.keep([record()], 3)
        with owned_by_another_process(tmp_path / "runs"):
            busy = open_run_store(tmp_path / "runs")
            async with opening(busy):
                assert "another process" in (busy.trouble() or "")
                with pytest.raises(RunStoreUnavailable):
                    await busy.page(ALL, 1)
        async with opening(open_run_store(tmp_path / "runs")) as store:
            assert await store.position() == 3

    run(main())


def test_a_server_that_is_away_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE_S", 0.0)

    async def main() -> None:
        server = ClickHouseServer(tmp_path / "server")
        store = open_run_store(tmp_path, RunStoreUrl(f"http://{USER}:p%C3%A4ss%3A%2Fword@{server.address}"))
        server.is_away = True
        await store.open()
        assert store.trouble()
        with pytest.raises(RunStoreUnavailable) as refused:
            await store.keep([record()], 1)
        assert PASSWORD not in str(refused.value)
        server.is_away = False
        await store.keep([record()], 1)
        assert store.trouble() is None
        server.is_away = True
        with pytest.raises(RunStoreUnavailable):
            await store.page(ALL, 1)
        server.is_away = False
        assert await count(store) == 1
        await store.close()
        server.close()

    run(main())


def test_a_wrong_password_is_trouble(tmp_path: Path) -> None:
    async def main() -> None:
        server = ClickHouseServer(tmp_path / "server")
        store = open_run_store(tmp_path, RunStoreUrl(f"clickhouse://{USER}:wrong@{server.address}"))
        await store.open()
        assert "does not let Runwell in" in (store.trouble() or "")
        with pytest.raises(RunStoreUnavailable) as refused:
            await store.counts(ALL)  # in the pause after the first try: in the same words
        assert "RUNWELL_RUNSTORE_URL" in (refused.value.hint or "")
        assert "no such user" not in str(refused.value)
        await store.close()
        server.close()

    run(main())


@pytest.mark.parametrize("bound", [("max_memory_usage", 20_000), ("max_execution_time", 0.000001)])
def test_a_search_over_its_bounds_ends_and_leaves_the_store_well(tmp_path: Path, bound: tuple[str, Any]) -> None:
    async def main() -> None:
        store = open_run_store(tmp_path / "runs", bounds=Bounds(connections=1))
        async with opening(store):
            await store.keep([full(at=at) for at in range(500)], 1)
            await store._connections.run(lambda client: client.set_client_setting("max_untracked_memory", 0))
            await store._connections.run(lambda client: client.set_client_setting(*bound))
            searches: list[Callable[[], Awaitable[object]]] = [
                lambda: store.counts(ALL),
                lambda: store.page(ALL, 10),
                lambda: anext(store.records(ALL)),
                lambda: store.fields(ALL, 0),
            ]
            for search in searches:
                with pytest.raises(SearchTooLarge) as refused:
                    await search()
                assert refused.value.hint
            assert store.trouble() is None
            await store._connections.run(lambda client: client.set_client_setting(bound[0], 0))
            assert await count(store) == 500

    run(main())


def test_what_changes_data_has_no_such_bounds(tmp_path: Path) -> None:
    async def main() -> None:
        store = open_run_store(tmp_path / "runs", bounds=Bounds(connections=1))
        async with opening(store):
            await store._connections.run(lambda client: client.set_client_setting("max_execution_time", 0.000001))
            await store.keep([full(at=at) for at in range(50)], 0)

    run(main())


def test_a_removed_workflow_is_in_no_file(tmp_path: Path) -> None:
    canary = "zqxcanaryxqz"
    gone, stays = new_id("wf"), new_id("wf")

    def holding(text: str) -> list[Path]:
        return [path for path in files(tmp_path, "*") if text.encode() in path.read_bytes()]

    async def main() -> None:
        async with opening(open_run_store(tmp_path / "runs")) as store:
            for position in range(4):
                marked = dict.fromkeys(("workflow_slug", "failed_step", "trigger", "version_hash", "error_message"), canary)
                texts = {"input": {canary: f"a {canary}."}, "output": canary, "tags": (canary,), "metadata": {canary: canary}}
                await store.keep([full(at=at, workflow_id=gone, **marked, **texts) for at in range(3)], position)
                await store.keep([full(at=at, workflow_id=stays) for at in range(3)], position)
            hidden = full(workflow_id=gone, output=canary)
            await store.keep([hidden], 9)
            await store.remove_runs([hidden.run_id])
            assert holding(gone)
            shutil.copytree(tmp_path / "runs", tmp_path / "runs.broken-20260101T000000")
            await store.remove_workflow(gone)
            assert holding(canary) == holding(gone) == []
            assert await count(store) == 12
        assert holding(canary) == holding(gone) == []
        assert holding(stays)

    run(main())
