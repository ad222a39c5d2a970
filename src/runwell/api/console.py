"""The web console: one page, built by `ui/`, and the files that it loads.

A browser that goes to any address that is no operation's gets the page, which knows by itself what to show there. Everything else
that nobody answers stays not found. The page loads nothing from elsewhere, and its policy says so: scripts are files of ours,
styles made at run time carry the answer's nonce.
"""

import html
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER: Final = Path(__file__).parents[1] / "console"
"""Where the build lies; it is not there in a checkout that was installed without Node."""

PAGE: Final = "index.html"
HEAD: Final = "<!--runwell:head-->"
"""Where the page takes what only the server knows: its base path, and the nonce of its styles."""

NOT_BUILT: Final = (
    "The web console is not built in this installation: run `make ui`, which needs Node 20, and start the server again; "
    "the command line and the HTTP interface below /v1 work without it.\n"
)

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'nonce-{nonce}'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".wasm": "application/wasm",
}
_NOT_PAGES: Final = ("/v1", "/workflows/v1", "/schemas", "/problems", "/assets", "/mcp")
"""Below these paths nothing is a page: a mistyped call gets a problem, in a browser, too."""


class _File(msgspec.Struct, frozen=True):
    """A file that the page loads; `packed`: the same with gzip."""

    content: bytes
    packed: bytes | None
    media_type: str
    is_hashed: bool


class Console:
    """Answers what no operation does: the page and its files; `otherwise` answers the rest."""

    def __init__(self, otherwise: ASGIApp, folder: Path = FOLDER) -> None:
        self._otherwise = otherwise
        self._page = _read(folder / PAGE)
        self._files = {} if self._page is None else _files(folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._answer(Request(scope)) if scope["type"] == "http" else None
        await (response or self._otherwise)(scope, receive, send)

    def _answer(self, request: Request) -> Response | None:
        if request.method not in ("GET", "HEAD"):
            return None
        path = _path(request.scope)
        if (found := self._files.get(path)) is not None:
            return _file(found, request.headers)
        if path not in ("", "/") and not _is_navigation(path, request.headers):
            return None
        return PlainTextResponse(NOT_BUILT, 404) if self._page is None else _page(self._page, request.scope.get("root_path", ""))


def _path(scope: Scope) -> str:
    """Return the path below the base path, whether a proxy has taken that off or not."""
    path, base = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(base) if path == base or path.startswith(f"{base}/") else path


def _is_navigation(path: str, headers: Mapping[str, str]) -> bool:
    """Whether a person goes there with a browser, rather than a program or a page that loads something."""
    below = any(path == each or path.startswith(f"{each}/") for each in _NOT_PAGES)
    return not below and "text/html" in headers.get("accept", "") and headers.get("sec-fetch-mode", "navigate") == "navigate"


def _page(text: str, base: str) -> Response:
    nonce = secrets.token_urlsafe(16)
    head = f'<base href="{html.escape(base)}/" />\n    <meta property="csp-nonce" nonce="{nonce}" />'
    policy = {"Content-Security-Policy": _POLICY.format(nonce=nonce), "Cache-Control": "no-cache"}
    return Response(text.replace(HEAD, head, 1), headers={**_HEADERS, **policy}, media_type="text/html; charset=utf-8")


def _file(file: _File, headers: Mapping[str, str]) -> Response:
    kept = {"Cache-Control": _FOR_EVER if file.is_hashed else "no-cache", **_HEADERS}
    if file.packed is None:
        return Response(file.content, headers=kept, media_type=file.media_type)
    packs = "gzip" in headers.get("accept-encoding", "")
    kept = {**kept, "Vary": "Accept-Encoding", **({"Content-Encoding": "gzip"} if packs else {})}
    return Response(file.packed if packs else file.content, headers=kept, media_type=file.media_type)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _files(folder: Path) -> dict[str, _File]:
    """Return every file of the build by its path: what is not listed cannot be asked for."""
    found = {}
    for path in sorted(folder.rglob("*")):
        media_type = _TYPES.get(path.suffix)
        if media_type is not None and path.is_file():
            packed = path.with_name(f"{path.name}.gz")
            name = path.relative_to(folder).as_posix()
            content = path.read_bytes()
            found[f"/{name}"] = _File(content, packed.read_bytes() if packed.is_file() else None, media_type, name.startswith("assets/"))
    return found
