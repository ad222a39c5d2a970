"""Who may come in, and what they may do there.

Secrets come here as SHA-256 in hex, passwords as their argon2id hash: nothing that opens a door is kept.
What lies outside of the scope of a call does not exist for it: `NotFound`, in the words for an unknown id.
"""

from typing import Any, Final, Literal, Protocol

import msgspec

from runwell.model.identity import ApiKey, Organization, Project, User
from runwell.model.principal import Permission, Principal, Role
from runwell.model.scope import Scope

SESSION_IDLE_MS: Final = 12 * 3_600_000
"""How long a session lasts without a request."""

SESSION_MS: Final = 7 * 24 * 3_600_000
"""How long a session lasts at most."""

Purpose = Literal["setup", "password", "stream", "oidc"]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a list in the order of ids: what follows `after`, or what leads up to `before`."""

    limit: int = 50
    after: str | None = None
    before: str | None = None


class Stretch(msgspec.Struct, frozen=True):
    """`more`: the list goes on in the direction in which it was read."""

    items: list[Any]
    more: bool


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is asked for; `secret_hash` is that of its secret part."""

    key_id: str
    secret_hash: str
    name: str
    scopes: tuple[Permission, ...]
    expires_at: int | None = None


class KnownKey(msgspec.Struct, frozen=True, kw_only=True):
    principal: Principal
    last_used_at: int | None


class Keys(Protocol):
    async def find(self, key_id: str, secret_hash: str) -> KnownKey | None:
        """Return whom the key lets in; None when it is unknown, wrong, expired or revoked. Takes the same time for all."""
        ...

    async def touch(self, key_id: str) -> None:
        """Keep that the key was used now, unless that was kept within the last minute."""
        ...

    async def create(self, scope: Scope, actor: str, key: NewKey) -> ApiKey:
        """Make a key of the scope's project. One that a key makes ends with its maker at the latest; raises `InvalidInput` otherwise."""
        ...

    async def all(self, scope: Scope, window: Window) -> Stretch:
        """Return keys of the scope's project, oldest first, revoked ones too."""
        ...

    async def revoke(self, scope: Scope, key_id: str) -> ApiKey:
        """End the key, now and for good. Idempotent."""
        ...


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A user's session as it stands now; `permissions` are those of this moment."""

    user_id: str
    scope: Scope
    permissions: frozenset[Permission]
    created_at: int
    expires_at: int

    @property
    def principal(self) -> Principal:
        return Principal(scope=self.scope, actor=self.user_id, permissions=self.permissions)


class Sessions(Protocol):
    async def start(self, user_id: str, token_hash: str, *, project_id: str | None = None, instead_of: str | None = None) -> Visit:
        """Begin a session in the project, by default the first that the user may enter, and end the one it replaces.

        Raises `NotFound` for a project that the user may not enter, and when there is none at all.
        """
        ...

    async def find(self, token_hash: str) -> Visit | None:
        """Return the session, None when it has ended or its user is disabled or no longer a member."""
        ...

    async def extend(self, token_hash: str) -> None:
        """Let the idle time begin anew; the session still ends at its absolute limit."""
        ...

    async def switch(self, token_hash: str, project_id: str) -> Visit:
        """Move the session into another project that its user may enter. Raises `NotFound`."""
        ...

    async def end(self, token_hash: str) -> None: ...


class Tokens(Protocol):
    """Tokens that open something once."""

    async def put(self, purpose: Purpose, token_hash: str, data: dict[str, Any], ttl_ms: int, *, only: bool = False) -> None:
        """Keep a token; `only` ends all others of its purpose."""
        ...

    async def valid(self, purpose: Purpose, token_hash: str) -> bool:
        """Whether the token would count. It is not used by that."""
        ...

    async def take(self, purpose: Purpose, token_hash: str) -> dict[str, Any] | None:
        """Use the token up and return its data; None when it is unknown, expired or was used. One of many concurrent calls gets it."""
        ...


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What sign-in must know. `password_hash` is None when the user has no password."""

    user_id: str
    email: str
    name: str
    password_hash: str | None = None
    disabled: bool = False


class FirstUser(msgspec.Struct, frozen=True, kw_only=True):
    email: str
    name: str
    password_hash: str
    organization_name: str | None = None


class Outsider(msgspec.Struct, frozen=True, kw_only=True):
    """Who the identity provider says somebody is. `email` is None unless the provider has verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str


