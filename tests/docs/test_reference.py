"""What the reference says is what the code does."""

from typing import get_args

import pytest
from scripts import reference

from runwell.model.errors import FailureCode
from runwell.model.failure_codes import FAILURE_CODES
from runwell.settings import Settings


def test_drawn_pages_are_fresh() -> None:
    assert reference.stale() == [], "run: .venv/bin/python -m scripts.reference"


def test_every_failure_code_is_documented() -> None:
    assert set(get_args(FailureCode)) == set(FAILURE_CODES)


def test_every_setting_is_documented() -> None:
    page = (reference.REFERENCE / "settings.md").read_text()
    for field in Settings.__struct_fields__:
        assert f"`RUNWELL_{field.upper()}`" in page, field


def test_a_stale_page_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAILURE_CODES, "NEW_CODE", "planted")
    assert "failure-codes.md" in reference.stale()
