"""What holds for every command."""

import shlex
from pathlib import Path

import msgspec

from runwell.cli.output import Format
from runwell.model.errors import InvalidInput
from runwell.settings import Settings, read_settings


class Options(msgspec.Struct, frozen=True):
    """The options before the command's name."""

    data_dir: Path | None = None
    server: str | None = None
    """Where the runs are; None is this machine's data directory."""
    key_file: Path | None = None

    def settings(self) -> Settings:
        """Return the settings of this process. Raises `InvalidInput`."""
        return read_settings(self.data_dir)

    def command(self, *words: str) -> str:
        """Return a command line that works on the same data directory."""
        return shlex.join(("runwell", *self._where(), *words))

    def _where(self) -> tuple[str, ...]:
        if self.server is not None:
            key = ("--key-file", str(self.key_file)) if self.key_file is not None else ()
            return ("--server", self.server, *key)
        return ("--data-dir", str(self.data_dir)) if self.data_dir is not None else ()

    def api_key(self) -> str | None:
        """Return the key of the file that was named; None: the one of the environment, if there is one. Raises `InvalidInput`."""
        if self.key_file is None:
            return None
        try:
            return self.key_file.expanduser().read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise InvalidInput(f"the key file {str(self.key_file)!r} cannot be read: {exc}", hint="give a file that holds a key") from exc


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a command follows a run. `watch`: draw it live; None: where there is a terminal."""

    output: Format
    watch: bool | None = None
