"""API keys of the caller's project."""

import re
from typing import Annotated, Final

import msgspec
from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from runwell.api.answers import Answer, SecretAnswer, answers, no_content
from runwell.api.authentication import Entry
from runwell.api.credentials import new_key
from runwell.api.errors import Forbidden
from runwell.api.keyset import Cursor, Limit, cursors, window
from runwell.api.route import Caller, needs, router
from runwell.api.texts import Name
from runwell.model.errors import InvalidInput
from runwell.model.identity import ApiKey
from runwell.model.principal import KEY_SCOPES, Permission
from runwell.ports.identity import NewKey

routes = router("api-keys")

_ID: Final = re.compile(r"(?:key_)?([0-9a-f]{20})")
_LATEST_MS: Final = 253_402_300_799_000  # the end of the year 9999


def _key_id(text: str) -> str:
    parts = _ID.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r} is no key id: it looks like key_ and 20 hex digits")
    return f"key_{parts[1]}"


KeyId = Annotated[str, Path(max_length=64, description="The key's id."), AfterValidator(_key_id)]


class KeyRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["ci"])
    scopes: list[Permission] = Field(
        min_length=1,
        max_length=len(KEY_SCOPES),
        description=f"Of {', '.join(KEY_SCOPES)}; no more than the maker has.",
        examples=[["workflow:read"]],
    )
    expires_at: AwareDatetime | None = Field(None, description="When the key ends; by default never.")


class CreatedKey(ApiKey, frozen=True, kw_only=True):
    """`key` is shown this once."""

    key: str


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    data: list[ApiKey]
    next_cursor: str | None = None
    prev_cursor: str | None = None


@routes.post("/v1/api-keys", status_code=201, responses=answers(CreatedKey, "The key, shown this once.", 201))
@needs("admin")
async def create_api_key(body: KeyRequest, caller: Caller, entry: Entry) -> Answer:
    """Make a key for the caller's project. Its text is in this answer only: what is kept does not tell it."""
    excess = sorted(set(body.scopes) - caller.permissions | set(body.scopes) - set(KEY_SCOPES))
    if excess:
        raise Forbidden(f"a key cannot be given {', '.join(excess)} by this caller", hint="leave these scopes out")
    made = new_key(entry.clock.now())
    asked = NewKey(
        key_id=made.key_id,
        secret_hash=made.secret_hash,
        name=body.name,
        scopes=tuple(scope for scope in KEY_SCOPES if scope in body.scopes),
        expires_at=_end(body.expires_at, entry.clock.now()),
    )
    key = await entry.identities.keys.create(caller.scope, caller.actor, asked)
    return SecretAnswer(CreatedKey(**msgspec.structs.asdict(key), key=made.text), 201)


def _end(moment: AwareDatetime | None, now: int) -> int | None:
    if moment is None:
        return None
    end = int(moment.timestamp() * 1000)
    if not now < end <= _LATEST_MS:
        raise InvalidInput("expires_at is not in the future", hint="give a moment to come, or leave it out")
    return end


@routes.get("/v1/api-keys", responses=answers(KeyList, "Keys, oldest first."))
@needs("admin")
async def list_api_keys(caller: Caller, entry: Entry, limit: Limit = 50, cursor: Cursor = None) -> Answer:
    """List the keys of the caller's project, expired and revoked ones too."""
    asked = window(limit, cursor)
    found = await entry.identities.keys.all(caller.scope, asked)
    return Answer(KeyList(data=found.items, **cursors(asked, found)))


@routes.delete("/v1/api-keys/{key_id}", status_code=204, responses=no_content("The key counts no longer."))
@needs("admin")
async def revoke_api_key(key_id: KeyId, caller: Caller, entry: Entry) -> Response:
    """Revoke a key, at once and for good. It stays in the list."""
    await entry.identities.keys.revoke(caller.scope, key_id)
    return Response(status_code=204)
