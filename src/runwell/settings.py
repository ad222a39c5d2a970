"""The settings of one process, read once and passed down. Each stands in docs/reference/settings.md."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from runwell.adapters.tools.commands import McpCommand, read_commands
from runwell.model.errors import InvalidInput
from runwell.model.principal import ROLES, Role
from runwell.model.secret_key import SecretKey
from runwell.runstore.url import RunStoreUrl
from runwell.storage.postgres_url import DatabaseUrl


class Confidential(str):
    """Text that must not show up where settings are printed or logged."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where data lies and how much may happen at once.

    data_dir: the data directory (`RUNWELL_DATA_DIR`).
    database_url: PostgreSQL instead of SQLite in the data directory, which keeps large payloads then (`RUNWELL_DATABASE_URL`).
    http_allow: address blocks (CIDR) that http steps may reach beyond the public internet (`RUNWELL_HTTP_ALLOW`, comma-separated).
    max_running: runs under way at once; the excess is queued (`RUNWELL_MAX_RUNNING`).
    rate_limit: requests that one caller may send to the server in a window; `none` for no limit (`RUNWELL_RATE_LIMIT`).
    max_body_bytes: the largest request body that the server reads (`RUNWELL_MAX_BODY_BYTES`).
    grace_s: how long steps in flight may go on when the server is told to end (`RUNWELL_GRACE_S`).
    sandbox_processes: worker processes for python steps (`RUNWELL_SANDBOX_PROCESSES`).
    allowed_origins: origins beside the server's own from which browsers may change things (`RUNWELL_ALLOWED_ORIGINS`, comma-separated).
    base_path: below which a proxy serves the server, as `/runwell` (`RUNWELL_BASE_PATH`).
    oidc_issuer, oidc_client_id, oidc_client_secret: the identity provider through which users sign in (`RUNWELL_OIDC_...`).
    oidc_default_role: the role of whoever comes from there without invitation (`RUNWELL_OIDC_DEFAULT_ROLE`); None: nobody may.
    secret_key: what stored secrets are sealed with; None: the file `secret.key` of the data directory (`RUNWELL_SECRET_KEY`).
    secret_key_previous: keys under which older values may still be sealed (`RUNWELL_SECRET_KEY_PREVIOUS`, comma-separated).
    share_model_keys: whether all organizations may use the vendors' usual keys of the environment (`RUNWELL_SHARE_MODEL_KEYS`).
    runstore_url: the ClickHouse server that keeps the runs for lists and searches; None: the data directory; `none`: nothing does
        (`RUNWELL_RUNSTORE_URL`).
    runstore_memory_mb, runstore_threads: what the run store may take of this machine (`RUNWELL_RUNSTORE_MEMORY_MB`, `..._THREADS`).
    mcp_commands: programs that the default organization may use as MCP servers, by name (`RUNWELL_MCP_COMMANDS`).
    tool_modules: modules, by dotted name or path, whose `@tool` functions its documents may name (`RUNWELL_TOOL_MODULES`, comma-separated).
    """

    data_dir: Path
    database_url: DatabaseUrl | None = None
    http_allow: tuple[str, ...] = ()
    max_running: int = 1_000
    sandbox_processes: int = 2
    rate_limit: str = "6000/minute"
    max_body_bytes: int = 10_485_760
    grace_s: int = 30
    allowed_origins: tuple[str, ...] = ()
    base_path: str = ""
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: Confidential | None = None
    oidc_default_role: Role | None = None
    secret_key: SecretKey | None = None
    secret_key_previous: tuple[SecretKey, ...] = ()
    share_model_keys: bool = False
    runstore_url: RunStoreUrl | Literal["none"] | None = None
    runstore_memory_mb: int = 2_048
    runstore_threads: int = 2
    mcp_commands: Mapping[str, McpCommand] = {}
    tool_modules: tuple[str, ...] = ()


def read_settings(data_dir: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of the environment; `data_dir` goes before its variable. Raises `InvalidInput`."""
    return Settings(
        data_dir=(data_dir or Path(environ.get("RUNWELL_DATA_DIR") or "~/.runwell")).expanduser().absolute(),
        database_url=DatabaseUrl(url) if (url := environ.get("RUNWELL_DATABASE_URL")) else None,
        http_allow=tuple(block.strip() for block in environ.get("RUNWELL_HTTP_ALLOW", "").split(",") if block.strip()),
        max_running=_count(environ, "RUNWELL_MAX_RUNNING", 1_000),
        sandbox_processes=_count(environ, "RUNWELL_SANDBOX_PROCESSES", 2),
        rate_limit=environ.get("RUNWELL_RATE_LIMIT", "6000/minute"),
        max_body_bytes=_count(environ, "RUNWELL_MAX_BODY_BYTES", 10_485_760, 1_073_741_824),
        grace_s=_count(environ, "RUNWELL_GRACE_S", 30),
        allowed_origins=tuple(_origin(text.strip()) for text in environ.get("RUNWELL_ALLOWED_ORIGINS", "").split(",") if text.strip()),
        base_path=_base_path(environ.get("RUNWELL_BASE_PATH", "")),
        oidc_issuer=environ.get("RUNWELL_OIDC_ISSUER") or None,
        oidc_client_id=_with_issuer(environ, "RUNWELL_OIDC_CLIENT_ID"),
        oidc_client_secret=None if (secret := _with_issuer(environ, "RUNWELL_OIDC_CLIENT_SECRET")) is None else Confidential(secret),
        oidc_default_role=_role(environ, "RUNWELL_OIDC_DEFAULT_ROLE"),
        secret_key=next(iter(_keys(environ, "RUNWELL_SECRET_KEY")), None),
        secret_key_previous=_keys(environ, "RUNWELL_SECRET_KEY_PREVIOUS"),
        share_model_keys=_truth(environ, "RUNWELL_SHARE_MODEL_KEYS"),
        runstore_url=_runstore_url(environ.get("RUNWELL_RUNSTORE_URL", "")),
        runstore_memory_mb=_count(environ, "RUNWELL_RUNSTORE_MEMORY_MB", 2_048),
        runstore_threads=_count(environ, "RUNWELL_RUNSTORE_THREADS", 2, 256),
        mcp_commands=read_commands(environ.get("RUNWELL_MCP_COMMANDS", "")),
        tool_modules=read_tool_modules(environ),
    )


