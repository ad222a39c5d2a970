"""Users in SQL as sign-in sees them: by e-mail address, by one-time link, by what an identity provider says."""

import hashlib
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, select, update

from runwell.model.errors import Refused
from runwell.model.ids import DEFAULT_ORG, DEFAULT_PROJECT, new_id
from runwell.model.principal import Role
from runwell.ports.clock import Clock
from runwell.ports.identity import Account, FirstUser, Outsider
from runwell.storage.records import check_names
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.sql_identity_projects import EVERY_PROJECT, Foundation, lock_organization
from runwell.storage.sql_identity_tokens import take_token
from runwell.storage.tables import membership, organization, session, user_account


class SqlAccounts:
    """`Accounts` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql, clock: Clock, foundation: Foundation) -> None:
        self._sql, self._clock, self._foundation = sql, clock, foundation

    async def anybody(self) -> bool:
        return await self._sql.read(_anybody)

    async def by_email(self, email: str) -> Account | None:
        wanted = select(user_account).where(user_account.c.email == email)
        return await self._sql.read(lambda connection: _account(connection.execute(wanted).one_or_none()))

    async def by_id(self, user_id: str) -> Account | None:
        wanted = select(user_account).where(user_account.c.user_id == user_id)
        return await self._sql.read(lambda connection: _account(connection.execute(wanted).one_or_none()))

    async def set_up(self, token_hash: str, first: FirstUser) -> str | None:
        check_names(first.email, first.name, first.organization_name or "")
        await self._foundation.lay()
        now = self._clock.now()
        return await self._sql.write(lambda connection: _set_up(connection, token_hash, first, now))

    async def set_password(self, user_id: str, password_hash: str, keep_session: str | None) -> None:
        def change(connection: Connection) -> None:
            connection.execute(update(user_account).where(user_account.c.user_id == user_id).values(password_hash=password_hash))
            others = and_(session.c.user_id == user_id, session.c.token_hash != (keep_session or ""))
            connection.execute(delete(session).where(others))

        await self._sql.write(change)

    async def rehash(self, user_id: str, known: str, better: str) -> None:
        unchanged = and_(user_account.c.user_id == user_id, user_account.c.password_hash == known)
        await self._sql.write(lambda connection: connection.execute(update(user_account).where(unchanged).values(password_hash=better)))

    async def redeem_password(self, token_hash: str, password_hash: str, name: str | None) -> str | None:
        check_names(name or "")
        now = self._clock.now()
        return await self._sql.write(lambda connection: _redeem(connection, token_hash, password_hash, name, now))

    async def come_in(self, outsider: Outsider, default_role: Role | None) -> str | None:
        check_names(outsider.issuer, outsider.subject, outsider.email or "", outsider.name)
        await self._foundation.lay()
        now = self._clock.now()
        return await self._sql.write(lambda connection: _come_in(connection, outsider, default_role, now))


def fingerprint(found: Row[Any]) -> str:
    """Return what changes with how the user signs in: a password link is for the account as it was when the link was made."""
    return hashlib.sha256(repr((found.password_hash, found.oidc_issuer, found.oidc_subject)).encode()).hexdigest()


def insert_membership(connection: Connection, user_id: str, org_id: str, project_id: str, role: Role, now: int) -> None:
    row = {"user_id": user_id, "org_id": org_id, "project_id": project_id, "role": role, "created_at": now}
    connection.execute(membership.insert().values(**row))


def _anybody(connection: Connection) -> bool:
    return connection.execute(select(user_account.c.user_id).limit(1)).one_or_none() is not None


def _account(found: Row[Any] | None) -> Account | None:
    if found is None:
        return None
    return Account(
        user_id=found.user_id,
        email=found.email,
        name=found.name,
        password_hash=found.password_hash,
        disabled=found.disabled_at is not None,
    )


def _set_up(connection: Connection, token_hash: str, first: FirstUser, now: int) -> str | None:
    lock_organization(connection, DEFAULT_ORG)
    if _anybody(connection):
        raise Refused("this Runwell is set up already", hint="sign in, or ask an admin of the organization for an invitation")
    if take_token(connection, "setup", token_hash, now) is None:
        return None
    user_id = new_id("usr")
    named = {"user_id": user_id, "email": first.email, "name": first.name}
    connection.execute(user_account.insert().values(**named, password_hash=first.password_hash, created_at=now))
    insert_membership(connection, user_id, DEFAULT_ORG, EVERY_PROJECT, "admin", now)
    if first.organization_name is not None:
        connection.execute(update(organization).where(organization.c.org_id == DEFAULT_ORG).values(name=first.organization_name))
    return user_id


def _redeem(connection: Connection, token_hash: str, password_hash: str, name: str | None, now: int) -> str | None:
    data = take_token(connection, "password", token_hash, now)
    if data is None:
        return None
    user_id: str = data["user_id"]
    mine = user_account.c.user_id == user_id
    found = connection.execute(select(user_account).where(mine).with_for_update()).one_or_none()
    if found is None or found.disabled_at is not None or fingerprint(found) != data["account"]:
        return None
    connection.execute(update(user_account).where(mine).values(password_hash=password_hash, name=name or found.name))
    connection.execute(delete(session).where(session.c.user_id == user_id))
    return user_id


def _come_in(connection: Connection, outsider: Outsider, default_role: Role | None, now: int) -> str | None:
    linked = and_(user_account.c.oidc_issuer == outsider.issuer, user_account.c.oidc_subject == outsider.subject)
    found = connection.execute(select(user_account).where(linked)).one_or_none()
    if found is not None or outsider.email is None:
        return None if found is None or found.disabled_at is not None else str(found.user_id)
    found = connection.execute(select(user_account).where(user_account.c.email == outsider.email).with_for_update()).one_or_none()
    if found is None:
        return None if default_role is None else _join(connection, outsider, outsider.email, default_role, now)
    if found.disabled_at is not None or found.oidc_subject is not None:
        return None
    mine = update(user_account).where(user_account.c.user_id == found.user_id)
    connection.execute(mine.values(oidc_issuer=outsider.issuer, oidc_subject=outsider.subject))
    return str(found.user_id)


def _join(connection: Connection, outsider: Outsider, email: str, role: Role, now: int) -> str | None:
    user_id = new_id("usr")
    named = {"user_id": user_id, "email": email, "name": outsider.name, "created_at": now}
    if not insert_ignoring(connection, user_account, **named, oidc_issuer=outsider.issuer, oidc_subject=outsider.subject):
        return None  # somebody with the address or identity came in meanwhile
    insert_membership(connection, user_id, DEFAULT_ORG, DEFAULT_PROJECT, role, now)
    return user_id
