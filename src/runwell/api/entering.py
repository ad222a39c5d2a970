"""Coming in: from a user who is known now to a session, its cookie and what the browser must know of it."""

import msgspec
from fastapi import Request
from starlette.responses import Response

from runwell.api.access import Access
from runwell.api.authentication import Browser, session_token
from runwell.api.cookies import cookie_name, csrf_token, put_cookie
from runwell.api.credentials import hashed, new_secret
from runwell.model.identity import Organization, Project
from runwell.model.principal import Permission, Principal
from runwell.model.times import rfc3339
from runwell.ports.identity import SESSION_MS, Window


class SignedInUser(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    email: str
    name: str


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls, where, and what they may do there.

    `user`, `csrf_token` and `expires_at` are null for an API key, and for a server without sign-in (actor `local`).
    `project` is null when the user has no role in it any more: switch to one of `projects`.
    """

    actor: str
    user: SignedInUser | None
    organization: Organization
    project: Project | None
    projects: list[Project]
    permissions: tuple[Permission, ...]
    csrf_token: str | None
    expires_at: str | None


async def enter(request: Request, access: Access, user_id: str, project_id: str | None = None) -> Browser:
    """Begin a session, always with a token of its own; one that the browser had ends."""
    token, before = new_secret(), session_token(request, access)
    visit = await access.identities.sessions.start(
        user_id, hashed(token), project_id=project_id, instead_of=None if before is None else hashed(before)
    )
    return Browser(visit, token)


def keep_signed_in(response: Response, request: Request, access: Access, browser: Browser) -> None:
    """Give the browser its cookie."""
    put_cookie(response, request, access.rules, cookie_name(request, access.rules), browser.token, SESSION_MS // 1000)


async def view_of(access: Access, principal: Principal, browser: Browser | None) -> SessionView:
    organizations, account = access.identities.organizations, None
    if browser is None:
        projects: list[Project] = (await organizations.projects(principal.scope, Window(limit=1_000), of=principal)).items
    else:
        projects = await organizations.entered_by(principal.actor)
        account = await access.identities.accounts.by_id(principal.actor)
    return SessionView(
        actor=principal.actor,
        user=None if account is None else SignedInUser(id=account.user_id, email=account.email, name=account.name),
        organization=await organizations.get(principal.scope),
        project=next((project for project in projects if project.id == principal.scope.project_id), None),
        projects=projects,
        permissions=tuple(sorted(principal.permissions)),
        csrf_token=None if browser is None else csrf_token(browser.token),
        expires_at=None if browser is None else rfc3339(browser.visit.expires_at),
    )
