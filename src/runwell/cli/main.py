"""The command `runwell`.

Start-up must be quick, so this module and `commands` import nothing heavy: each command imports
what it needs when it is called.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

from runwell.cli.commands import app
from runwell.cli.complaints import complain
from runwell.cli.exit_codes import Exit
from runwell.model.errors import RunwellError


def main() -> NoReturn:
    """Run the command of this process's arguments and exit with its code."""
    try:
        app(args=data_dir_first(sys.argv[1:]), prog_name="runwell")
    except RunwellError as exc:
        complain(exc)
        sys.exit(Exit.REFUSED)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    sys.exit(Exit.SUCCEEDED)


def data_dir_first(args: Sequence[str]) -> list[str]:
    """Return the arguments with `--data-dir` in front, as it may stand behind the command, too."""
    front, rest = list[str](), list[str]()
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--data-dir":
            front += [word, *([value] if (value := next(words, None)) is not None else [])]
        elif word.startswith("--data-dir="):
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest]
