"""Who may import whom: the contracts of pyproject.toml hold, and nothing imports in a circle."""

import graphlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grimp
import pytest
from tests.architecture.files import ROOT

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"


def broken_contracts(root: Path) -> str:
    """Check the contracts of `root`/pyproject.toml against `root`/src; return the report, empty when all are kept."""
    env = os.environ | {"PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    lint = subprocess.run([sys.executable, "-c", LINT], cwd=root, env=env, capture_output=True, text=True, check=False, timeout=120)
    return "" if lint.returncode == 0 else lint.stdout + lint.stderr


def cycle(package: str) -> list[str]:
    """Return modules of the package that import each other in a circle; empty when none do. Type-checking imports count."""
    graph = grimp.build_graph(package, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as circle:
        return list(circle.args[1])
    return []


@contextmanager
def on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This project's sources and contracts, to be broken."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_are_kept() -> None:
    assert broken_contracts(ROOT) == ""


@pytest.mark.parametrize(
    ("module", "statement", "complaint"),
    [
        ("model/planted.py", "import runwell.engine", "runwell.model.planted -> runwell.engine"),
        ("engine/planted.py", "from runwell import ports", "runwell.engine.planted -> runwell.ports"),
        ("steps/planted.py", "import runwell.storage", "runwell.steps.planted -> runwell.storage"),
        ("engine/planted.py", "import asyncio", "runwell.engine is not allowed to import asyncio"),
        ("model/planted.py", "def f():\n    import time", "runwell.model is not allowed to import time"),
        ("runtime/planted.py", "import sqlite3", "runwell.runtime is not allowed to import sqlite3"),
        ("orphan.py", "", "orphan"),
    ],
)
def test_a_forbidden_import_is_caught(copy: Path, module: str, statement: str, complaint: str) -> None:
    (copy / "src/runwell" / module).write_text(statement + "\n")
    assert complaint in broken_contracts(copy)


def test_nothing_imports_in_a_circle() -> None:
    assert cycle("runwell") == []


def test_a_circle_is_caught(tmp_path: Path) -> None:
    package = tmp_path / "planted_circle"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.py").write_text("from planted_circle import b\n")
    (package / "b.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from planted_circle import c\n")
    (package / "c.py").write_text("def late():\n    import planted_circle.a\n")
    with on_path(tmp_path):
        assert {"planted_circle.a", "planted_circle.b", "planted_circle.c"} == set(cycle("planted_circle"))
