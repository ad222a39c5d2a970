"""The pages that one-time links lead to, for as long as nobody is signed in."""

import secrets
from importlib import resources
from typing import Final

from starlette.responses import Response

from runwell.api.route import public, router

routes = router("pages")

_PAGE: Final = resources.files("runwell.api").joinpath("pages/welcome.html").read_text(encoding="utf-8")
_POLICY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


def _page() -> Response:
    nonce = secrets.token_urlsafe(16)
    headers = {
        "Content-Security-Policy": _POLICY.format(nonce=nonce),
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(_PAGE.replace("{{nonce}}", nonce), headers=headers, media_type="text/html; charset=utf-8")


@routes.get("/setup", include_in_schema=False)
@public
async def show_set_up() -> Response:
    """Show the form that makes the first user."""
    return _page()


@routes.get("/password", include_in_schema=False)
@public
async def show_password_choice() -> Response:
    """Show the form that takes a password."""
    return _page()
