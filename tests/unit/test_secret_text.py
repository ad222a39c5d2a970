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
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.model.scrubber import ScrubbedStream, Scrubber
from runwell.model.step import StepSpec
from runwell.ports.secrets import OpenConnection, Secret
from runwell.steps.secret_text import Revealed, reveal_secrets

SECRET = "a b/c+\"'\n€=&<x>"


class Vault:
    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.asked: list[tuple[Scope, str]] = []

    async def reveal(self, scope: Scope, name: str) -> Secret:
        self.asked.append((scope, name))
        return Secret(name=name, value=self._values[name])

    async def connection(self, scope: Scope, name: str) -> OpenConnection:
        raise NotImplementedError


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
    revealed = asyncio.run(reveal_secrets(context(input, "/request/headers/X~1~0Y", "/request/json/1")))
    assert revealed.input == {"request": {"headers": {"X/~Y": "Bearer aaa", "Z": forged}, "json": [1, "bbbaaa"]}}
    assert json.dumps(input) == before


def test_each_secret_is_asked_for_once() -> None:
    vault = Vault({"A": "aaa"})
    input = {"a": text({"secret": "A"}), "b": text({"secret": "A"}, " and ", {"secret": "A"})}
    asyncio.run(reveal_secrets(context(input, "/a", "/b", vault=vault)))
    assert vault.asked == [(DEFAULT_SCOPE, "A")]


def test_without_pointers_nothing_is_asked_for() -> None:
    vault = Vault({})
    input = {"a": text({"secret": "A"})}
    assert asyncio.run(reveal_secrets(context(input, vault=vault))).input == input
    assert vault.asked == []


def test_a_secret_is_bound_to_its_origins() -> None:
    bound = Revealed(input={}, secrets=(Secret(name="A", value="v", origins=("https://*.x.example", "https://y.example:8443")),))
    for url in ("https://a.x.example/p?q", "https://Y.example:8443"):
        bound.check(url)
    for url in (
        "https://x.example",
        "https://y.example",
        "http://a.x.example",
        "https://a.x.example@evil.example",
        "https://ax.example",
        "",
    ):
        with pytest.raises(StepError, match="may only be sent") as caught:
            bound.check(url)
        assert caught.value.code == "SECRET_REFUSED"
    Revealed(input={}, secrets=(Secret(name="A", value="v"),)).check("http://anywhere.example")


def test_no_secret_shows_in_its_repr() -> None:
    assert "topsecret" not in repr(Secret(name="A", value="topsecret"))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_stream_holds_back_what_may_become_a_secret(size: int) -> None:
    shown: list[str] = []
    stream = ScrubbedStream(Scrubber(["topsecret"]), shown.append)
    said = "a top topsecre topsecrettopsecret totopsecret end tops"
    for at in range(0, len(said), size):
        stream(said[at : at + size])
    stream.end()
    assert "".join(shown) == said.replace("topsecret", "***")
    assert not any("topsecret" in piece for piece in shown)


SPELLINGS = [
    *(SECRET, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), repr(SECRET), html.escape(SECRET)),
    *(json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False), base64.b64encode(SECRET.encode()).decode()),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_found(spelling: str) -> None:
    shown = Scrubber([SECRET]).text(f"before {spelling} after")
    assert shown.replace('"', "").replace("'", "") == "before *** after"


HOOK = "https://u5er-name:p4ssw0rd@Hooks.Example.com:8443/services/T0/B%201longer/x?tok=abc%2Bdef&n=1&list=w%20ide%20value#fragment"


@pytest.mark.parametrize(
    "part",
    [
        *("Hooks.Example.com", "hooks.example.com", "HOOKS.example.com:8443".lower(), "p4ssw0rd", "u5er-name"),
        *("/services/T0/B%201longer/x", "services", "B%201longer", "B 1longer", "fragment"),
        *("tok=abc%2Bdef&n=1&list=w%20ide%20value", "abc%2Bdef", "abc+def", "w ide value", "w+ide+value"),
        "/services/T0/B%201longer/x?tok=abc%2Bdef&n=1&list=w%20ide%20value",
    ],
)
def test_a_secret_that_is_a_url_is_found_by_its_parts(part: str) -> None:
    assert Scrubber([HOOK]).text(f"before {part} after").replace("***:8443", "***") == "before *** after"


def test_short_parts_of_a_url_tell_nothing() -> None:
    assert Scrubber(["http://x.io/a/b?n=1"]).text("x.io /a/b a b n 1") == "x.io /a/b a b n 1"


def test_a_long_secret_is_found_in_lower_case_as_a_host_is_written() -> None:
    assert Scrubber(["TopSecret"]).text("topsecret.invalid") == "***.invalid"
    assert Scrubber(["TöpSecret"]).text("xn--tpsecret-n4a") == "***"
    assert Scrubber(["Top"]).text("top") == "top"


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
