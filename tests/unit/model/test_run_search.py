"""Filters of lists, written and read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runwell.model.errors import InvalidInput
from runwell.model.run_search import metadata_pair, metadata_text

TEXTS = st.text(max_size=20) | st.text(alphabet='a:"\\ \n', max_size=8)


@given(TEXTS.filter(bool), TEXTS)
@settings(deadline=None)
def test_metadata_reads_back_as_it_was(key: str, value: str) -> None:
    assert metadata_pair(metadata_text(key, value)) == (key, value)


@pytest.mark.parametrize("text", ["", ":", ":x", "x", '"x"', '"x"y:z', '"":x', '"x', '"\\q":x'])
def test_what_names_no_metadata_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        metadata_pair(text)
    [problem] = refused.value.problems
    assert (problem.pointer, "key:value" in (problem.hint or "")) == ("/metadata", True)
