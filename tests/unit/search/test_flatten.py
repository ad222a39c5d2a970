"""What can be searched of a run."""

import sys
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.search.records import record

from runwell.model.run_record import GenerationRecord, StepRecord
from runwell.search.flatten import BETWEEN, MAX_ENTRIES, MAX_PATH, MAX_TEXT, flatten, fold, leaves, moment_of, tokens

KEYS = st.text(max_size=5) | st.sampled_from(["a", "b", "length", "a.b", "a[]", "a=b", "x@"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def test_every_character_folds_to_one() -> None:
    for number in range(sys.maxunicode + 1):
        char = chr(number)
        lower = char.lower()
        assert fold(char) == (lower if len(lower) == 1 else char)


@given(st.text())
@example("ΟΔΟΣ İstanbul ΣΣ")
def test_folding_goes_by_characters(text: str) -> None:
    assert fold(text) == "".join(fold(char) for char in text)
    assert fold(fold(text)) == fold(text)


@given(st.text())
@example("Größe 12, foo_bar—baz\x00İx K")
def test_words_are_what_ascii_punctuation_leaves(text: str) -> None:
    spaced = "".join(char if ord(char) > 127 or char.isalnum() else " " for char in fold(text))
    assert tokens(text) == [word for word in spaced.split(" ") if word]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01 00:00:01.5", 1_500),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.9999", -1),
        ("0001-01-01T00:00+14:00", -62_135_647_200_000),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("2026-11-20T25:00", None),
        ("20261120", None),
        ("2026-W10-1", None),
        ("٢٠٢٦-11-20", None),
        ("about 2026-11-20", None),
        ("2026-11-20\n", None),
    ],
)
def test_dates(text: str, ms: int | None) -> None:
    assert moment_of(text) == ms


def test_a_run_is_flat() -> None:
    flat = flatten(
        record(
            input={"ticket": {"lang": "de", "n": 3}, "a.b": "x", "none": None, "empty": "", "when": "1970-01-02", "ok": True},
            output={"items": [{"name": "A"}, {"name": "B", "tags": []}], "long": "y" * 65},
            metadata={"env": "prod"},
            error_message="It Broke",
            steps=tuple(StepRecord(path=f"refund[{n}]", id="refund", type="http", status="failed") for n in range(2)),
            generations=(
                GenerationRecord(
                    seq=3, at=1, step_path="a", provider="p", model="m", messages=[{"role": "user", "content": "Say"}], response={"t": "Hi"}
                ),
                GenerationRecord(seq=4, at=1, step_path="a", provider="p", model="m", messages=[{"role": "user", "content": "Say"}]),
            ),
        )
    )
    assert flat.kv == [
        "s:refund=failed",
        "m:",
        "m:env",
        "m:env=prod",
        "i:",
        "i:ticket",
        "i:ticket.lang",
        "i:ticket.lang=de",
        "i:ticket.n",
        'i:"a.b"',
        'i:"a.b"=x',
        "i:empty=",
        "i:when",
        "i:when=1970-01-02",
        "i:ok",
        "i:ok!true",
        "o:",
        "o:items",
        "o:items[]",
        "o:items[].name",
        "o:items[].name=A",
        "o:items[].name=B",
        "o:long",
        "o:long#c4a2649e068ab18f0b332492f541ae0b",
    ]
    assert flat.nums == [("i:ticket.n", 3.0), ("i:when@", 86_400_000.0), ("o:items.length", 2.0), ("o:items[].tags.length", 0.0)]
    assert flat.text.split(BETWEEN) == ["it broke", "de", "x", "", "1970-01-02", "a", "b", "y" * 65, "say", "hi"]


@pytest.mark.parametrize(
    ("output", "kv", "nums"),
    [
        ("Yes", ["o:", "o:=Yes"], []),
        (False, ["o:", "o:!false"], []),
        (7, ["o:"], [("o:", 7.0)]),
        (["a"], ["o:", "o:[]", "o:[]=a"], [("o:length", 1.0)]),
        ([{"n": 1}], ["o:", "o:[]", "o:[].n"], [("o:length", 1.0), ("o:[].n", 1.0)]),
        ({}, [], []),
        ([], [], [("o:length", 0.0)]),
        (None, [], []),
        (10**400, ["o:"], []),
    ],
)
def test_outputs_that_are_no_objects(output: Any, kv: list[str], nums: list[tuple[str, float]]) -> None:
    flat = flatten(record(output=output))
    assert (flat.kv, flat.nums) == (kv, nums)


def test_collections_are_bounded() -> None:
    flat = flatten(record(input=[{f"k{n}": "word " * 200, f"n{n}": n} for n in range(MAX_ENTRIES)]))
    assert (len(flat.kv), len(flat.nums), len(flat.text)) == (MAX_ENTRIES, MAX_ENTRIES, MAX_TEXT)


def test_a_long_path_is_left_out_and_its_words_are_not() -> None:
    flat = flatten(record(input={"k" * MAX_PATH: "One", "short": "Two"}))
    assert flat.kv == ["i:", "i:short", "i:short=Two"]
    assert flat.text == f"one{BETWEEN}two"


def test_deep_values_need_no_deep_stack() -> None:
    deep: Any = "End"
    for _ in range(10_000):
        deep = [deep]
    assert flatten(record(input=deep)).text == "end"


@given(VALUES)
def test_any_value_is_flat(value: Any) -> None:
    flat = flatten(record(input=value))
    assert flat.text == fold(BETWEEN.join(leaves(value)))
    assert len(set(flat.kv)) == len(flat.kv)
    assert len(set(flat.nums)) == len(flat.nums)


def test_a_run_of_a_few_kilobytes_takes_no_time() -> None:
    value: dict[str, Any] = {
        "ticket": {"lang": "de", "subject": "Where is my order", "body": "Lorem ipsum dolor sit amet. " * 80},
        "n": list(range(20)),
    }
    value["items"] = [{"name": f"item {n}", "price": n / 7} for n in range(10)]
    run = record(input=value, output={"sentiment": "negative", "answer": "word " * 200}, metadata={"env": "prod", "team": "a"})
    flatten(run)
    best = min(_seconds(run) for _ in range(20))
    assert best < 0.001  # measured: 0.0001


def _seconds(run: Any) -> float:
    started = time.perf_counter()
    flatten(run)
    return time.perf_counter() - started
