"""What a snippet returns becomes JSON data, or an error that names the cure."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from runwell.adapters.json_data import MAX_DEPTH, json_data
from runwell.model.errors import StepError


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (None, None),
        (True, True),
        (2**200, 2**200),
        (1.5, 1.5),
        ("text", "text"),
        ((1, (2,)), [1, [2]]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({(1, 2)}, [[1, 2]]),
        (b"\x00\xff", "AP8="),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
        (time(1, 2), "01:02:00"),
        ({1: "a", None: "b", 1.5: "c", (1, 2): "d"}, {"1": "a", "null": "b", "1.5": "c", "[1, 2]": "d"}),
        ({True: 1}, {"true": 1}),
        ({False: 0}, {"false": 0}),
    ],
)
def test_data(value: Any, data: Any) -> None:
    assert json_data(value) == data


def test_a_set_that_does_not_sort_is_a_list_all_the_same() -> None:
    assert {str(item) for item in json_data({1, "a", None})} == {"1", "a", "None"}


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (float("nan"), "nan"),
        ([float("inf")], "inf"),
        ({"a": 1j}, "'complex'"),
        (Decimal("1"), "'Decimal'"),
        (timedelta(1), "'timedelta'"),
        (int, "'type'"),
        (ValueError("x"), "'ValueError'"),
        ({float("nan"): 1}, "nan"),
    ],
)
def test_anything_else_is_named_with_its_cure(value: Any, named: str) -> None:
    with pytest.raises(StepError) as raised:
        json_data(value)
    assert (raised.value.code, raised.value.retryable) == ("PYTHON_FAILED", False)
    assert named in raised.value.message
    assert "; return" in raised.value.message


def test_depth_is_bounded() -> None:
    value: list[Any] = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert json_data(value) == value
    for _ in range(100_000):
        value = [value]
    with pytest.raises(StepError, match="nested deeper"):
        json_data(value)
