"""The users of an organization in SQL, as its admins see and change them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, or_, select, update

from runwell.model.errors import InvalidInput, NotFound, Refused
from runwell.model.identity import User, UserState
from runwell.model.ids import new_id
from runwell.model.principal import Role
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.clock import Clock
from runwell.ports.identity import Membership, PasswordLink, Stretch, UserChange, Window
from runwell.storage.records import check_names
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.sql_identity_accounts import fingerprint, insert_membership
from runwell.storage.sql_identity_projects import EVERY_PROJECT, Foundation, lock_organization, no_project, stretch_of
from runwell.storage.sql_identity_tokens import put_token
from runwell.storage.tables import membership, project, session, user_account


class SqlMembers:
    """`Members` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql, clock: Clock, foundation: Foundation) -> None:
        self._sql, self._clock, self._foundation = sql, clock, foundation

    async def all(self, scope: Scope, window: Window) -> Stretch:
        return await self._sql.read(lambda connection: _all(connection, scope.org_id, window))

    async def get(self, scope: Scope, user_id: str) -> User:
        return await self._sql.read(lambda connection: _view(connection, scope.org_id, _one(connection, scope.org_id, user_id)))

    async def invite(self, scope: Scope, email: str, name: str, membership: Membership, link: PasswordLink) -> User:
        check_names(email, name)
        await self._foundation.lay()
        now = self._clock.now()

        def invite(connection: Connection) -> User:
            user_id = new_id("usr")
            if not insert_ignoring(connection, user_account, user_id=user_id, email=email, name=name, created_at=now):
                raise Refused(f"somebody with the e-mail address {email!r} has an account already")
            _become(connection, scope.org_id, user_id, membership, now)
            return _linked(connection, scope.org_id, user_id, link, now)

        return await self._sql.write(invite)

    async def update(self, scope: Scope, user_id: str, change: UserChange) -> User:
        check_names(change.name or "")
        now = self._clock.now()
        return await self._sql.write(lambda connection: _update(connection, scope.org_id, user_id, change, now))

    async def new_link(self, scope: Scope, user_id: str, link: PasswordLink) -> User:
        now = self._clock.now()

        def renew(connection: Connection) -> User:
            if _one(connection, scope.org_id, user_id).disabled_at is not None:
                raise Refused(f"the user {user_id!r} is disabled", hint="enable the user first")
            _only_here(connection, scope.org_id, user_id)
            return _linked(connection, scope.org_id, user_id, link, now)

        return await self._sql.write(renew)


def _all(connection: Connection, org_id: str, window: Window) -> Stretch:
    found = stretch_of(connection, select(user_account).where(_member_of(org_id)), user_account.c.user_id, window)
    held = _held(connection, org_id, [row.user_id for row in found.items])
    return Stretch([_user(row, held.get(row.user_id, {})) for row in found.items], found.more)


def _member_of(org_id: str) -> Any:
    mine = and_(membership.c.user_id == user_account.c.user_id, membership.c.org_id == org_id)
    return select(membership.c.user_id).where(mine).exists()


def _held(connection: Connection, org_id: str, user_ids: Iterable[str]) -> dict[str, dict[str, Role]]:
    """Return the roles of each user, by project."""
    held: dict[str, dict[str, Role]] = {}
    for row in connection.execute(select(membership).where(membership.c.org_id == org_id, membership.c.user_id.in_(list(user_ids)))):
        held.setdefault(row.user_id, {})[row.project_id] = row.role
    return held


def _one(connection: Connection, org_id: str, user_id: str) -> Row[Any]:
    found = connection.execute(select(user_account).where(user_account.c.user_id == user_id, _member_of(org_id))).one_or_none()
    if found is None:
        raise NotFound(f"there is no user {user_id!r}")
    return found


def _view(connection: Connection, org_id: str, found: Row[Any]) -> User:
    return _user(found, _held(connection, org_id, [found.user_id]).get(found.user_id, {}))


