"""The web console is served: its page to whoever goes somewhere with a browser, its files for ever, and nothing else."""

import gzip
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from starlette.types import Receive, Scope, Send
from tests.contract.samples import run

from runwell.api.application import create_app
from runwell.api.console import FOLDER, NOT_BUILT, Console
from runwell.model.errors import InvalidInput
from runwell.settings import read_settings
from runwell.testing.parts import parts_without_server

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
PAGE = """<!doctype html><html><head>
    <!--runwell:head-->
    <script type="module" src="./assets/index-abc.js"></script></head><body></body></html>"""


async def nobody(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"nobody"})


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "console"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets/index-abc.js").write_text("console.log(1)")
    (folder / "assets/index-abc.js.gz").write_bytes(gzip.compress(b"console.log(1)"))
    (folder / "assets/font-abc.woff2").write_bytes(b"font")
    (folder / ".built-from").write_text("secret")
    return folder


def ask(folder: Path, check: Callable[[httpx2.AsyncClient], Awaitable[None]], base: str = "") -> None:
    async def main() -> None:
        transport = httpx2.ASGITransport(Console(nobody, folder), root_path=base)
        async with httpx2.AsyncClient(transport=transport, base_url="http://runwell.test") as client:
            await check(client)

    run(main())


@pytest.mark.parametrize("path", ["/", "/runs", "/workflows/a%2Fb/runs", "/agents/x/runs/run_1", "/no/such/page"])
def test_whoever_goes_anywhere_with_a_browser_gets_the_page(built: Path, path: str) -> None:
    async def check(client: httpx2.AsyncClient) -> None:
        page = await client.get(path, headers=BROWSER)
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"
        assert '<base href="/" />' in page.text

    ask(built, check)


@pytest.mark.parametrize("path", ["/v1/no-such", "/v1", "/workflows/v1/no-such", "/schemas/x", "/assets/gone.js"])
def test_a_mistyped_call_is_no_page(built: Path, path: str) -> None:
    async def check(client: httpx2.AsyncClient) -> None:
        assert (await client.get(path, headers=BROWSER)).text == "nobody"

    ask(built, check)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Accept": "*/*"}),
        ("GET", {"Accept": "application/json"}),
        ("GET", {**BROWSER, "Sec-Fetch-Mode": "cors"}),
        ("POST", BROWSER),
    ],
)
def test_programs_get_no_page(built: Path, method: str, headers: dict[str, str]) -> None:
    async def check(client: httpx2.AsyncClient) -> None:
        assert (await client.request(method, "/runs", headers=headers)).text == "nobody"

    ask(built, check)


def test_the_policy_lets_only_our_own_files_run(built: Path) -> None:
    async def check(client: httpx2.AsyncClient) -> None:
        first, second = [await client.get("/", headers=BROWSER) for _ in range(2)]
        nonces = [re.findall(r'<meta property="csp-nonce" nonce="([\w-]{20,})" />', page.text) for page in (first, second)]
        assert [len(found) for found in nonces] == [1, 1]
        assert nonces[0] != nonces[1]
        policy = dict(part.split(" ", 1) for part in first.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert policy["style-src"] == f"'self' 'nonce-{nonces[0][0]}'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in first.headers["content-security-policy"]
        assert "http" not in first.headers["content-security-policy"]
        assert first.headers["x-content-type-options"] == "nosniff"
        assert first.headers["referrer-policy"] == "same-origin"

    ask(built, check)


def test_files_are_kept_for_ever_and_come_packed(built: Path) -> None:
    async def check(client: httpx2.AsyncClient) -> None:
        packed = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip"})
        assert (packed.headers["content-encoding"], packed.text) == ("gzip", "console.log(1)")
        assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
        plain = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.headers["vary"] == "Accept-Encoding"
        assert (await client.get("/assets/font-abc.woff2")).headers["content-type"] == "font/woff2"
        assert (await client.get("/icon.svg")).headers["cache-control"] == "no-cache"

    ask(built, check)


@pytest.mark.parametrize("path", ["/.built-from", "/assets/../index.html", "/assets/%2e%2e/%2e%2e/secret", "/index.html", "/assets/"])
def test_nothing_but_the_files_of_the_build_is_given(built: Path, path: str) -> None:
    (built.parent / "secret").write_text("secret")

    async def check(client: httpx2.AsyncClient) -> None:
        assert (await client.get(path)).text in ("nobody", "")

    ask(built, check)


@pytest.mark.parametrize("path", ["/tools/runs", "/runs", "/tools/", "/tools"])
def test_the_page_knows_its_base_whether_the_proxy_takes_it_off_or_not(built: Path, path: str) -> None:
    async def check(client: httpx2.AsyncClient) -> None:
        assert '<base href="/tools/" />' in (await client.get(path, headers=BROWSER)).text
        assert (await client.get("/tools/assets/index-abc.js")).text == "console.log(1)"

    ask(built, check, base="/tools")


def test_without_a_build_it_says_how_to_make_one(tmp_path: Path) -> None:
    async def check(client: httpx2.AsyncClient) -> None:
        page = await client.get("/", headers=BROWSER)
        assert (page.status_code, page.text) == (404, NOT_BUILT)
        assert "make ui" in page.text
        assert (await client.get("/assets/x.js")).text == "nobody"

    ask(tmp_path / "nothing", check)


def test_the_application_answers_as_before_what_is_no_page() -> None:
    async def main() -> None:
        transport = httpx2.ASGITransport(create_app(parts_without_server()))
        async with httpx2.AsyncClient(transport=transport, base_url="http://runwell.test") as client:
            missing = await client.get("/v1/no-such", headers=BROWSER)
            assert (missing.status_code, missing.json()["code"]) == (404, "NOT_FOUND")
            assert (await client.get("/runs")).status_code == 404
            assert (await client.get("/", headers=BROWSER)).headers["content-type"].startswith("text/")

    run(main())


def test_the_build_lies_in_the_package() -> None:
    assert FOLDER.parts[-2:] == ("runwell", "console")


@pytest.mark.parametrize(("text", "path"), [("", ""), ("/", ""), ("/tools/runwell/", "/tools/runwell")])
def test_a_base_path_is_read(text: str, path: str) -> None:
    assert read_settings(Path("/x"), {"RUNWELL_BASE_PATH": text}).base_path == path


@pytest.mark.parametrize("text", ["tools", "/a//b", '/"><script>', "https://example.com"])
def test_a_base_path_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="RUNWELL_BASE_PATH"):
        read_settings(Path("/x"), {"RUNWELL_BASE_PATH": text})
