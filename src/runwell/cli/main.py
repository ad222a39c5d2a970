"""The command `runwell`.

Start-up must be quick, so this module and `commands` import nothing heavy: each command imports
what it needs when it is called.
"""

import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from runwell.cli.commands import app
from runwell.cli.complaints import complain
from runwell.cli.exit_codes import Exit
from runwell.cli.outlet import OutputLost, end_without_output, flush_output, watch_output
from runwell.model.errors import RunwellError


def main() -> NoReturn:
    """Run the command of this process's arguments and exit with its code."""
    watch_output()
    try:
        code = _exit_code(sys.argv[1:])
        flush_output()
    except OutputLost as lost:
        end_without_output(lost)
    sys.exit(code)


def _exit_code(args: Sequence[str]) -> int:
    try:
        app(args=global_options_first(args), prog_name="runwell")
    except SystemExit as end:  # how every command ends
        return end.code if isinstance(end.code, int) else Exit.SUCCEEDED
    except RunwellError as exc:
        complain(exc)
        return Exit.REFUSED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.SUCCEEDED


_EVERYWHERE: Final = ("--data-dir", "--server", "--key-file")


def global_options_first(args: Sequence[str]) -> list[str]:
    """Return the arguments with the options that all commands have in front, as they may stand behind the command, too."""
    front, rest = list[str](), list[str]()
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in _EVERYWHERE:
            front += [word, *([value] if (value := next(words, None)) is not None else [])]
        elif word.startswith(tuple(f"{name}=" for name in _EVERYWHERE)):
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest]