class Accounts(Protocol):
    """Users as sign-in sees them, whatever their organization."""

    async def anybody(self) -> bool:
        """Whether there is a user."""
        ...

    async def by_email(self, email: str) -> Account | None: ...

    async def by_id(self, user_id: str) -> Account | None: ...

    async def set_up(self, token_hash: str, first: FirstUser) -> str | None:
        """Use the `setup` token up and make the first user, admin of the default organization; return the user's id.

        None when the token does not count. Raises `Refused` once there is a user.
        """
        ...

    async def set_password(self, user_id: str, password_hash: str, keep_session: str | None) -> None:
        """Change the password and end the user's other sessions."""
        ...

    async def rehash(self, user_id: str, known: str, better: str) -> None:
        """Replace the hash of an unchanged password."""
        ...

    async def redeem_password(self, token_hash: str, password_hash: str, name: str | None) -> str | None:
        """Use a `password` token up, set the password and end all sessions of the user; return the user's id.

        None when the token does not count, or the account has changed since it was made.
        """
        ...

    async def come_in(self, outsider: Outsider, default_role: Role | None) -> str | None:
        """Return the user of an identity: the one it is linked to, else the one with this e-mail address, who is linked to it now,
        else a new one with the role in the default project. None when there is none of them or the user is disabled."""
        ...


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may do in an organization: all, or by project what the role allows."""

    organization_admin: bool = False
    roles: dict[str, Role] = {}


class UserChange(msgspec.Struct, frozen=True, kw_only=True):
    """None: as it is. `roles` are all that the user has in projects from now on."""

    name: str | None = None
    organization_admin: bool | None = None
    roles: dict[str, Role] | None = None
    disabled: bool | None = None


class PasswordLink(msgspec.Struct, frozen=True, kw_only=True):
    """A token with which a user's password can be chosen once, and how long that is possible."""

    token_hash: str
    ttl_ms: int


class Members(Protocol):
    """The users of the scope's organization. Its last admin who can sign in cannot be removed or disabled: `Refused`."""

    async def all(self, scope: Scope, window: Window) -> Stretch: ...

    async def get(self, scope: Scope, user_id: str) -> User: ...

    async def invite(self, scope: Scope, email: str, name: str, membership: Membership, link: PasswordLink) -> User:
        """Make a user who may choose a password by the link. Raises `Refused` when the address has an account already."""
        ...

    async def update(self, scope: Scope, user_id: str, change: UserChange) -> User:
        """Change the user; disabling ends all sessions at once. Raises `InvalidInput` when no role would be left."""
        ...

    async def new_link(self, scope: Scope, user_id: str, link: PasswordLink) -> User:
        """Let the user choose a new password by the link. Raises `Refused` for one who is disabled or belongs to others, too."""
        ...


class Organizations(Protocol):
    """The scope's organization and its projects."""

    async def get(self, scope: Scope) -> Organization: ...

    async def rename(self, scope: Scope, name: str) -> Organization: ...

    async def every(self) -> list[Organization]:
        """Return all organizations, oldest first: for the operator, not for any of their members."""
        ...

    async def found(self, name: str, project_slug: str) -> Project:
        """Make an organization with its first project, and return that: for the operator."""
        ...

    async def projects(self, scope: Scope, window: Window, *, of: Principal) -> Stretch:
        """Return the projects of the organization that the principal may enter: a key its own, an organization admin all."""
        ...

    async def entered_by(self, user_id: str) -> list[Project]:
        """Return all projects that the user may enter, in every organization."""
        ...

    async def project(self, scope: Scope, project_id: str, *, of: Principal) -> Project: ...

    async def create_project(self, scope: Scope, slug: str, name: str) -> Project:
        """Raises `Refused` when the slug is taken."""
        ...

    async def update_project(self, scope: Scope, project_id: str, *, name: str | None = None, archived: bool | None = None) -> Project:
        """Raises `Refused` where the organization would have no project left that is not archived."""
        ...


class Identities(msgspec.Struct, frozen=True, kw_only=True):
    keys: Keys
    sessions: Sessions
    tokens: Tokens
    accounts: Accounts
    members: Members
    organizations: Organizations
