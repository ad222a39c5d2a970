"""An address has the origin to which it leads, or none; only what the operator permits goes unencrypted."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwell.model.errors import InvalidInput
from runwell.model.origins import OriginRules, origin_of, permits


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://api.example", "https://api.example"),
        ("HTTPS://API.Example:443/x?y#z", "https://api.example"),
        ("http://api.example:80?x", "http://api.example"),
        ("https://api.example:8443#x", "https://api.example:8443"),
        ("https://[2001:DB8:0:0::1]:8443/", "https://[2001:db8::1]:8443"),
        ("https://api_1.example./", "https://api_1.example."),
        *((address, None) for address in ("", "api.example", "ftp://api.example", "https:api.example", "https://", "//api.example")),
        *((address, None) for address in ("https://u:p@api.example", "https://good.example\\@evil.example", "https://good.example%2eevil")),
        *(
            (address, None)
            for address in (" https://api.example", "https://api.example ", "https://api.exam\tple", "https://api.example\n")
        ),
        *(
            (address, None)
            for address in ("https://api.example:0", "https://api.example:65536", "https://api.example:", "https://.example")
        ),
        *((address, None) for address in ("https://bücher.example", "https://[::1", "https://[::g]", "https://***/send")),
    ],
)
def test_an_address_has_one_origin_or_none(address: str, origin: str | None) -> None:
    assert origin_of(address) == origin


@given(st.text(alphabet="ahtps:/\\@?#.%[]12 \t\n*é", max_size=14))
def test_what_has_an_origin_leads_there(tail: str) -> None:
    address = f"https://a.example{tail}"
    origin = origin_of(address)
    if origin is not None:
        try:
            url = httpx2.URL(address)
        except httpx2.InvalidURL:
            return  # nothing is sent there
        port = "" if url.port is None else f":{url.port}"
        assert origin == f"{url.scheme}://{url.host}{port}"


@pytest.mark.parametrize(
    ("address", "permitted"),
    [
        ("https://a.example.com/x", True),
        ("https://a.b.example.com:443", True),
        ("https://pay.example:8443/x", True),
        ("https://example.com", False),
        ("https://evilexample.com", False),
        ("https://a.example.com:8443", False),
        ("http://a.example.com", False),
        ("https://a.example.com.evil.example", False),
        ("https://pay.example", False),
        ("nonsense", False),
    ],
)
def test_a_wildcard_stands_for_subdomains(address: str, permitted: bool) -> None:
    assert permits(("https://*.example.com", "https://pay.example:8443"), address) is permitted


INSIDE = OriginRules(("127.0.0.0/8", "10.1.0.0/16", "8.8.8.0/24"))


def test_origins_are_kept_sorted_in_one_spelling() -> None:
    given = ["https://B.example:443/", " https://a.example", "https://b.example", "https://*.C.example:8443"]
    assert OriginRules().read(given) == ("https://*.c.example:8443", "https://a.example", "https://b.example")


@pytest.mark.parametrize(
    "entry",
    ["http://127.0.0.1:8080", "http://10.1.2.3", "http://localhost:1", "http://x.localhost", "http://ollama:11434", "http://ai.internal"],
)
def test_what_lies_inside_may_go_unencrypted_where_the_operator_permits_it(entry: str) -> None:
    assert INSIDE.read([entry]) == (entry,)
    with pytest.raises(InvalidInput) as caught:
        OriginRules().read([entry])
    assert "RUNWELL_HTTP_ALLOW" in (caught.value.problems[0].hint or "")


@pytest.mark.parametrize(
    "entry",
    [
        *("http://api.example", "http://10.2.0.1", "http://8.8.8.8", "http://[::1]", "ftp://x", "x", "", "*", "https://*", "https://*."),
        *("https://*.com", "https://*.10.1.2.3", "https://a.*.example.com", "https://*.*.example.com", "https://*example.com"),
        *(
            "https://x.example/path",
            "https://x.example?",
            "https://u@x.example",
            "https://x..example",
            "https://-.example",
            "https://ü.example",
        ),
        *("http://*.example.com", "https://*.example.com/x", "https://*.example.com?x", "https://*.u@example.com"),
    ],
)
def test_what_is_no_origin_is_told_with_its_place(entry: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        INSIDE.read(["https://good.example", entry])
    [problem] = caught.value.problems
    assert (problem.pointer, bool(problem.message), bool(problem.hint)) == ("/allowed_origins/1", True, True)
