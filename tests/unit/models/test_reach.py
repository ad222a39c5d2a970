"""Models and connections that nobody here answers for are told of before a run is."""

from typing import Any

import pytest

from runwell.cli.checking import document_check
from runwell.model.errors import InvalidDocument, Problem

ENVIRON = {"RUNWELL_CONNECTION_MY_GATEWAY_API_KEY": "k", "RUNWELL_CONNECTION_ODD_PROVIDER": "cohere"}


def problems(**fields: Any) -> list[Problem]:
    check = document_check(ENVIRON)
    try:
        check({"name": "t", "steps": [{"id": "ask", "type": "llm", "prompt": "Hello", **fields}]})
    except InvalidDocument as exc:
        return list(exc.problems)
    return []


KNOWN = (
    "demo:, openai:, openai-chat:, openai-responses:, anthropic:, google:, mistral:, groq:, azure:, bedrock:, ollama:, my_gateway:, odd:"
)


@pytest.mark.parametrize(
    ("fields", "code", "place", "words", "cure"),
    [
        ({"model": "nope:m"}, "unknown_model", "/model", "no provider 'nope'", KNOWN),
        ({"model": "opnai:m"}, "unknown_model", "/model", "no provider 'opnai'", "did you mean 'openai'?"),
        ({"model": "gpt"}, "unknown_model", "/model", "'gpt' names no provider", KNOWN),
        ({"model": ""}, "unknown_model", "/model", "'' names no provider", KNOWN),
        ({"model": "openai:"}, "unknown_model", "/model", "'openai:' names no model", "openai:gpt-5-mini"),
        ({"models": ["demo:a", "nope:m"]}, "unknown_model", "/models/1", "no provider 'nope'", KNOWN),
        (
            {"model": "openai:m", "connection": "my-gatevay"},
            "missing_connection",
            "/connection",
            "'my-gatevay' is not configured; there are my_gateway, odd",
            "did you mean 'my_gateway'? Else set RUNWELL_CONNECTION_MY_GATEVAY_PROVIDER",
        ),
        ({"model": "m", "connection": "odd"}, "missing_connection", "/connection", "ODD_PROVIDER is 'cohere'", "one of openai,"),
        ({"model": "google:m", "connection": "my-gateway"}, "unknown_model", "/model", "reaches 'openai', not the 'google'", "change the"),
        ({"model": "demo:m", "connection": "my-gateway"}, "unknown_model", "/model", "reaches 'openai', not the 'demo'", "change the"),
        ({"model": "", "connection": "my-gateway"}, "unknown_model", "/model", "has no name", "'my-gateway'"),
        ({"model": "m", "connection": "{{ input.x }}"}, "no_template_here", "/connection", "connection is no template", "name one"),
    ],
)
def test_a_name_that_leads_nowhere(fields: dict[str, Any], code: str, place: str, words: str, cure: str) -> None:
    [found] = problems(**fields)
    assert (found.code, found.pointer, found.step_id) == (code, f"/steps/0{place}", "ask")
    assert words in found.message
    assert cure in (found.hint or "")


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "demo:any"},
        {"model": "openai:gpt-5-mini"},
        {"model": "my-gateway:llama3:8b"},
        {"model": "MY_gateway:x"},
        {"model": "{{ input.model }}"},
        {"models": ["nope{{ input.x }}:m", "google:x"]},
        {"model": "llama3", "connection": "my-gateway"},
        {"model": "openai:llama3", "connection": "My-Gateway"},
        {"model": "my_gateway:llama3", "connection": "my-gateway"},
        {"model": "llama3:8b", "connection": "my-gateway"},
    ],
)
def test_a_name_that_somebody_answers_for(fields: dict[str, Any]) -> None:
    assert problems(**fields) == []


def test_a_name_in_a_broken_step_is_told_of_too() -> None:
    found = problems(model="nope:m", models=3, promt="x")
    assert {(problem.code, problem.pointer) for problem in found} == {
        ("wrong_type", "/steps/0/models"),
        ("unknown_field", "/steps/0/promt"),
        ("unknown_model", "/steps/0/model"),
    }
