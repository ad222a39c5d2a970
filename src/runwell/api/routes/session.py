"""The session of a browser: signing in with a password, who am I, switching the project, signing out."""

from typing import Annotated, Literal

import msgspec
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from runwell.api.access import Access
from runwell.api.answers import Answer, SecretAnswer, answers, no_content
from runwell.api.authentication import Browser, Entry, InBrowser
from runwell.api.cookies import check_origin, cookie_name, put_cookie
from runwell.api.credentials import hashed
from runwell.api.entering import SessionView, enter, keep_signed_in, view_of
from runwell.api.errors import Unauthenticated
from runwell.api.ids import ProjectId
from runwell.api.passwords import Password
from runwell.api.route import Caller, public, router, signed_in
from runwell.api.texts import Email
from runwell.model.errors import Refused
from runwell.ports.identity import Account

routes = router("session")

GivenPassword = Annotated[str, Field(min_length=1, max_length=256)]


class SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email
    password: GivenPassword
    project: ProjectId | None = Field(None, description="The project to enter; by default the first that the user may enter.")


class ProjectSwitch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    project: ProjectId


class PasswordChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    current_password: GivenPassword
    new_password: Password


class SignInWays(msgspec.Struct, frozen=True, kw_only=True):
    """`set_up`: there is a user, so somebody can sign in."""

    set_up: bool
    methods: tuple[Literal["password", "oidc"], ...]


@routes.get("/v1/sign-in", responses=answers(SignInWays, "How to sign in."))
@public
async def get_sign_in_ways(entry: Entry) -> Answer:
    """Return in which ways one can sign in here."""
    methods: tuple[Literal["password", "oidc"], ...] = ("password",) if entry.provider is None else ("password", "oidc")
    return Answer(SignInWays(set_up=await entry.identities.accounts.anybody(), methods=methods))


@routes.post("/v1/session", responses=answers(SessionView, "Signed in; the cookie is set."))
@public
async def sign_in(body: SignIn, request: Request, entry: Entry) -> Answer:
    """Sign in with e-mail address and password. Too many attempts answer 429 with `Retry-After`."""
    check_origin(request, entry.rules)
    account = await entry.identities.accounts.by_email(body.email)
    await _check_password(request, entry, body.email, account, body.password)
    assert account is not None
    return await answer_signed_in(request, entry, await enter(request, entry, account.user_id, body.project))


async def _check_password(request: Request, access: Access, email: str, account: Account | None, password: str) -> None:
    """Raise `Unauthenticated`, in the same words and after the same work, unless the account is there, enabled and has the password."""
    address = request.client.host if request.client is not None else ""
    access.throttle.attempt(email, address)
    known = None if account is None or account.disabled else account.password_hash
    right = await access.passwords.match(known, password)
    if account is None or known is None or not right:
        raise Unauthenticated("the e-mail address or the password is wrong", hint="an admin of the organization can send a password link")
    access.throttle.succeeded(email, address)
    if access.passwords.is_weak(known):
        await access.identities.accounts.rehash(account.user_id, known, await access.passwords.hash(password))


async def answer_signed_in(request: Request, access: Access, browser: Browser) -> Answer:
    """Answer with the session, and its cookie."""
    answer = SecretAnswer(await view_of(access, browser.visit.principal, browser))
    keep_signed_in(answer, request, access, browser)
    return answer


@routes.get("/v1/session", responses=answers(SessionView, "Who calls, and what they may do."))
@signed_in
async def get_session(request: Request, caller: Caller, entry: Entry) -> Answer:
    """Return who calls: a user's session, an API key, or anybody where there is no sign-in."""
    return SecretAnswer(await view_of(entry, caller, getattr(request.state, "browser", None)))


@routes.post("/v1/session/project", responses=answers(SessionView, "The session is in the project now."))
@signed_in
async def switch_project(body: ProjectSwitch, browser: InBrowser, entry: Entry) -> Answer:
    """Move the session into another project that its user may enter."""
    visit = await entry.identities.sessions.switch(hashed(browser.token), body.project)
    return SecretAnswer(await view_of(entry, visit.principal, Browser(visit, browser.token)))


@routes.post("/v1/session/password", status_code=204, responses=no_content("The password is changed."))
@signed_in
async def change_password(body: PasswordChange, request: Request, browser: InBrowser, entry: Entry) -> Response:
    """Change one's password. All other sessions of the user end."""
    accounts = entry.identities.accounts
    account = await accounts.by_id(browser.visit.user_id)
    if account is None or account.password_hash is None:
        raise Refused("this user signs in without a password", hint="an admin of the organization can send a password link")
    await _check_password(request, entry, account.email, account, body.current_password)
    await accounts.set_password(account.user_id, await entry.passwords.hash(body.new_password), hashed(browser.token))
    return Response(status_code=204)


@routes.delete("/v1/session", status_code=204, responses=no_content("The session has ended."))
@signed_in
async def sign_out(request: Request, browser: InBrowser, entry: Entry) -> Response:
    """End the session."""
    await entry.identities.sessions.end(hashed(browser.token))
    response = Response(status_code=204)
    put_cookie(response, request, entry.rules, cookie_name(request, entry.rules), "", 0)
    return response
