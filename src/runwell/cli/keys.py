"""`runwell keys create | list | revoke` on a data directory that no server owns."""

import time
from typing import cast

import msgspec
from rich.table import Table

from runwell.api.credentials import new_key
from runwell.cli.console import print_json, print_table, stderr, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.formatting import one_line
from runwell.cli.identities import identities_of
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.model.errors import InvalidInput, NotFound
from runwell.model.identity import ApiKey
from runwell.model.principal import KEY_SCOPES, LOCAL, Permission
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.model.times import rfc3339
from runwell.ports.identity import Identities, NewKey, Window

_DAY_MS = 24 * 3_600_000


async def create_key(options: Options, name: str, scopes: tuple[str, ...], project: str | None, days: int | None, output: Format) -> Exit:
    granted, made = _granted(scopes), new_key(_now())
    if not name.strip() or not name.isprintable() or len(name) > 200:
        raise InvalidInput(f"the name is {name!r}", hint="name what the key is for, in at most 200 characters")
    asked = NewKey(
        key_id=made.key_id,
        secret_hash=made.secret_hash,
        name=name.strip(),
        scopes=granted,
        expires_at=None if days is None else _now() + days * _DAY_MS,
    )
    async with identities_of(options, "keys", "/v1/api-keys") as identities:
        key = await identities.keys.create(await _scope(identities, project), LOCAL.actor, asked)
    if output is Format.JSON:
        print_json({**msgspec.to_builtins(key), "key": made.text})
    else:
        stdout().print(made.text, soft_wrap=True)
        stderr().print(f"Keep it now: it is not shown again. Its id is {key.id}.", soft_wrap=True)
    return Exit.SUCCEEDED


async def list_keys(options: Options, project: str | None, output: Format) -> Exit:
    async with identities_of(options, "keys", "/v1/api-keys") as identities:
        found = await identities.keys.all(await _scope(identities, project), Window(limit=10_000))
    keys: list[ApiKey] = found.items
    if output is Format.JSON:
        print_json(keys)
    elif keys:
        print_table(stdout(), _table(keys))
    else:
        stderr().print("No keys.")
    return Exit.SUCCEEDED


async def revoke_key(options: Options, key_id: str, project: str | None, output: Format) -> Exit:
    async with identities_of(options, "keys", "/v1/api-keys") as identities:
        key = await identities.keys.revoke(await _scope(identities, project), f"key_{key_id.removeprefix('key_')}")
    if output is Format.JSON:
        print_json(key)
    else:
        stderr().print(f"Revoked {key.id}.")
    return Exit.SUCCEEDED


async def _scope(identities: Identities, project: str | None) -> Scope:
    if project is None:
        return DEFAULT_SCOPE
    projects = (await identities.organizations.projects(DEFAULT_SCOPE, Window(limit=10_000), of=LOCAL)).items
    found = next((one for one in projects if project in (one.slug, one.id)), None)
    if found is None:
        slugs = ", ".join(one.slug for one in projects)
        raise NotFound(f"there is no project {project!r}", hint=f"there are: {slugs}")
    return Scope(found.organization_id, found.id)


def _granted(scopes: tuple[str, ...]) -> tuple[Permission, ...]:
    wrong = next((scope for scope in scopes if scope not in KEY_SCOPES), None)
    if wrong is not None or not scopes:
        raise InvalidInput(
            "a key needs at least one scope" if wrong is None else f"{wrong!r} is no scope of a key",
            hint=f"give --scope, once or more often: {', '.join(KEY_SCOPES)}",
        )
    return tuple(cast(Permission, scope) for scope in KEY_SCOPES if scope in scopes)


def _table(keys: list[ApiKey]) -> Table:
    table = Table("Key", "Name", "Scopes", "State", "Last used", box=None)
    for key in keys:
        table.add_row(key.id, one_line(key.name, 40), ", ".join(key.scopes), _state(key), key.last_used_at or "never")
    return table


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    expired = key.expires_at is not None and key.expires_at <= rfc3339(_now())
    return "expired" if expired else f"until {key.expires_at}" if key.expires_at else "good"


def _now() -> int:
    return int(time.time() * 1000)
