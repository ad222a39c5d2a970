"""Files stay short, have names that say something, and import at the top."""

from pathlib import Path
from typing import Final

import pytest
from tests.architecture.files import ROOT, WALL, code_files, late_imports, too_long, vaguely_named

LATE: Final = {
    "pydantic_ai": "takes 1.5 to 2.5 s to import; only the first model call needs it",
    "genai_prices": "takes 0.4 s to import, a large price table; only a model call needs it",
    "pyarrow": "takes 0.3 s to import; only a Parquet file needs it",
    "alembic": "takes 0.5 s to import; only an older database needs it",
    "chdb": "loads 500 MB of library; only an open run store in this process needs it",
    "clickhouse_connect": "takes 0.25 s to import; only an open run store needs it",
}
"""Vendors that may be imported inside a function, and why."""

ENTRANCES: Final = frozenset(
    {
        "src/runwell/__init__.py",
        "src/runwell/authoring/authored.py",
        "src/runwell/bootstrap.py",
        "src/runwell/cli/agent_commands.py",
        "src/runwell/cli/commands.py",
        "src/runwell/cli/evaluation_commands.py",
        "src/runwell/cli/figure_commands.py",
        "src/runwell/cli/key_commands.py",
        "src/runwell/cli/organization_commands.py",
        "src/runwell/cli/places.py",
        "src/runwell/cli/run_commands.py",
        "src/runwell/cli/view_commands.py",
        "src/runwell/storage/homes.py",
    }
)
"""Where commands are declared: each imports our own code when it is called, so that `runwell --help` is quick. And where
PostgreSQL is chosen: its driver takes 0.15 s to import. And where a workflow in Python is run: what carries runs is slow to import,
too, and writing its document needs none of it. And where traces are read, which takes the prices of all models."""


def plant(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_the_rules_look_at_this_project() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in code_files(ROOT)} >= {"src", "tests"}


def test_no_file_passes_the_wall() -> None:
    assert too_long(ROOT) == []


@pytest.mark.parametrize("name", ["src/runwell/a.py", "tests/unit/test_a.py", "src/runwell/storage/a.sql", "ui/src/a.tsx", "ui/src/a.ts"])
def test_a_long_file_is_caught(tmp_path: Path, name: str) -> None:
    plant(tmp_path, name, "\n" * (WALL - 1))
    assert too_long(tmp_path) == []
    plant(tmp_path, name, "\n" * WALL)
    assert too_long(tmp_path) == [f"{name}: 400 lines, the wall is 400: split it"]


def test_foreign_code_is_not_measured(tmp_path: Path) -> None:
    plant(tmp_path, "benchmarks/.envs/peer/lib/utils.py", "\n" * WALL)
    assert too_long(tmp_path) == vaguely_named(tmp_path) == []


def test_every_name_says_something() -> None:
    assert vaguely_named(ROOT) == []


@pytest.mark.parametrize("name", ["src/runwell/utils.py", "src/runwell/common/a.py", "src/runwell/_base.py", "src/runwell/run_manager.py"])
def test_a_vague_name_is_caught(tmp_path: Path, name: str) -> None:
    plant(tmp_path, "src/runwell/database.py", "")
    assert vaguely_named(tmp_path) == []
    plant(tmp_path, name, "")
    assert len(vaguely_named(tmp_path)) == 1


def is_allowed(path: Path, name: str) -> bool:
    return name in LATE or (name == "runwell" and path.as_posix() in ENTRANCES)


def test_only_slow_vendors_and_commands_are_imported_late() -> None:
    assert [f"{path}:{line}: {name}" for path, line, name in late_imports(ROOT) if not is_allowed(path, name)] == []


@pytest.mark.parametrize(
    ("statement", "package"),
    [
        ("import sqlite3", "sqlite3"),
        ("from runwell.engine.evolve import evolve", "runwell"),
        ("from . import evolve", "runwell"),
        ("importlib.import_module('runwell.engine')", "runwell"),
        ("importlib.import_module(name)", "?"),
        ("__import__('os')", "os"),
    ],
)
def test_a_late_import_is_caught(tmp_path: Path, statement: str, package: str) -> None:
    plant(tmp_path, "src/runwell/a.py", f"import importlib\nclass A:\n    async def f(self, name):\n        {statement}\n")
    assert list(late_imports(tmp_path)) == [(Path("src/runwell/a.py"), 4, package)]
