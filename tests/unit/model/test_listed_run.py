"""What lists show of a run's contents is short, on one line, and cheap however large they are."""

import time
from typing import Any

import pytest
from tests.contract.run_samples import full, record

from runwell.model.listed_run import PREVIEW, listed, preview


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("", ""),
        ("two\n  lines", "two lines"),
        (0, "0"),
        (False, "false"),
        ({}, "{}"),
        ([], "[]"),
        ({"ticket": {"lang": "de", "tags": ["a", "b"]}, "n": 1.5}, '{"ticket": {"lang": "de", "tags": ["a", "b"]}, "n": 1.5}'),
        (["a\nb", None], '["a\\nb", null]'),
    ],
)
def test_previews(value: Any, shown: str) -> None:
    assert preview(value) == shown


@pytest.mark.parametrize(
    "value", ["x" * 10**6, "x " * 10**6, {"k" * 500: 1}, {"k": "v" * 10**6}, [1] * 10**6, {str(n): n for n in range(10**5)}]
)
def test_large_values_are_cut(value: Any) -> None:
    shown = preview(value)
    assert len(shown) == PREVIEW
    assert shown.endswith("…")


def test_little_is_looked_at() -> None:
    large = {"deep": [[[{"text": "ä" * 10**7}]] * 10**6]}
    began = time.perf_counter()
    for _ in range(100):
        preview(large)
    assert time.perf_counter() - began < 1.0  # its JSON alone takes that


def test_deep_values_are_cut() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    assert preview(value) == "[" * (PREVIEW - 1) + "…"
    while isinstance(value, list):  # take it apart: Python's own way is recursive
        value = value.pop()


def test_a_listed_run_has_no_contents() -> None:
    given = full()
    shown = listed(given)
    assert (shown.input, shown.output, shown.steps, shown.generations) == (None, None, (), ())
    assert shown.models == tuple(sorted({made.model for made in given.generations}))
    assert (shown.input_preview, shown.output_preview) == (preview(given.input), preview(given.output))
    assert listed(shown) is shown
    assert listed(record(input=None)).input_preview == ""
