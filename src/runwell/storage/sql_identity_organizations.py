"""Organizations and projects in SQL, as their members see and change them."""

from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from runwell.model.errors import NotFound, Refused
from runwell.model.identity import Organization, Project
from runwell.model.ids import new_id
from runwell.model.principal import Principal
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.clock import Clock
from runwell.ports.identity import Stretch, Window
from runwell.storage.records import check_names
from runwell.storage.sql import Sql
from runwell.storage.sql_identity_projects import (
    Foundation,
    enterable,
    insert_project,
    lock_organization,
    no_project,
    project_view,
    stretch_of,
    within,
)
from runwell.storage.tables import organization, project


class SqlOrganizations:
    """`Organizations` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql, clock: Clock, foundation: Foundation) -> None:
        self._sql, self._clock, self._foundation = sql, clock, foundation

    async def get(self, scope: Scope) -> Organization:
        await self._foundation.lay()
        return await self._sql.read(lambda connection: _organization(connection, scope.org_id))

    async def rename(self, scope: Scope, name: str) -> Organization:
        check_names(name)
        await self._foundation.lay()

        def rename(connection: Connection) -> Organization:
            connection.execute(update(organization).where(organization.c.org_id == scope.org_id).values(name=name))
            return _organization(connection, scope.org_id)

        return await self._sql.write(rename)

    async def every(self) -> list[Organization]:
        await self._foundation.lay()
        wanted = select(organization).order_by(organization.c.created_at, organization.c.org_id)
        return await self._sql.read(lambda connection: [_view(row) for row in connection.execute(wanted)])

    async def found(self, name: str, project_slug: str) -> Project:
        check_names(name, project_slug)
        await self._foundation.lay()
        now = self._clock.now()

        def found(connection: Connection) -> Project:
            made = Scope(new_id("org"), new_id("prj"))
            connection.execute(organization.insert().values(org_id=made.org_id, name=name, created_at=now))
            insert_project(connection, made.org_id, made.project_id, project_slug, project_slug.capitalize(), now)
            return project_view(_one(connection, made))

        return await self._sql.write(found)

    async def projects(self, scope: Scope, window: Window, *, of: Principal) -> Stretch:
        await self._foundation.lay()
        found = await self._sql.read(lambda connection: stretch_of(connection, _entered(scope, of), project.c.project_id, window))
        return Stretch([project_view(row) for row in found.items], found.more)

    async def entered_by(self, user_id: str) -> list[Project]:
        wanted = enterable(user_id).order_by(project.c.project_id)
        return await self._sql.read(lambda connection: [project_view(row) for row in connection.execute(wanted)])

    async def project(self, scope: Scope, project_id: str, *, of: Principal) -> Project:
        await self._foundation.lay()
        wanted = _entered(scope, of).where(project.c.project_id == project_id)
        found = await self._sql.read(lambda connection: connection.execute(wanted).one_or_none())
        if found is None:
            raise no_project(project_id)
        return project_view(found)

    async def create_project(self, scope: Scope, slug: str, name: str) -> Project:
        check_names(slug, name)
        await self._foundation.lay()
        now = self._clock.now()

        def create(connection: Connection) -> Project:
            made = Scope(scope.org_id, new_id("prj"))
            if not insert_project(connection, made.org_id, made.project_id, slug, name, now):
                raise Refused(f"the organization has a project {slug!r} already", hint="choose another slug")
            return project_view(_one(connection, made))

        return await self._sql.write(create)

    async def update_project(self, scope: Scope, project_id: str, *, name: str | None = None, archived: bool | None = None) -> Project:
        check_names(name or "")
        await self._foundation.lay()
        now, changed = self._clock.now(), Scope(scope.org_id, project_id)
        return await self._sql.write(lambda connection: _update(connection, changed, name, archived, now))


def _entered(scope: Scope, of: Principal) -> Select[Any]:
    """The organization's projects that the principal may enter."""
    if "organization" in of.permissions:
        return select(project).where(project.c.org_id == scope.org_id)
    if of.actor.startswith("usr_"):
        return enterable(of.actor).where(project.c.org_id == scope.org_id)
    return select(project).where(within(scope))


def _organization(connection: Connection, org_id: str) -> Organization:
    found = connection.execute(select(organization).where(organization.c.org_id == org_id)).one_or_none()
    if found is None:
        raise NotFound(f"there is no organization {org_id!r}")
    return _view(found)


def _view(found: Row[Any]) -> Organization:
    return Organization(id=found.org_id, name=found.name, created_at=rfc3339(found.created_at))


def _one(connection: Connection, scope: Scope) -> Row[Any]:
    found = connection.execute(select(project).where(within(scope))).one_or_none()
    if found is None:
        raise no_project(scope.project_id)
    return found


def _update(connection: Connection, scope: Scope, name: str | None, archived: bool | None, now: int) -> Project:
    lock_organization(connection, scope.org_id)
    before = _one(connection, scope)
    changes: dict[str, Any] = {} if name is None else {"name": name}
    if archived is not None and archived != (before.archived_at is not None):
        changes["archived_at"] = now if archived else None
        if archived:
            _not_the_last_project(connection, scope)
    if changes:
        connection.execute(update(project).where(within(scope)).values(**changes, revision=project.c.revision + 1))
    return project_view(_one(connection, scope))


def _not_the_last_project(connection: Connection, scope: Scope) -> None:
    live = select(project.c.project_id).where(project.c.org_id == scope.org_id, project.c.archived_at.is_(None))
    if list(connection.execute(live).scalars()) == [scope.project_id]:
        raise Refused("this is the organization's last project that is not archived", hint="create another project first")
