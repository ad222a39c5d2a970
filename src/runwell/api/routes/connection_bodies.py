"""What the requests about connections hold."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from runwell.api.routes.secrets import Origins, encodable
from runwell.model.connection_checks import credential_problems, header_problems, limit_problems, origins_for, require_sound
from runwell.model.origins import OriginRules, origin_of
from runwell.model.vault import ADDRESSES, CallLimits, ConnectionType, StoredConnection
from runwell.ports.vault import ConnectionSettings, Credentials

Headers = Annotated[
    dict[str, Annotated[str, Field(max_length=4_096)]],
    Field(max_length=32, description="Headers that are no secret. They can be read.", examples=[{"X-Team": "support"}]),
]
SecretHeaders = Annotated[
    dict[str, Annotated[SecretStr, Field(min_length=1, max_length=8_192), AfterValidator(encodable)]],
    Field(max_length=32, description="Headers whose values are secret (types http and mcp). No answer ever holds them."),
]
BaseUrl = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2_000,
        description="What steps' URLs follow, where an MCP server listens, or where a provider is reached instead of its own address.",
    ),
]
ApiKey = Annotated[
    SecretStr,
    Field(min_length=1, max_length=8_192, description="The provider's key (all types but http and mcp). No answer ever holds it."),
    AfterValidator(encodable),
]


class CallLimitsBody(BaseModel):
    """How model calls by way of the connection are held back, in this process; what is left out does not."""

    model_config = ConfigDict(extra="forbid")

    max_concurrent: int | None = Field(default=None, ge=1, le=10_000, description="Calls at a time; others wait for their turn.")
    requests_per_minute: int | None = Field(default=None, ge=1, le=1_000_000, description="Calls in a minute; others wait for their turn.")
    timeout_s: float | None = Field(
        default=None, gt=0, le=3_600, allow_inf_nan=False, description="A call that takes longer fails with the reason `timeout`."
    )

    def plain(self) -> CallLimits:
        return CallLimits(**self.model_dump())


class NewConnectionBody(BaseModel):
    """A connection to be kept. Steps name it as their `connection`; models of it are also `<name>:<model>`, tools of
    one of type mcp `mcp:<name>/<tool>`.

    Without `allowed_origins`, that of its address is the only one.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$", examples=["desk"])
    type: ConnectionType
    base_url: BaseUrl | None = None
    headers: Headers = {}
    secret_headers: SecretHeaders = {}
    api_key: ApiKey | None = None
    allowed_origins: Origins | None = None
    limits: CallLimitsBody = CallLimitsBody()

    def settings(self, rules: OriginRules) -> ConnectionSettings:
        origins = origins_for(self.type, self.base_url, self.allowed_origins, rules)
        return ConnectionSettings(base_url=self.base_url, headers=self.headers, origins=origins, limits=self.limits.plain())

    def credentials(self) -> Credentials:
        return credentials(self.api_key, self.secret_headers)


class ConnectionBody(BaseModel):
    """What changes; what is left out stays. The credentials, `api_key` or `secret_headers`, change as a whole."""

    model_config = ConfigDict(extra="forbid")

    base_url: BaseUrl | None = None
    headers: Headers | None = None
    secret_headers: SecretHeaders | None = None
    api_key: ApiKey | None = None
    allowed_origins: Origins | None = None
    limits: CallLimitsBody | None = None

    def settings(self, now: StoredConnection, rules: OriginRules) -> ConnectionSettings:
        base_url = self.base_url if "base_url" in self.model_fields_set else now.base_url
        headers = now.headers if self.headers is None else self.headers
        limits = now.limits if self.limits is None else self.limits.plain()
        origins = now.allowed_origins
        if self.allowed_origins is not None or base_url != now.base_url:
            allowed = list(now.allowed_origins) if self.allowed_origins is None else self.allowed_origins
            origins = origins_for(now.type, base_url, allowed, rules)
        return ConnectionSettings(base_url=base_url, headers=headers, origins=origins, limits=limits)

    def credentials(self) -> Credentials | None:
        """Return the new credentials; None when they stay."""
        if self.model_fields_set.isdisjoint(("api_key", "secret_headers")):
            return None
        return credentials(self.api_key, self.secret_headers or {})

    def moves(self, now: StoredConnection, settings: ConnectionSettings) -> bool:
        """Return whether the connection would lead to another origin than before."""
        own = ADDRESSES.get(now.type, "")
        return settings.origins != now.allowed_origins or origin_of(settings.base_url or own) != origin_of(now.base_url or own)


def credentials(api_key: SecretStr | None, headers: dict[str, SecretStr]) -> Credentials:
    plain = {name: value.get_secret_value() for name, value in headers.items()}
    return Credentials(api_key=None if api_key is None else api_key.get_secret_value(), headers=plain)


def check(type: str, settings: ConnectionSettings, secret: Credentials, kept: tuple[str, ...] = ()) -> None:
    """Raise `InvalidInput` for headers and credentials that cannot be; `kept` are secret headers that stay."""
    beside = {**dict.fromkeys(kept, ""), **secret.headers}
    found = [*credential_problems(type, secret.api_key, secret.headers), *limit_problems(type, settings.limits)]
    require_sound([*found, *header_problems(settings.headers, beside)])
