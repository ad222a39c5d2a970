"""Variants: one step of a version changed, and nothing else."""

from typing import Any

import pytest

from runwell.model.errors import InvalidInput
from runwell.model.variant import Variant, varied

DOCUMENT: dict[str, Any] = {
    "name": "w",
    "steps": [
        {"id": "get", "type": "http", "request": {"url": "https://x.example"}},
        {
            "id": "each",
            "type": "for_each",
            "items": "{{ input }}",
            "steps": [{"id": "ask", "type": "llm", "models": ["a:b", "c:d"], "messages": [], "params": {"temperature": 1, "seed": 7}}],
        },
    ],
}


def asked(**changes: Any) -> dict[str, Any]:
    made = varied(DOCUMENT, Variant(name="v", **changes))
    step: dict[str, Any] = made["steps"][1]["steps"][0]
    assert {**made, "steps": [made["steps"][0]]} == {**DOCUMENT, "steps": [DOCUMENT["steps"][0]]}
    return step


def test_a_variant_without_changes_is_the_document() -> None:
    assert varied(DOCUMENT, Variant(name="v", version=3)) == DOCUMENT
    assert not Variant(name="v", version=3).changes


def test_what_a_variant_says_goes_over_what_the_step_has() -> None:
    before = str(DOCUMENT)
    assert (asked(model="e:f")["model"], "models" in asked(model="e:f")) == ("e:f", False)
    assert asked(models=("e:f",))["models"] == ["e:f"]
    assert (asked(prompt="Hi")["prompt"], "messages" in asked(prompt="Hi")) == ("Hi", False)
    assert asked(instructions="Be kind")["system"] == "Be kind"
    assert asked(params={"temperature": 0, "seed": None, "top_p": 0.5})["params"] == {"temperature": 0, "top_p": 0.5}
    assert str(DOCUMENT) == before


def test_an_agents_instructions_are_its_own() -> None:
    agent = {"name": "a", "steps": [{"id": "a", "type": "agent", "instructions": "old"}]}
    assert varied(agent, Variant(name="v", instructions="new"))["steps"][0]["instructions"] == "new"


@pytest.mark.parametrize(("step", "word"), [("get", "'get'"), ("nowhere", "nowhere")])
def test_a_step_without_a_model_cannot_be_varied(step: str, word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        varied(DOCUMENT, Variant(name="v", step=step, model="e:f"))


def test_of_several_steps_one_has_to_be_named() -> None:
    two = {"name": "w", "steps": [{"id": "one", "type": "llm"}, {"id": "two", "type": "agent"}]}
    with pytest.raises(InvalidInput, match="has 2 that have a model") as refused:
        varied(two, Variant(name="v", model="e:f"))
    assert refused.value.hint is not None
    assert "'one', 'two'" in refused.value.hint
    assert varied(two, Variant(name="v", step="two", model="e:f"))["steps"][1]["model"] == "e:f"
