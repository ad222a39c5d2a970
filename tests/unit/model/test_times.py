"""Moments at the borders."""

import pytest

from runwell.model.errors import InvalidInput
from runwell.model.times import from_rfc3339, rfc3339


@pytest.mark.parametrize(
    "ms", [0, 1_097_246_531_001, 1_792_000_000_123, 3_999_999_999_999, *range(1_200_000_000_001, 1_200_000_300_000, 997)]
)
def test_a_moment_survives_its_text(ms: int) -> None:
    assert from_rfc3339(rfc3339(ms)) == ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-06-12T03:23:00Z", 1_781_234_580_000),
        ("2026-06-12T05:23:00+02:00", 1_781_234_580_000),
        ("2026-06-12T03:23:00.0019Z", 1_781_234_580_001),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_moments_are_read(text: str, ms: int) -> None:
    assert from_rfc3339(text) == ms


@pytest.mark.parametrize(
    ("text", "words"), [("tomorrow", "is no moment"), ("2026-06-12", "no time zone"), ("2026-06-12T03:23:00", "no time zone")]
)
def test_what_is_no_moment_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        from_rfc3339(text)
