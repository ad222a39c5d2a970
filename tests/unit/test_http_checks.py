"""What an http step can never send is told of before a run is."""

from typing import Any

import pytest

from runwell.steps.http import HttpStep, http_problems


def found(request: dict[str, Any]) -> list[tuple[str, str, str]]:
    return http_problems(HttpStep.model_validate({"id": "call", "type": "http", "request": {"url": "https://x.example"} | request}))


@pytest.mark.parametrize(
    ("request_fields", "pointer", "words"),
    [
        ({"method": "GE T"}, "/method", "'GE T' is not a method"),
        ({"method": ""}, "/method", "'' is not a method"),
        ({"method": "P0ST"}, "/method", "'P0ST' is not a method"),
        ({"url": "x.example"}, "/url", "is not an http or https URL"),
        ({"url": "ftp://{{ input.host }}"}, "/url", "is not an http or https URL"),
        ({"url": "x.example/{{ input.id }}"}, "/url", "is not an http or https URL"),
        ({"url": "https://"}, "/url", "has no host"),
        ({"url": "https:///path"}, "/url", "has no host"),
        ({"url": "https://x y/"}, "/url", "has a space in its host"),
        ({"url": "https://x:port/"}, "/url", "a host or port that cannot be"),
        ({"url": "https://[::1/"}, "/url", "a host or port that cannot be"),
        ({"url": "https://ann:word@x.example"}, "/url", "holds a user name or password"),
        ({"headers": {"x y": "1"}}, "/headers/x y", "'x y' is not a header name"),
        ({"headers": {"": "1"}}, "/headers/", "'' is not a header name"),
        ({"headers": {"a/b": "1"}}, "/headers/a~1b", "'a/b' is not a header name"),
        ({"headers": {"{{ input.name }}": "1"}}, "/headers/{{ input.name }}", "is not a header name"),
        ({"headers": {"x": "a\nb"}}, "/headers/x", "holds a line break"),
        ({"query": {"a": {"b": 1}}}, "/query/a", "'a' holds an object"),
        ({"query": {"a": [[1]]}}, "/query/a", "'a' holds a list in a list"),
        ({"form": {"a": {"b": 1}}}, "/form/a", "'a' holds an object"),
    ],
)
def test_what_can_never_be_sent(request_fields: dict[str, Any], pointer: str, words: str) -> None:
    [(place, message, cure)] = found(request_fields)
    assert place == f"/request{pointer}"
    assert words in message
    assert cure


@pytest.mark.parametrize(
    "request_fields",
    [
        {"method": "{{ input.method }}"},
        {"method": "m-search"},
        {"url": "{{ input.url }}"},
        {"url": "http{{ input.tls ? 's' : '' }}://x.example"},
        {"url": "HTTPS://{{ input.host }}/a b"},
        {"url": "https://x.example:8080/a b?c=d@e"},
        {"headers": {"X-Request-Id": "{{ run.id }}\n", "n": 1, "none": None, "y": "a\tb\n"}},
        {"query": {"a": [1, None, "x"], "b": "{{ input.b }}"}, "form": {"a": True}},
    ],
)
def test_what_may_be_sent(request_fields: dict[str, Any]) -> None:
    assert found(request_fields) == []
