"""stdout and stderr as rich consoles, and JSON on stdout."""

import sys
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from runwell.cli.formatting import pretty_json

_PIPED_WIDTH: Final = 160


def is_interactive() -> bool:
    """Whether somebody is there to ask: questions go to stderr, answers come from stdin."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def stdout() -> Console:
    """Return stdout as a console; where nobody looks, lines are long."""
    return Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH, highlight=False, emoji=False, markup=False)


def stderr() -> Console:
    return Console(stderr=True, highlight=False, emoji=False, markup=False)


def print_table(console: Console, table: Table) -> None:
    """Print the table; where nobody looks, without the blanks that fill its lines."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    console.print("\n".join(line.rstrip() for line in capture.get().splitlines()), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value or struct as indented JSON on stdout."""
    sys.stdout.write(pretty_json(value) + "\n")
    sys.stdout.flush()