def read_tool_modules(environ: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in environ.get("RUNWELL_TOOL_MODULES", "").split(",") if name.strip())


def _origin(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s?#]+", text, re.IGNORECASE):
        raise InvalidInput(
            f"RUNWELL_ALLOWED_ORIGINS has {text!r}", hint="an origin is a scheme, a host and perhaps a port: https://runs.example.com"
        )
    return text.lower()


def _base_path(text: str) -> str:
    path = text.strip().rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path):
        raise InvalidInput(f"RUNWELL_BASE_PATH is {text!r}", hint="set it to a path such as /runwell, or leave it out")
    return path


def _with_issuer(environ: Mapping[str, str], name: str) -> str | None:
    """Return what must be there when there is an issuer."""
    text = environ.get(name) or None
    if environ.get("RUNWELL_OIDC_ISSUER") and text is None:
        raise InvalidInput(f"RUNWELL_OIDC_ISSUER is set, but {name} is not", hint="set it to what the identity provider gave you")
    return text


def _role(environ: Mapping[str, str], name: str) -> Role | None:
    text = environ.get(name, "")
    role = next((role for role in ROLES if role == text), None)
    if text and role is None:
        raise InvalidInput(f"{name} is {text!r}", hint=f"set it to {', '.join(ROLES)}, or leave it out")
    return role


def _keys(environ: Mapping[str, str], name: str) -> tuple[SecretKey, ...]:
    return tuple(SecretKey.read(text, name) for text in environ.get(name, "").split(",") if text.strip())


def _runstore_url(text: str) -> RunStoreUrl | Literal["none"] | None:
    if text.strip().lower() == "none":
        return "none"
    return RunStoreUrl(text) if text else None


def _truth(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name, "false").strip().lower() or "false"
    if text not in ("true", "false"):
        raise InvalidInput(f"{name} is {text!r}", hint="set it to true or false")
    return text == "true"


def _count(environ: Mapping[str, str], name: str, default: int, most: int = 1_000_000) -> int:
    text = environ.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise InvalidInput(f"{name} is {text!r}", hint=f"set it to a whole number from 1 to {most}")
    return int(text)
