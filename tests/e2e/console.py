"""The web console as tests need it: built, and with a browser."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
UI: Final = ROOT / "ui"
CHROMIUM: Final = ("/usr/bin/chromium", "/usr/bin/chromium-browser")


def need_node() -> None:
    """Skip where there is no npm; in CI there must be."""
    if shutil.which("npm") is None and os.environ.get("CI") != "true":
        pytest.skip("npm is not installed")


def need_browser() -> None:
    """Skip where there is no Chromium; in CI there must be."""
    need_node()
    named = os.environ.get("CHROMIUM")
    if not any(Path(place).exists() for place in (*CHROMIUM, *([named] if named else []))) and os.environ.get("CI") != "true":
        pytest.skip("Chromium is not installed")


def ran(command: list[str], folder: Path, timeout: float) -> str:
    """Run the command; return what it said. Fails with that when the command fails."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=timeout, env={**os.environ, "NO_COLOR": "1"}
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-20_000:]}\n{done.stderr[-5_000:]}"
    return done.stdout
