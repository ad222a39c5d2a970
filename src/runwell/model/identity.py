"""Organizations, projects, users and keys, as their admins see them. Nothing here is secret."""

from typing import Final, Literal

import msgspec

from runwell.model.principal import Permission, Role

READ_ONLY: Final[frozenset[Permission]] = frozenset({"workflow:read", "organization"})
"""What is left of anybody's permissions in a project that is archived."""


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    created_at: str


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """`slug` is the name in addresses; it never changes. An archived project can be read, and that is all."""

    id: str
    organization_id: str
    slug: str
    name: str
    created_at: str
    archived_at: str | None = None


UserState = Literal["invited", "active", "disabled"]
"""invited: may sign in, but has not chosen a password nor come through the identity provider."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """`roles` by project id; an organization admin has every permission in every project."""

    id: str
    email: str
    name: str
    state: UserState
    organization_admin: bool
    roles: dict[str, Role]
    created_at: str


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """`last_used_at` is right to about a minute."""

    id: str
    name: str
    project_id: str
    scopes: tuple[Permission, ...]
    created_by: str | None
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_at: str | None = None
