"""A whole Runwell whose runs are in PostgreSQL: the server goes away and comes back, and the command line finds its way."""

import asyncio
from pathlib import Path
from typing import Any

from tests.acceptance.command_line import CommandLine
from tests.acceptance.workbench import run_async
from tests.postgres import PostgresServer

from runwell.bootstrap import App, open_app
from runwell.model.errors import JournalUnavailable
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.statuses import RunStatus
from runwell.ports.runs import StartRequest
from runwell.settings import Settings
from runwell.storage.postgres_url import DatabaseUrl
from runwell.testing import MemoryRunStore
from runwell.viewing import open_view

NAPS: dict[str, Any] = {
    "name": "naps",
    "steps": [
        {"id": "loop", "type": "while", "max_iterations": 8, "condition": "true", "steps": [{"id": "nap", "type": "delay", "for_s": 0.1}]},
        {"id": "done", "type": "transform", "depends_on": ["loop"], "value": "{{ steps.loop.result.iterations }}"},
    ],
}


async def request(app: App) -> StartRequest:
    return StartRequest(version=await app.publisher.publish(DEFAULT_SCOPE, app.publisher.compile(NAPS)))


def test_runs_go_on_when_the_server_was_away(postgres: PostgresServer, postgres_url: DatabaseUrl, tmp_path: Path) -> None:
    async def main() -> None:
        settings = Settings(data_dir=tmp_path, database_url=postgres_url)
        async with open_app(settings, run_store=MemoryRunStore()) as app:
            wanted = await request(app)
            run_ids = [await app.runtime.start(wanted) for _ in range(5)]
            ends = [asyncio.ensure_future(app.runtime.ended(run_id)) for run_id in run_ids]
            await asyncio.sleep(0.25)
            postgres.stop()
            try:
                refused = asyncio.ensure_future(app.runtime.start(wanted))
                await asyncio.wait([refused], timeout=30)
                assert isinstance(refused.exception(), JournalUnavailable)
            finally:
                postgres.start()
            states = await asyncio.wait_for(asyncio.gather(*ends), 30)
            assert [state.status for state in states] == [RunStatus.SUCCEEDED] * 5
            for run_id in run_ids:
                events = await app.journal.read(run_id)
                assert [event.seq for event in events] == list(range(1, len(events) + 1))
                assert [event.type for event in events].count("run_succeeded") == 1
            run_id = await app.runtime.start(wanted)
            async with open_view(settings) as view:
                assert await view.journal.row(run_id) is not None

    run_async(main())


def test_the_command_line_keeps_its_runs_there(cli: CommandLine, postgres: PostgresServer, postgres_url: DatabaseUrl) -> None:
    cli.env["RUNWELL_DATABASE_URL"] = postgres_url.secret
    assert cli.json("runs", "list") == []
    cli.write("greet.yaml", "{name: greet, steps: [{id: a, type: transform, value: hello}]}")
    made = cli.json("run", "greet.yaml")
    assert cli.json("runs", "list") == [{**cli.json("runs", "list")[0], "id": made["id"], "status": "succeeded"}]
    assert cli.json("runs", "show", made["id"]) == made
    assert not (cli.data_dir / "runwell.db").exists()
    postgres.stop()
    try:
        gone = cli.run("runs", "list")
    finally:
        postgres.start()
    assert gone.returncode != 0
    assert "PostgreSQL at postgresql://runwell@127.0.0.1" in gone.stderr
    assert "s3cret" not in gone.stderr
    cli.env["RUNWELL_DATABASE_URL"] = "mysql://ann:s3cret@db/x"
    wrong = cli.run("runs", "list")
    assert (wrong.returncode, wrong.stderr.splitlines()[0]) == (2, "error: the database's URL is none of PostgreSQL")
    assert "s3cret" not in wrong.stderr
