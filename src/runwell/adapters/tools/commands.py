"""The commands that an operator allows as MCP servers. Nobody else can name a program to be run."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from runwell.model.errors import InvalidInput

VARIABLE: Final = "RUNWELL_MCP_COMMANDS"
MOST: Final = 100
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_SHORT: Final = 8
"""A value of the environment with fewer characters is no credential, and would be found in everything."""


class McpCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program and its arguments, which nothing of a document or an answer can change. `env` may hold credentials."""

    command: str
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    cwd: str | None = None

    @property
    def secret_values(self) -> set[str]:
        return {value for value in self.env.values() if len(value) >= _SHORT}

    def __repr__(self) -> str:
        return f"McpCommand(command={self.command!r})"


def read_commands(text: str) -> dict[str, McpCommand]:
    """Return the commands by name, from JSON or from a file that holds it. Raises `InvalidInput`."""
    shape = 'set it to JSON, or the path of a file with it: {"files": {"command": "npx", "args": ["-y", "server"], "env": {}}}'
    if not text.strip():
        return {}
    try:
        content = text if text.lstrip().startswith("{") else Path(text).expanduser().read_text(encoding="utf-8")
        commands = msgspec.json.decode(content, type=dict[str, McpCommand])
    except OSError as exc:
        raise InvalidInput(f"{VARIABLE} names the file {text!r}, which cannot be read: {exc.strerror}", hint=shape) from exc
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # Neither the text nor what the decoder says of it is shown: `env` may hold credentials.
        raise InvalidInput(f"{VARIABLE} is no object of named commands", hint=shape) from None
    _check(commands)
    return commands


def _check(commands: Mapping[str, McpCommand]) -> None:
    if len(commands) > MOST:
        raise InvalidInput(f"{VARIABLE} has {len(commands)} commands, more than {MOST}", hint="leave some out")
    for name, command in commands.items():
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"{VARIABLE} has the name {name!r}", hint="use lower-case letters, digits, _ and -, and begin with a letter")
        texts = [command.command, *command.args, command.cwd or "", *command.env, *command.env.values()]
        if not command.command or any("\x00" in text for text in texts) or any(not key or "=" in key for key in command.env):
            raise InvalidInput(f"{VARIABLE}: the command {name!r} cannot be run", hint="name a program; NUL characters cannot stand here")
