"""`runwell runs rebuild`."""

from runwell.bootstrap import open_projection
from runwell.cli.console import print_json, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.model.errors import DataDirectoryBusy, InvalidInput


async def rebuild_run_store(options: Options, output: Format) -> Exit:
    if options.server is not None:
        raise InvalidInput(
            "a run store is rebuilt where its runs are", hint="stop that server, and give this command there without --server"
        )
    try:
        async with open_projection(options.settings()) as projector:
            await projector.rebuild()
    except DataDirectoryBusy as exc:
        raise DataDirectoryBusy(exc.message, hint="stop the process that carries the runs, then rebuild") from exc
    if output is Format.JSON:
        print_json({"runs": projector.written, "left_out": projector.left_out})
    else:
        left_out = f", {projector.left_out} could not be written: the log says why" if projector.left_out else ""
        stdout().print(f"The run store is rebuilt: {projector.written} runs{left_out}", soft_wrap=True)
    return Exit.SUCCEEDED
