"""What one-time links lead to: the first user of all, and a password of one's own."""

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from runwell.api.answers import Answer, answers
from runwell.api.authentication import Entry
from runwell.api.cookies import check_origin
from runwell.api.credentials import hashed
from runwell.api.entering import SessionView, enter
from runwell.api.errors import Unauthenticated
from runwell.api.passwords import Password
from runwell.api.route import public, router
from runwell.api.routes.session import answer_signed_in
from runwell.api.texts import Email, Name, Token
from runwell.model.errors import Refused
from runwell.ports.identity import FirstUser

routes = router("setup")


class SetUp(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: Token
    email: Email
    name: Name
    password: Password
    organization_name: Name | None = None


class PasswordChoice(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: Token
    password: Password
    name: Name | None = None


@routes.post("/v1/setup", responses=answers(SessionView, "Set up and signed in; the cookie is set."))
@public
async def set_up(body: SetUp, request: Request, entry: Entry) -> Answer:
    """Make the first user, who is admin of the default organization, with the token that `runwell serve` printed.

    Answers 409 once there is a user.
    """
    check_origin(request, entry.rules)
    accounts, token_hash = entry.identities.accounts, hashed(body.token)
    if await accounts.anybody():
        raise Refused("this Runwell is set up already", hint="sign in, or ask an admin of the organization for an invitation")
    if not await entry.identities.tokens.valid("setup", token_hash):
        raise _no_link("start the server again: it prints a new one")
    password_hash = await entry.passwords.hash(body.password)
    first = FirstUser(email=body.email, name=body.name, password_hash=password_hash, organization_name=body.organization_name)
    user_id = await accounts.set_up(token_hash, first)
    if user_id is None:
        raise _no_link("start the server again: it prints a new one")
    return await answer_signed_in(request, entry, await enter(request, entry, user_id))


@routes.post("/v1/password", responses=answers(SessionView, "The password is set, and the user signed in; the cookie is set."))
@public
async def choose_password(body: PasswordChoice, request: Request, entry: Entry) -> Answer:
    """Choose a password with the token of a one-time link. All sessions that the user had end."""
    check_origin(request, entry.rules)
    token_hash = hashed(body.token)
    if not await entry.identities.tokens.valid("password", token_hash):
        raise _no_link("ask an admin of the organization for a new one")
    user_id = await entry.identities.accounts.redeem_password(token_hash, await entry.passwords.hash(body.password), body.name)
    if user_id is None:
        raise _no_link("ask an admin of the organization for a new one")
    return await answer_signed_in(request, entry, await enter(request, entry, user_id))


def _no_link(hint: str) -> Unauthenticated:
    return Unauthenticated("this link is not valid, or not any more", hint=hint)
