"""A disk that fills while runs go on: whoever looks is told, nothing that was kept is lost, and room cures it."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.acceptance.command_line import CommandLine
from tests.acceptance.steered_journal import SteeredJournal
from tests.acceptance.workbench import Workbench, document, run_async, sound, work
from tests.acceptance.workflow_api import ECHO, served

from runwell.ports.keeping import QUIET_MS, Keeping, Trouble
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.testing import memory_app

LOOP = """
name: fill
steps:
  - id: loop
    type: while
    max_iterations: 60
    condition: "true"
    steps:
      - {id: pause, type: delay, for_s: 0.02}
      - {id: big, type: transform, depends_on: [pause], value: "{{ input.text }}{{ string(loop.iteration) }}"}
"""
SAID = "the journal could not keep the events: "


def test_listeners_are_told_once_that_nothing_is_kept_and_once_that_it_is() -> None:
    async def main() -> None:
        bench = Workbench()
        journal = SteeredJournal()
        heard: list[Trouble | None] = []
        async with memory_app([bench.type], journal=journal) as app:
            keeping = app.runtime.feed.keeping
            unlisten = keeping.listen(heard.append)
            run_id = await app.start(document(work("a"), {"id": "nap", "type": "delay", "for_s": 5, "depends_on": ["a"]}))
            journal.fail_next(3)
            run = await app.run_to_end(run_id)
            assert run.status == "succeeded"
            [trouble, over] = heard
            assert trouble is not None
            assert SAID in trouble.error.message
            assert (over, keeping.trouble(app.clock.now())) == (None, None)
            unlisten()
            await sound(app, run_id)

    run_async(main())


def test_who_listens_late_is_told_of_trouble_that_lasts_and_of_none_that_nobody_has_seen_since() -> None:
    keeping = Keeping()
    keeping.failed(OSError("no trouble of the journal"), 0)
    assert keeping.trouble(0) is None
    journal = SteeredJournal()

    async def main() -> None:
        async with memory_app(journal=journal) as app:
            journal.fail_next()
            with pytest.raises(Exception, match=SAID):
                await app.start(ECHO)
            heard: list[Trouble | None] = []
            app.runtime.feed.keeping.listen(heard.append)
            now = app.clock.now()
            assert len(heard) == 1
            assert app.runtime.feed.keeping.trouble(now) is heard[0]
            assert app.runtime.feed.keeping.trouble(now + QUIET_MS) is None

    run_async(main())


def test_a_server_is_not_ready_while_nothing_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            workflow = (await api.published(ECHO))["id"]
            assert isinstance(api.app.journal, SqliteJournal)
            for pages, expected in ((1, 503), (2**30, 200)):
                limit = f"PRAGMA max_page_count = {pages}"
                await api.app.journal.transact(lambda connection, limit=limit: connection.execute(limit).fetchall())  # type: ignore[misc]
                given = {"text": "x" * 60_000}
                await api.command(workflow, "start", status=503 if expected == 503 else 202, input=given)
                answer = await api("GET", "/readyz", status=expected)
                assert "full" not in json.dumps(answer)

    asyncio.run(main())


def test_a_person_is_told_and_the_run_is_left_to_be_resumed(cli: CommandLine) -> None:
    cli.write("fill.yaml", LOOP)
    cli.write("input.json", json.dumps({"text": "x" * 60_000}))
    done = cli.shell("ulimit -f 1000; runwell run fill.yaml -i @input.json")
    assert done.returncode == 3, done.stderr
    first, second, hint, how, command = done.stderr.splitlines()
    assert first.startswith(f"error: {cli.data_dir}: {SAID}")
    assert "disk" in hint
    assert "Trying again for 10 s. Cure: free disk space" in first
    assert second.startswith(f"error: the run is left as it was kept: {cli.data_dir}: {SAID}")
    assert how == "When that is mended, the run goes on from where it was kept:"
    assert cli.shell(command + " -o json > out.json").returncode == 0
    assert json.loads((cli.folder / "out.json").read_text())["status"] == "succeeded"
