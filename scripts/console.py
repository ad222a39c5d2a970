"""Builds the web console of ui/ into src/runwell/console, unless it is there already and nothing has changed since.

`python3 scripts/console.py` needs Node 20.19 or newer and npm, and fails without them; with `--if-possible` it says why there is no
console and goes on, for the rest of Runwell works without one. It needs nothing but Python's own library: the build of the wheel,
which runs it, too, has nothing else.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
NODE: Final = (20, 19)
SOURCES: Final = ("package.json", "package-lock.json", "index.html", "vite.config.ts", "tsconfig.json", "src", "public")
STAMP: Final = ".built-from"


class CannotBuildError(Exception):
    """There is no console, and why."""


def build(root: Path = ROOT) -> bool:
    """Build the console of this source tree; return whether there was anything to do. Raises `CannotBuildError`."""
    ui, target = root / "ui", root / "src" / "runwell" / "console"
    if not (ui / "package.json").is_file():
        raise CannotBuildError(f"{ui} has no sources of the console")
    with (ui / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run side by side build it once
        wanted = _digest(ui, SOURCES)
        if (target / "index.html").is_file() and _text(ui / STAMP) == wanted:
            return False
        npm = _npm()
        _install(ui, npm)
        _run([npm, "run", "--silent", "build"], ui)
        (ui / STAMP).write_text(wanted)
    return True


def _install(ui: Path, npm: str) -> None:
    """Install what package-lock.json says, unless it is there."""
    wanted = _digest(ui, ("package.json", "package-lock.json"))
    stamp = ui / "node_modules" / STAMP
    if _text(stamp) != wanted:
        _run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], ui)
        stamp.write_text(wanted)


def _npm() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise CannotBuildError("Node and npm are not installed")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(number) for number in re.findall(r"\d+", told)[:2])
    if version < NODE:
        raise CannotBuildError(f"Node is {told.strip() or 'broken'}, and it takes {'.'.join(map(str, NODE))} or newer")
    return npm


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env={**os.environ, "NODE_ENV": ""}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuildError(f"`{' '.join(map(str, command[1:]))}` failed:\n{done.stdout}{done.stderr}".rstrip())


def _digest(folder: Path, names: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for path in _files(folder, names):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        path = folder / name
        yield from sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path] if path.is_file() else []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def main(args: list[str]) -> int:
    try:
        build()
    except CannotBuildError as exc:
        if "--if-possible" in args:
            print(f"The web console is not built: {exc}", file=sys.stderr)
            return 0
        print(f"The web console cannot be built: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
