"""The console in a real browser, against a real server: one test a file of ui/e2e."""

import os
import sys
from pathlib import Path

import pytest
from scripts import console as building
from tests.e2e.console import ROOT, UI, need_browser, ran

FILES = sorted(path.name for path in (UI / "e2e").glob("*.test.mjs"))


def test_there_are_browser_tests() -> None:
    assert FILES


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("file", FILES)
def test_in_a_browser(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need_browser()
    building.build(ROOT)
    monkeypatch.setitem(os.environ, "RUNWELL_PROGRAM", str(Path(sys.prefix) / "bin" / "runwell"))
    ran(["node", "--test", "--test-reporter=spec", f"e2e/{file}"], UI, 580)
