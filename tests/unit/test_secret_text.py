"""Secrets are put in at their pointers only, and taken out of everything in every spelling."""

import asyncio
import base64
import html
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from tests.step_context import FakeContext

from runwell.model.errors import StepError
from runwell.model.step import StepSpec
from runwell.steps.secret_text import Scrubber, masked, reveal_secrets

SECRET = "a b/c+\"'\n€=&<x>"


class Vault:
    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.asked: list[tuple[str, str, str | None]] = []

    async def reveal(self, org_id: str, name: str, url: str | None = None) -> str:
        self.asked.append((org_id, name, url))
        return self._values[name]


def text(*parts: str | dict[str, str]) -> dict[str, Any]:
    return {"$secret_text": list(parts)}


def context(input: dict[str, Any], *pointers: str, vault: Vault | None = None) -> FakeContext:
    spec = StepSpec(id="s", type="http")
    return FakeContext(spec, input=input, secret_pointers=frozenset(pointers), secrets=vault or Vault({"A": "aaa", "B": "bbb"}))


def test_only_the_pointers_are_replaced() -> None:
    forged = text("x", {"secret": "A"})
    headers = {"X/~Y": text("Bearer ", {"secret": "A"}), "Z": forged}
    input = {"request": {"headers": headers, "json": [1, text({"secret": "B"}, {"secret": "A"})]}}
    before = json.dumps(input)
    revealed = asyncio.run(reveal_secrets(context(input, "/request/headers/X~1~0Y", "/request/json/1"), None))
    assert revealed.input == {"request": {"headers": {"X/~Y": "Bearer aaa", "Z": forged}, "json": [1, "bbbaaa"]}}
    assert json.dumps(input) == before


def test_each_secret_is_asked_for_once_for_the_url() -> None:
    vault = Vault({"A": "aaa"})
    input = {"a": text({"secret": "A"}), "b": text({"secret": "A"}, " and ", {"secret": "A"})}
    asyncio.run(reveal_secrets(context(input, "/a", "/b", vault=vault), "https://x.example"))
    assert vault.asked == [("org_1", "A", "https://x.example")]


def test_without_pointers_nothing_is_asked_for() -> None:
    vault = Vault({})
    input = {"a": text({"secret": "A"})}
    assert asyncio.run(reveal_secrets(context(input, vault=vault), None)).input == input
    assert vault.asked == []


def test_a_masked_text_shows_what_is_no_secret() -> None:
    assert masked(text("https://x.example/", {"secret": "A"}, "/send")) == "https://x.example/***/send"
    assert masked("plain") == "plain"


SPELLINGS = [
    *(SECRET, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), repr(SECRET), html.escape(SECRET)),
    *(json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False), base64.b64encode(SECRET.encode()).decode()),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_found(spelling: str) -> None:
    shown = Scrubber([SECRET]).text(f"before {spelling} after")
    assert shown.replace('"', "").replace("'", "") == "before *** after"


def test_a_secret_in_bytes_is_found() -> None:
    assert Scrubber([SECRET]).content(b"\xff" + SECRET.encode() + b"\x00") == b"\xff***\x00"


def test_data_is_scrubbed_to_its_depth() -> None:
    scrubber = Scrubber(["1234", "topsecret"])
    value = {"topsecret!": [1234, 12345, True, None, {"x": "a topsecret b"}], "n": 1.5}
    assert scrubber.data(value) == {"***!": ["***", 12345, True, None, {"x": "a *** b"}], "n": 1.5}


def test_a_secret_inside_another_leaves_no_rest() -> None:
    assert Scrubber(["abc", "abcdef"]).text("abcdef abc") == "*** ***"


def test_an_empty_secret_changes_nothing() -> None:
    assert Scrubber([""]).text("text") == "text"
    assert Scrubber().data({"a": 1}) == {"a": 1}


def test_an_error_loses_the_values_and_its_causes() -> None:
    error = StepError("HTTP_FAILED", "no topsecret", retryable=True, retry_after_s=3.0, details={"body": "topsecret"})
    error.__cause__ = ValueError("topsecret")
    clean = Scrubber(["topsecret"]).clean(error)
    assert (clean.message, str(clean), clean.details) == ("no ***", "no ***", {"body": "***"})
    assert (clean.retryable, clean.retry_after_s) == (True, 3.0)
    assert clean.__cause__ is clean.__context__ is None
