"""`@agent`: from a function to the document of an agent."""

from typing import Any

import pytest
from pydantic import BaseModel

from runwell import agent, step, tool, workflow
from runwell.model.documents import kind_of
from runwell.model.errors import InvalidDocument, InvalidInput


@tool(requires_approval=True)
def refund(amount: float) -> str:
    """Pay money back."""
    return "done"


class Answer(BaseModel):
    text: str


@workflow
def lookup(number: int) -> object:
    """Look a parcel up."""
    return step.transform(number)


@agent(model="demo:x", tools=[refund, lookup, "mcp:desk/*"], limits={"rounds": 3}, params={"temperature": 0}, timeout_s=9)
def support(question: str) -> Answer:
    """Help people.

    Be short.
    """
    raise NotImplementedError


@agent(models=["demo:x", "demo:y"], output=Answer, name="Clerk")
def clerk(customer: str, question: str) -> str:
    """Answers customers."""
    return f"Answer {customer}, who is a customer."


@agent(model="demo:x")
def echo(input: str) -> str:
    """Say it again."""
    raise NotImplementedError


def test_the_docstring_is_what_it_is_to_do() -> None:
    document = support.document()
    assert (document["name"], document["description"], kind_of(document), support.kind) == ("support", "Help people.", "agent", "agent")
    [only] = document["steps"]
    assert only["instructions"] == "Help people.\n\nBe short."
    assert (only["prompt"], only["timeout_s"], only["limits"]) == ("{{ input.question }}", 9, {"rounds": 3})
    assert only["tools"] == ["python:refund", "workflow:lookup", "mcp:desk/*"]
    assert only["output_schema"]["properties"] == {"text": {"type": "string"}}
    assert document["tools"][0]["requires_approval"] is True
    assert (support.needs(), [one.name for one in support.tools()]) == ((lookup,), ["refund"])


def test_returned_text_goes_before_the_docstring() -> None:
    [only] = clerk.document()["steps"]
    assert only["instructions"] == "Answer {{ input.customer }}, who is a customer."
    assert clerk.document()["description"] == "Answers customers."
    assert only["models"] == ["demo:x", "demo:y"]
    assert "prompt" not in only
    assert clerk.slug == "clerk"


def test_a_parameter_called_input_is_the_input() -> None:
    document = echo.document()
    assert document["input_schema"] == {"type": "string"}
    assert not {"prompt", "output_schema"} & document["steps"][0].keys()


def test_in_a_workflow_it_is_a_step() -> None:
    @workflow
    def desk(who: str) -> object:
        first = support(question=f"From {who}")
        second = clerk.options(retry={"max_attempts": 2})(customer=who, question=first.text)
        return echo(input=second.text)  # type: ignore[attr-defined]

    steps = {one["id"]: one for one in desk.document()["steps"]}
    assert steps["support"]["prompt"] == "From {{ input.who }}"
    assert steps["clerk"]["input"] == {"customer": "{{ input.who }}", "question": "{{ steps.support.result.text }}"}
    assert steps["clerk"]["instructions"] == "Answer {{ input.who }}, who is a customer."
    assert (steps["clerk"]["depends_on"], steps["clerk"]["retry"]) == (["support"], {"max_attempts": 2})
    assert steps["echo"]["prompt"] == "{{ steps.clerk.result.text }}"
    assert desk.needs() == (lookup,)


def listed(question: str) -> list[str]:
    """List."""
    raise NotImplementedError


def silent(question: str) -> str:
    raise NotImplementedError


def busy(question: str) -> str:
    step.transform(question)
    return "Help."


def numeric(question: str) -> Any:
    return 3


@pytest.mark.parametrize(
    ("function", "fields", "words", "cure"),
    [
        (listed, {}, "a model writes text or an object", "wrap it"),
        (silent, {}, "it has no instructions", "docstring"),
        (busy, {}, "an agent's function calls no steps", "tools=[...]"),
        (numeric, {}, "it returns 3, but instructions are text", "docstring"),
        (support.function, {"tools": [print]}, "is no tool", "with @tool"),
    ],
)
def test_what_makes_no_agent_is_refused(function: Any, fields: dict[str, Any], words: str, cure: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        agent(model="demo:x", **fields)(function).document()
    assert words in caught.value.message
    assert cure in (caught.value.hint or "")
    assert f"{function.__name__}()" in caught.value.message


def test_what_the_document_lacks_is_told_with_the_function() -> None:
    with pytest.raises(InvalidDocument, match=r"support\(\) .*model or models"):
        agent()(support.function).document()
