"""`runwell run`, `publish` and `runs watch`: a document is published, started and followed to its end; or a run goes on."""

from runwell.cli.asking import Asker, who
from runwell.cli.carrying import carry, look_on
from runwell.cli.console import print_json, stdout
from runwell.cli.document_files import DocumentFiles, Source
from runwell.cli.exit_codes import Exit
from runwell.cli.formatting import one_line
from runwell.cli.options import Manner, Options
from runwell.cli.output import Format
from runwell.cli.place import NewRun
from runwell.cli.places import open_checks, open_place, open_to_steer, open_watch
from runwell.model.commands import ResumeRun
from runwell.model.statuses import RunStatus


async def checked(options: Options, file: str) -> Source:
    """Return the document's file, fit to be published. Raises `InvalidDocument`; no data directory is touched."""
    async with open_checks(options) as checks:
        return DocumentFiles(checks.compile).require(file)


async def run_file(options: Options, file: str, new: NewRun, manner: Manner, asker: Asker | None = None) -> Exit:
    """Run the document. Raises what refuses it before anything is started."""
    source = await checked(options, file)
    async with open_place(options) as place:
        run_id = await place.start(await place.publish(source), new)
        return await carry(place, run_id, options, manner, asker)


async def publish_file(options: Options, file: str, output: Format) -> Exit:
    """Publish the document; one that is a version already stays that version."""
    source = await checked(options, file)
    async with open_place(options) as place:
        version = await place.publish(source)
    if output is Format.JSON:
        print_json(version)
    else:
        stdout().print(f"{one_line(version.name)} v{version.number} is published as {version.slug}", soft_wrap=True)
    return Exit.SUCCEEDED


async def resume_run(options: Options, prefix: str, manner: Manner) -> Exit:
    """Go on with a run after a crash, a wait or a pause. One that has ended is only shown."""
    async with open_to_steer(options) as place:
        run_id = await place.find_run(prefix)
        top = await place.topmost(run_id)
        await place.take_up(top)
        for paused in {run_id, top}:
            if (await place.state(paused)).status is RunStatus.PAUSED:
                await place.command(paused, ResumeRun(actor=who()))
        return await carry(place, top, options, manner)


async def watch_run(options: Options, prefix: str, manner: Manner) -> Exit:
    """Follow a run that goes on elsewhere."""
    async with open_watch(options) as runs:
        return await look_on(runs, await runs.find_run(prefix), options, manner)
