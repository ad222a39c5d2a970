"""Times and values as people read them."""

from datetime import UTC, timedelta, timezone

import msgspec
import pytest

from runwell.cli.formatting import banner, duration, last_words, moment, one_line, pretty_json, printable
from runwell.model.statuses import RunStatus

JUNE_12: int = 1_781_234_580_000
"""2026-06-12T03:23:00Z"""


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "-"),
        (-5, "0 ms"),
        (0, "0 ms"),
        (832, "832 ms"),
        (1_000, "1.0 s"),
        (12_440, "12.4 s"),
        (59_949, "59.9 s"),
        (59_950, "1 min"),
        (125_000, "2 min 5 s"),
        (3_600_000, "1 h"),
        (3_605_000, "1 h"),
        (3_660_000, "1 h 1 min"),
        (97_200_000, "1 d 3 h"),
    ],
)
def test_durations(ms: int | None, text: str) -> None:
    assert duration(ms) == text


def test_moments() -> None:
    assert moment(JUNE_12, UTC) == "Jun 12, 2026, 3:23 AM"
    assert moment(JUNE_12, timezone(timedelta(hours=9))) == "Jun 12, 2026, 12:23 PM"
    assert moment(JUNE_12, timezone(timedelta(hours=-3))) == "Jun 12, 2026, 12:23 AM"
    assert moment(None) == "-"


def test_the_banner_of_seed_003() -> None:
    assert banner(RunStatus.SUCCEEDED, JUNE_12, 832, UTC) == "Run succeeded - Started: Jun 12, 2026, 3:23 AM, Took: 832 ms"
    assert banner(RunStatus.WAITING, JUNE_12, 832, UTC) == "Run waiting - Started: Jun 12, 2026, 3:23 AM, 832 ms so far"
    assert banner(RunStatus.STOPPED, None, None) == "Run canceled"


def test_long_text_is_cut() -> None:
    assert one_line("a  b\nc", 10) == "a b c"
    assert one_line("one two three", 8) == "one two…"
    assert last_words("one two three", 6) == "…three"


def test_what_a_model_writes_steers_no_terminal() -> None:
    assert printable("a\x1b[2J\tb\nc\x9b1m\r") == "a\ufffd[2J\tb\nc\ufffd1m\ufffd"


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\x7f", "\U000e0001"])
def test_what_a_model_writes_turns_no_text_around(char: str) -> None:
    assert printable(f"a{char}b") == "a\ufffdb"
    shown = pretty_json({f"k{char}": f"a{char}\n"})
    assert char not in shown
    assert msgspec.json.decode(shown) == {f"k{char}": f"a{char}\n"}


def test_one_line_is_one_line() -> None:
    assert one_line("a\nerror: b\x85c\u2028d\x1b[2Ke\u202ef") == "a error: b c d\ufffd[2Ke\ufffdf"