def _user(found: Row[Any], held: dict[str, Role]) -> User:
    entered = found.password_hash is not None or found.oidc_subject is not None
    state: UserState = "disabled" if found.disabled_at is not None else "active" if entered else "invited"
    return User(
        id=found.user_id,
        email=found.email,
        name=found.name,
        state=state,
        organization_admin=EVERY_PROJECT in held,
        roles={project_id: role for project_id, role in sorted(held.items()) if project_id != EVERY_PROJECT},
        created_at=rfc3339(found.created_at),
    )


def _become(connection: Connection, org_id: str, user_id: str, wanted: Membership, now: int) -> None:
    """Give the user these roles in the organization, and no others."""
    if not wanted.organization_admin and not wanted.roles:
        raise InvalidInput("the user would have no role", hint="give a role in a project, or disable the user")
    known = set(connection.execute(select(project.c.project_id).where(project.c.org_id == org_id)).scalars())
    missing = next((project_id for project_id in wanted.roles if project_id not in known), None)
    if missing is not None:
        raise no_project(missing)
    connection.execute(delete(membership).where(membership.c.user_id == user_id, membership.c.org_id == org_id))
    if wanted.organization_admin:
        insert_membership(connection, user_id, org_id, EVERY_PROJECT, "admin", now)
    for project_id, role in wanted.roles.items():
        insert_membership(connection, user_id, org_id, project_id, role, now)


def _linked(connection: Connection, org_id: str, user_id: str, link: PasswordLink, now: int) -> User:
    found = _one(connection, org_id, user_id)
    put_token(connection, "password", link.token_hash, {"user_id": user_id, "account": fingerprint(found)}, now, link.ttl_ms)
    return _view(connection, org_id, found)


def _update(connection: Connection, org_id: str, user_id: str, change: UserChange, now: int) -> User:
    lock_organization(connection, org_id)
    before = _view(connection, org_id, _one(connection, org_id, user_id))
    if change.name is not None or change.disabled is not None:
        _only_here(connection, org_id, user_id)
    wanted = Membership(
        organization_admin=before.organization_admin if change.organization_admin is None else change.organization_admin,
        roles=before.roles if change.roles is None else change.roles,
    )
    if change.disabled or not wanted.organization_admin:
        _not_the_last_admin(connection, org_id, user_id)
    if change.organization_admin is not None or change.roles is not None:
        _become(connection, org_id, user_id, wanted, now)
    mine = user_account.c.user_id == user_id
    if change.name is not None:
        connection.execute(update(user_account).where(mine).values(name=change.name))
    if change.disabled is not None:
        _disable(connection, user_id, now if change.disabled else None)
    return _view(connection, org_id, _one(connection, org_id, user_id))


def _disable(connection: Connection, user_id: str, since: int | None) -> None:
    connection.execute(update(user_account).where(user_account.c.user_id == user_id).values(disabled_at=since))
    if since is not None:
        connection.execute(delete(session).where(session.c.user_id == user_id))


def _not_the_last_admin(connection: Connection, org_id: str, user_id: str) -> None:
    """Raise `Refused` for the only admin of the organization who can sign in."""
    can_sign_in = or_(user_account.c.password_hash.is_not(None), user_account.c.oidc_subject.is_not(None))
    admins = (
        select(user_account.c.user_id)
        .join(membership, membership.c.user_id == user_account.c.user_id)
        .where(membership.c.org_id == org_id, membership.c.project_id == EVERY_PROJECT, user_account.c.disabled_at.is_(None), can_sign_in)
    )
    if list(connection.execute(admins).scalars()) == [user_id]:
        raise Refused("this is the last admin of the organization who can sign in", hint="make somebody else an organization admin first")


def _only_here(connection: Connection, org_id: str, user_id: str) -> None:
    """Raise `Refused` for a user whom another organization trusts, too: how they sign in is not this one's alone to decide."""
    elsewhere = select(membership.c.user_id).where(membership.c.user_id == user_id, membership.c.org_id != org_id).limit(1)
    if connection.execute(elsewhere).one_or_none() is not None:
        raise Refused(f"the user {user_id!r} is not of this organization alone", hint="change the roles in this organization instead")
