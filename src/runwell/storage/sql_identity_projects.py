"""Organizations and projects in SQL, and what a user may do in them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from runwell.model.errors import NotFound
from runwell.model.identity import READ_ONLY, Project
from runwell.model.ids import DEFAULT_ORG, DEFAULT_PROJECT
from runwell.model.principal import EVERYTHING, ROLES, Permission
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.clock import Clock
from runwell.ports.identity import Stretch, Window
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.tables import membership, organization, project, user_account

EVERY_PROJECT = ""
"""The project of a membership that makes an admin of the whole organization."""


class Foundation:
    """The default organization and its project, which are there from the first use on."""

    def __init__(self, sql: Sql, clock: Clock) -> None:
        self._sql, self._clock = sql, clock
        self._laid = False

    async def lay(self) -> None:
        if not self._laid:
            await self._sql.write(lambda connection: lay_foundation(connection, self._clock.now()))
            self._laid = True


def lay_foundation(connection: Connection, now: int) -> None:
    insert_ignoring(connection, organization, org_id=DEFAULT_ORG, name="Default", created_at=now)
    insert_project(connection, DEFAULT_ORG, DEFAULT_PROJECT, "default", "Default", now)


def insert_project(connection: Connection, org_id: str, project_id: str, slug: str, name: str, now: int) -> bool:
    """Return whether it was made: not when its id or slug is taken."""
    named = {"project_id": project_id, "org_id": org_id, "slug": slug, "name": name}
    return insert_ignoring(connection, project, **named, settings={}, revision=1, created_at=now)


def lock_organization(connection: Connection, org_id: str) -> None:
    """Let no other transaction that locks it decide over the organization's members and projects until this one has ended."""
    connection.execute(select(organization.c.org_id).where(organization.c.org_id == org_id).with_for_update())


def within(scope: Scope) -> ColumnElement[bool]:
    """The project of the scope, as long as it is of the scope's organization."""
    return and_(project.c.org_id == scope.org_id, project.c.project_id == scope.project_id)


def enterable(user_id: str) -> Select[Any]:
    """The projects in which an enabled user has a role."""
    enters = or_(membership.c.project_id == project.c.project_id, membership.c.project_id == EVERY_PROJECT)
    mine = (
        select(membership.c.user_id)
        .join(user_account, user_account.c.user_id == membership.c.user_id)
        .where(membership.c.user_id == user_id, membership.c.org_id == project.c.org_id, enters, user_account.c.disabled_at.is_(None))
    )
    return select(project).where(mine.exists())


def permissions_of(connection: Connection, user_id: str, scope: Scope) -> frozenset[Permission] | None:
    """Return what the user may do in the scope now; None for one who is no member of the organization at all."""
    mine = and_(membership.c.user_id == user_id, membership.c.org_id == scope.org_id)
    roles = {found.project_id: found.role for found in connection.execute(select(membership.c.project_id, membership.c.role).where(mine))}
    if not roles:
        return None
    role = roles.get(scope.project_id)
    allowed = EVERYTHING if EVERY_PROJECT in roles else frozenset() if role is None else ROLES[role]
    archived = connection.execute(select(project.c.archived_at).where(within(scope))).scalar_one_or_none()
    return allowed if archived is None else allowed & READ_ONLY


def project_view(found: Row[Any]) -> Project:
    return Project(
        id=found.project_id,
        organization_id=found.org_id,
        slug=found.slug,
        name=found.name,
        created_at=rfc3339(found.created_at),
        archived_at=moment(found.archived_at),
    )


def moment(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)


def no_project(project_id: str) -> NotFound:
    return NotFound(f"there is no project {project_id!r}")


def stretch_of(connection: Connection, statement: Select[Any], key: ColumnElement[str], window: Window) -> Stretch:
    """Read a stretch of the statement's rows in the order of `key`; the items are rows."""
    backwards = window.before is not None
    if backwards:
        ordered = statement.where(key < window.before).order_by(key.desc())
    else:
        ordered = statement.where(key > (window.after or "")).order_by(key)
    found: Sequence[Row[Any]] = connection.execute(ordered.limit(window.limit + 1)).all()
    rows = list(found[: window.limit])
    return Stretch(rows[::-1] if backwards else rows, len(found) > window.limit)
