"""The users of the caller's organization, and what they may do in its projects."""

from typing import Annotated, Final

import msgspec
from fastapi import Path, Request
from pydantic import BaseModel, ConfigDict, Field

from runwell.api.access import Access
from runwell.api.answers import Answer, SecretAnswer, answers
from runwell.api.authentication import Entry
from runwell.api.credentials import hashed, new_secret
from runwell.api.first_run import INVITATION_MS
from runwell.api.ids import ProjectId, UserId
from runwell.api.keyset import Cursor, Limit, cursors, window
from runwell.api.route import Caller, needs, router
from runwell.api.texts import Email, Name
from runwell.model.identity import User
from runwell.model.principal import Role
from runwell.model.times import rfc3339
from runwell.ports.identity import Membership, PasswordLink, UserChange

routes = router("users")


RESET_MS: Final = 24 * 3_600_000

Id = Annotated[UserId, Path(description="The user's id, or its bare UUID.")]
Roles = Annotated[dict[ProjectId, Role], Field(max_length=1_000, description="The user's role in each project, by the project's id.")]


class Invitation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email
    name: Name | None = Field(None, description="By default the e-mail address; who accepts may choose another.")
    organization_admin: bool = Field(False, description="Whether the user may do everything in every project.")
    roles: Roles = {}


class UserUpdate(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    organization_admin: bool | None = None
    roles: Roles | None = Field(None, description="All roles that the user has from now on.")
    disabled: bool | None = Field(None, description="A disabled user cannot sign in; all sessions end at once.")


class LinkedUser(msgspec.Struct, frozen=True, kw_only=True):
    """`link` is shown this once: give it to the user. It is good for one use until `expires_at`."""

    user: User
    link: str
    expires_at: str


class UserList(msgspec.Struct, frozen=True, kw_only=True):
    data: list[User]
    next_cursor: str | None = None
    prev_cursor: str | None = None


@routes.get("/v1/users", responses=answers(UserList, "Users, oldest first."))
@needs("organization")
async def list_users(caller: Caller, entry: Entry, limit: Limit = 50, cursor: Cursor = None) -> Answer:
    """List the users of the organization."""
    asked = window(limit, cursor)
    found = await entry.identities.members.all(caller.scope, asked)
    return Answer(UserList(data=found.items, **cursors(asked, found)))


@routes.get("/v1/users/{user_id}", responses=answers(User, "The user."))
@needs("organization")
async def get_user(user_id: Id, caller: Caller, entry: Entry) -> Answer:
    """Return one user of the organization."""
    return Answer(await entry.identities.members.get(caller.scope, user_id))


@routes.post("/v1/users", status_code=201, responses=answers(LinkedUser, "The user, and the link to send.", 201))
@needs("organization")
async def invite_user(body: Invitation, request: Request, caller: Caller, entry: Entry) -> Answer:
    """Invite somebody. Runwell sends no mail: pass on the link, with which a password can be chosen once."""
    token, link = _new_link(entry, INVITATION_MS)
    membership = Membership(organization_admin=body.organization_admin, roles=body.roles)
    user = await entry.identities.members.invite(caller.scope, body.email, body.name or body.email, membership, link)
    return SecretAnswer(_linked(request, entry, user, token, link), 201)


@routes.patch("/v1/users/{user_id}", responses=answers(User, "The user as it is now."))
@needs("organization")
async def update_user(user_id: Id, body: UserUpdate, caller: Caller, entry: Entry) -> Answer:
    """Change a user's name or roles, disable or enable. What it changes holds from the next request on.

    The last admin of the organization who can sign in stays one (409).
    """
    return Answer(await entry.identities.members.update(caller.scope, user_id, UserChange(**dict(body))))


@routes.post("/v1/users/{user_id}/password-link", status_code=201, responses=answers(LinkedUser, "The link to send.", 201))
@needs("organization")
async def create_password_link(user_id: Id, request: Request, caller: Caller, entry: Entry) -> Answer:
    """Make a link with which the user can choose a new password once. The old one counts until then."""
    token, link = _new_link(entry, RESET_MS)
    user = await entry.identities.members.new_link(caller.scope, user_id, link)
    return SecretAnswer(_linked(request, entry, user, token, link), 201)


def _new_link(access: Access, ttl_ms: int) -> tuple[str, PasswordLink]:
    token = new_secret()
    return token, PasswordLink(token_hash=hashed(token), ttl_ms=ttl_ms)


def _linked(request: Request, access: Access, user: User, token: str, link: PasswordLink) -> LinkedUser:
    end = rfc3339(access.clock.now() + link.ttl_ms)
    return LinkedUser(user=user, link=f"{request.base_url}password?token={token}", expires_at=end)
