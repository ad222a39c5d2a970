"""What holds for every command."""

import shlex
from pathlib import Path

import msgspec

from runwell.cli.output import Format
from runwell.settings import Settings, read_settings


class Options(msgspec.Struct, frozen=True):
    """The options before the command's name."""

    data_dir: Path | None = None

    def settings(self) -> Settings:
        """Return the settings of this process. Raises `InvalidInput`."""
        return read_settings(self.data_dir)

    def command(self, *words: str) -> str:
        """Return a command line that works on the same data directory."""
        where = ("--data-dir", str(self.data_dir)) if self.data_dir is not None else ()
        return shlex.join(("runwell", *where, *words))


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a command follows a run. `watch`: draw it live; None: where there is a terminal."""

    output: Format
    watch: bool | None = None
