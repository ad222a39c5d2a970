"""Signing in through an identity provider: OpenID Connect, authorization code with PKCE.

The browser keeps one secret in a cookie from which nonce and verifier follow, so an answer counts only in the browser
that asked; the state is a one-time token. Nothing that is kept here lets anybody in.
"""

from typing import Annotated, Final

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from runwell.api.access import Access
from runwell.api.authentication import Entry
from runwell.api.cookies import cookie_name, put_cookie
from runwell.api.credentials import derived, hashed, new_secret, same
from runwell.api.entering import enter, keep_signed_in
from runwell.api.route import public, router
from runwell.model.errors import InvalidInput, NotFound, NotIdentified
from runwell.ports.identity import Outsider
from runwell.ports.identity_provider import IdentityProvider

routes = router("session")

STATE_MS: Final = 10 * 60_000
"""How long somebody may take at the identity provider."""

Text = Annotated[str, Query(max_length=4_096)]


@routes.get("/v1/session/oidc", status_code=303, responses={303: {"description": "On to the identity provider."}})
@public
async def start_oidc(
    request: Request,
    entry: Entry,
    return_to: Annotated[str, Query(max_length=500, description="The page to come back to, a path of this server.")] = "/",
) -> Response:
    """Send the browser to the identity provider."""
    provider = _provider(entry)
    state, secret = new_secret(), new_secret()
    address = await provider.address(
        redirect_uri=_redirect_uri(request), state=state, nonce=derived(secret, "nonce"), verifier=derived(secret, "verifier")
    )
    data = {"browser": hashed(secret), "return_to": _local(return_to)}
    await entry.identities.tokens.put("oidc", hashed(state), data, STATE_MS)
    response = RedirectResponse(address, 303)
    put_cookie(response, request, entry.rules, _cookie(request, entry), secret, STATE_MS // 1000)
    return response


@routes.get("/v1/session/oidc/callback", status_code=303, responses={303: {"description": "Signed in; the cookie is set."}})
@public
async def finish_oidc(request: Request, entry: Entry, state: Text = "", code: Text = "", error: Text = "") -> Response:
    """Take what the identity provider says, and sign in whom it vouches for."""
    provider = _provider(entry)
    secret = request.cookies.get(_cookie(request, entry), "")
    asked = await entry.identities.tokens.take("oidc", hashed(state))
    if asked is None or not same(asked["browser"], hashed(secret)):
        raise NotIdentified("this sign-in was not begun here, took too long or is over", hint="sign in again")
    if error or not code:
        raise NotIdentified(f"the identity provider refused: {error[:100]!r}", hint="sign in again")
    outsider = await provider.identify(
        code=code, redirect_uri=_redirect_uri(request), nonce=derived(secret, "nonce"), verifier=derived(secret, "verifier")
    )
    browser = await enter(request, entry, await _user(entry, outsider))
    response = RedirectResponse(asked["return_to"], 303)
    keep_signed_in(response, request, entry, browser)
    put_cookie(response, request, entry.rules, _cookie(request, entry), "", 0)
    return response


async def _user(access: Access, outsider: Outsider) -> str:
    user_id = await access.identities.accounts.come_in(outsider, access.rules.oidc_default_role)
    if user_id is None:
        raise NotIdentified("nobody with this identity may sign in here", hint="ask an admin of the organization for an invitation")
    return user_id


def _provider(access: Access) -> IdentityProvider:
    if access.provider is None:
        raise NotFound("this server has no identity provider", hint="set RUNWELL_OIDC_ISSUER, _CLIENT_ID and _CLIENT_SECRET")
    return access.provider


def _redirect_uri(request: Request) -> str:
    return f"{request.base_url}v1/session/oidc/callback"


def _cookie(request: Request, access: Access) -> str:
    return cookie_name(request, access.rules, "runwell-oidc", "runwell-oidc")


def _local(path: str) -> str:
    """Return the path. Raises `InvalidInput` when it leads to another server."""
    if not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable():
        raise InvalidInput(f"return_to is {path!r}", hint="it must be a path of this server, as /runs")
    return path
