"""`runwell run`: a document is published, started and followed to its end; or a run goes on."""

from typing import Any

import msgspec

from runwell.bootstrap import App, open_app
from runwell.cli.asking import Asker, who
from runwell.cli.carrying import carry, no_run, take_up
from runwell.cli.checking import document_check
from runwell.cli.document_files import DocumentFiles, Source
from runwell.cli.exit_codes import Exit
from runwell.cli.finding import find_run
from runwell.cli.needs import topmost
from runwell.cli.options import Manner, Options
from runwell.cli.publication import publish
from runwell.model.commands import ResumeRun
from runwell.model.errors import InvalidInput
from runwell.model.statuses import RunStatus
from runwell.ports.journal import Version
from runwell.ports.runs import StartRequest


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a person gave to start a run."""

    input: Any
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    environment: str = "production"


def checked(file: str) -> Source:
    """Return the document's file, fit to be published. Raises `InvalidDocument`; no data directory is touched."""
    return DocumentFiles(document_check()).require(file)


async def run_file(options: Options, file: str, new: NewRun, manner: Manner, asker: Asker | None = None) -> Exit:
    """Run the document. Raises what refuses it before anything is started."""
    source = checked(file)
    async with open_app(options.settings(), mine=no_run) as app:
        version = await publish(source, app.publisher, app.definitions)
        await _check_input(app, version, new.input)
        request = StartRequest(
            version=version,
            input=new.input,
            trigger="cli",
            tags=new.tags,
            metadata=new.metadata,
            environment=new.environment,
            actor=who(),
        )
        run_id = await app.runtime.start(request)
        return await carry(app, run_id, options, manner, asker)


async def _check_input(app: App, version: Version, given: Any) -> None:
    prepared = await app.runtime.plans.get(version.hash)
    problems = prepared.input_check.problems(given)
    if problems:
        raise InvalidInput(
            f"the input breaks the input_schema of {version.name!r}: nothing was started",
            hint="give it with --input JSON or --input @file",
            problems=tuple(problems),
        )


async def resume_run(options: Options, prefix: str, manner: Manner) -> Exit:
    """Go on with a run after a crash, a wait or a pause. One that has ended is only shown."""
    async with open_app(options.settings(), mine=no_run) as app:
        run_id = await find_run(app.journal, prefix)
        top = await topmost(app.journal, run_id)
        await take_up(app, top)
        for paused in {run_id, top}:
            if (await app.runtime.state(paused)).status is RunStatus.PAUSED:
                await app.runtime.command(paused, ResumeRun(actor=who()))
        return await carry(app, top, options, manner)
