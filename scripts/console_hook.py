"""Hatch runs this before it makes an sdist or a wheel: the web console is built into the package.

An editable installation does without, as it needs no Node; `make ui` builds it there. A wheel that is made where Node is not
has no console either, and says so. An sdist has it built, so that its wheels need no Node.
"""

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConsoleHook(BuildHookInterface):  # type: ignore[type-arg] # hatchling's own config type, which no one else has
    """Builds the console into src/runwell/console."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if version == "editable" or not (root / "ui" / "package.json").is_file():
            return
        spec = importlib.util.spec_from_file_location("console", root / "scripts" / "console.py")
        assert spec is not None
        assert spec.loader is not None
        console = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(console)
        try:
            console.build(root)
        except console.CannotBuildError as exc:
            self.app.display_warning(f"this build has no web console: {exc}")
