"""Rules about files: how long they may be, and what they may be called."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CODE: Final = ("src", "tests", "benchmarks", "ui/src")
SUFFIXES: Final = frozenset({".py", ".ts", ".tsx", ".sql"})
FOREIGN: Final = frozenset({".envs", "node_modules", "__pycache__"})
"""Directories below ours whose code is not ours."""

GENERATED: Final = frozenset({"ui/src/api/schema.d.ts"})
"""Made from the API's description; nobody reads it from top to bottom."""

WALL: Final = 400
VAGUE: Final = frozenset({"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc"})
"""Names that can hold anything, and so will."""


def code_files(root: Path, folders: tuple[str, ...] = CODE) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            where = path.relative_to(root)
            if path.suffix in SUFFIXES and not FOREIGN.intersection(where.parts) and where.as_posix() not in GENERATED:
                yield path


def too_long(root: Path) -> list[str]:
    """Return every file with `WALL` lines or more, with its length."""
    counted = ((path, len(path.read_text(encoding="utf-8").splitlines())) for path in code_files(root))
    return [f"{path.relative_to(root)}: {lines} lines, the wall is {WALL}: split it" for path, lines in counted if lines >= WALL]


def vaguely_named(root: Path) -> list[str]:
    """Return every module or folder with a name of `VAGUE`, also with underscores about it or as its last word."""
    found = []
    for path in code_files(root):
        relative = path.relative_to(root)
        names = [part.removesuffix(path.suffix).strip("_") for part in relative.parts]
        found += [f"{relative}: {name!r} can hold anything: name the idea" for name in names if name.split("_")[-1] in VAGUE]
    return found


def late_imports(root: Path) -> Iterator[tuple[Path, int, str]]:
    """Yield (file, line, top-level package) of every import inside a function, `importlib.import_module` included."""
    for path in code_files(root, ("src",)):
        if path.suffix == ".py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for function in ast.walk(tree):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    yield from ((path.relative_to(root), line, name) for line, name in _imported(function))


def _imported(function: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(function):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name.split(".")[0]) for alias in names)
            case ast.ImportFrom(module=module, level=level):
                yield node.lineno, "runwell" if level else (module or "").split(".")[0]
            case ast.Call(func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"), args=[name, *_]):
                yield node.lineno, str(name.value).split(".")[0] if isinstance(name, ast.Constant) else "?"
