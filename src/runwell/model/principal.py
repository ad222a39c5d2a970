"""Who calls, and what they may do."""

from typing import Final, Literal, get_args

import msgspec

from runwell.model.scope import DEFAULT_SCOPE, Scope

Permission = Literal["workflow:read", "workflow:write", "workflow:run", "task:complete", "admin", "organization"]
"""What a route asks for. `admin` is about one project; `organization` about users and projects, and no key has it."""

KEY_SCOPES: Final = tuple(name for name in get_args(Permission) if name != "organization")
"""What an API key may be given."""

Role = Literal["viewer", "contributor", "admin"]

ROLES: Final[dict[Role, frozenset[Permission]]] = {
    "viewer": frozenset({"workflow:read"}),
    "contributor": frozenset({"workflow:read", "workflow:write", "workflow:run", "task:complete"}),
    "admin": frozenset({"workflow:read", "workflow:write", "workflow:run", "task:complete", "admin"}),
}
"""What a user may do in a project in which they have the role."""

EVERYTHING: Final[frozenset[Permission]] = frozenset(get_args(Permission))


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A caller who is known. `actor` is the id of the user or key, as kept with what they do."""

    scope: Scope
    actor: str
    permissions: frozenset[Permission]


LOCAL: Final = Principal(scope=DEFAULT_SCOPE, actor="local", permissions=EVERYTHING)
"""Whoever reaches a server without sign-in, which listens on loopback only."""
