"""Amounts as decimal text."""

import pytest

from runwell.model.usage import credits, usd


@pytest.mark.parametrize(
    ("nanos", "text"), [(0, "0"), (1, "0.000000001"), (10_500_000_000, "10.5"), (3 * 10**9, "3"), (120 * 10**9 + 10, "120.00000001")]
)
def test_dollars(nanos: int, text: str) -> None:
    assert usd(nanos) == text


@pytest.mark.parametrize(("micro", "text"), [(0, "0"), (1, "0.000001"), (1_500_000, "1.5"), (100_000_000, "100")])
def test_credits(micro: int, text: str) -> None:
    assert credits(micro) == text
