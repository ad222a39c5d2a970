"""The page docs/reference/cli.md, drawn from the commands."""

from collections.abc import Iterator
from typing import Any

import typer

from runwell.cli.commands import app

HEAD = """
# Command line

Tables on a terminal, JSON when piped (`-o` overrides). Errors go to stderr, never as a traceback. An id may be cut short as long
as it is unique. `--data-dir`, `--server` and `--key-file` may stand anywhere. What carries a run (`run`, `runs resume`, `runs send`, `tasks complete`) follows it until it
ends or waits for somebody, and takes up no other run of the data directory but its child runs. On a terminal it asks for the
decisions and messages that the run needs. What only reads (`runs list`, `show`, `events`, `tasks list`) works while another process
owns the data directory.

With `--server` (or `RUNWELL_SERVER`) the same commands work on the runs of a server, which carries them on by itself: `run` publishes the
document there, and each command follows and asks as it does here.

| Exit code | Meaning |
|---|---|
| 0 | The run succeeded; the command did what it says |
| 1 | The run ended otherwise; a check of `runwell doctor` failed |
| 2 | Refused, and nothing was done: a bad document, input, id or command, or another process owns the data directory |
| 3 | The run has not ended: it waits for a person or a message and nobody is there to ask, or this process was told to leave |
| 74 | What was printed could not be written, to a full disk for one; what the command did is done |
| 130 | Interrupted |
| 141 | Whoever read the output went away, as `head` does; what the command did is done |

**Ctrl-C** stops the run gracefully: nothing new starts, what runs may end. Twice stops it at once. **SIGTERM** leaves the run as it is,
to be gone on with by `runwell run --resume`.
"""


def page(note: str) -> str:
    return "\n".join([note.rstrip("\n"), HEAD, *_sections(typer.main.get_command(app), "runwell")])


def _sections(command: Any, name: str) -> Iterator[str]:
    commands = getattr(command, "commands", {})
    params = [param for param in command.params if param.name != "help"]
    if name == "runwell" or not commands:
        yield f"## {name}\n\n{' '.join((command.help or '').split())}\n"
        if params:
            rows = "\n".join(
                f"| {_shown(param)} | {(getattr(param, 'help', None) or '').replace('|', chr(92) + '|')} |" for param in params
            )
            yield f"| Argument or option | |\n|---|---|\n{rows}\n"
    for word, inner in commands.items():
        yield from _sections(inner, f"{name} {word}")


def _shown(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{param.metavar}`".replace("|", "\\|")
    names = ", ".join(f"`{name}`" for name in [*param.opts, *param.secondary_opts])
    takes = "" if param.is_flag else f" `{param.metavar}`"
    return (names + takes).replace("|", "\\|")
