"""What several acceptance tests need."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.acceptance.command_line import CommandLine


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled powercut.c."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "this test needs a C compiler: install gcc"
    library = tmp_path_factory.mktemp("powercut") / "powercut.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    source = Path(__file__).with_name("powercut.c")
    subprocess.run([compiler, *flags, "-o", str(library), str(source), "-ldl", "-lpthread"], check=True)
    return library


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    """The real command line, on a data directory that does not exist yet."""
    return CommandLine(tmp_path)
