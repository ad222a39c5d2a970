"""`runwell serve`."""

import sys

from runwell.cli.console import stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.options import Options
from runwell.logs import configure_logs
from runwell.serving import ServeOptions, serve


async def run_server(options: Options, host: str, port: int, *, sign_in: bool) -> Exit:
    configure_logs(terminal=sys.stderr.isatty())

    def ready(address: str, link: str | None) -> None:
        stdout().print(f"Runwell is ready at {address}", soft_wrap=True)
        if link is not None:
            stdout().print(f"Nobody can sign in yet. Make the first user at {link} (once, within an hour)", soft_wrap=True)
        sys.stdout.flush()

    await serve(options.settings(), ServeOptions(host=host, port=port, sign_in=sign_in), ready=ready)
    return Exit.SUCCEEDED
