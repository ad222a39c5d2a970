"""JSON that is typed on a command line."""

import pytest

from runwell.cli.values import MAX_DEPTH, read_json
from runwell.model.errors import InvalidInput


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 900, 5_000, 100_000])
@pytest.mark.parametrize(("opening", "inner", "closing"), [("[", "1", "]"), ('{"a":', "1", "}")])
def test_data_that_nests_too_deep_is_told_of_in_words(levels: int, opening: str, inner: str, closing: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_json(opening * levels + inner + closing * levels, "the input")
    assert caught.value.message == "the input nests deeper than 200 levels"
    assert caught.value.hint


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_data_may_be_deep(opening: str, closing: str) -> None:
    assert read_json(opening * MAX_DEPTH + "1" + closing * MAX_DEPTH, "the input")


def test_what_is_no_json_has_a_cure() -> None:
    with pytest.raises(InvalidInput, match=r"the input is not JSON: .*quote JSON for the shell"):
        read_json("{a: 1}", "the input")


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"b": {"a": 1e40, "c": 2, "a": 3}}]', '{"a": 1, "\\u0061": 2}'])
def test_a_key_that_is_given_twice_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="the input gives the key 'a' twice") as caught:
        read_json(text, "the input")
    assert caught.value.hint == "keep one of them"
