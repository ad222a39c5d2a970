"""Random documents under random commands keep every property, and each property finds its planted bug."""

from functools import lru_cache
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.properties.checks import CHECKS, broken
from tests.properties.planted import PLANTED
from tests.properties.search import random_runs
from tests.properties.simulation import Record, play

STEADY: Final = settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
"""The same runs each time: a push that changes nothing fails nothing. `search.py` looks further."""

DOCUMENTS: Final = st.binary(min_size=40, max_size=250)
CHOICES: Final = st.binary(min_size=40, max_size=300)

PATIENCE: Final = 3_000
"""After so many runs a planted bug counts as not found. Most are found within 50."""


@lru_cache(maxsize=256)
def played(document: bytes, choices: bytes) -> Record:
    """Return the record of a run. Each property is given the same runs, so each is played once."""
    return play(document, choices)


@pytest.mark.parametrize("name", CHECKS)
@given(document=DOCUMENTS, choices=CHOICES)
@STEADY
def test_every_run_keeps(name: str, document: bytes, choices: bytes) -> None:
    CHECKS[name](played(document, choices))


def test_a_run_that_keeps_all_properties_is_called_sound() -> None:
    assert broken(play(b"", b"")) == {}


def test_each_property_has_its_planted_bug() -> None:
    assert PLANTED.keys() == CHECKS.keys()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, says = PLANTED[name]
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=says):
        check_random_runs(name)


def check_random_runs(name: str) -> None:
    for strips in random_runs(seed=7, count=PATIENCE):
        CHECKS[name](play(*strips))
