"""Secrets: kept sealed, bound to origins, and never told again."""

from typing import Annotated, Final

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from starlette.responses import Response

from runwell.api.answers import Answer, answers, no_content
from runwell.api.etags import IfMatch, etag_of, required_revisions
from runwell.api.ids import SecretId
from runwell.api.keyset import Cursor, Limit
from runwell.api.route import Caller, Server, needs, router
from runwell.model.errors import InvalidInput
from runwell.model.origins import MOST_ORIGINS
from runwell.model.vault import StoredSecret
from runwell.query.vault import SecretPage, list_secrets

routes = router("secrets")

Id = Annotated[SecretId, Path(description="The secret's id, or its bare UUID.")]

_ORIGINS: Final = "Where it may be sent: `https://host`, `https://host:port` or `https://*.example.com`."
Origin = Annotated[str, Field(min_length=1, max_length=300)]
Origins = Annotated[list[Origin], Field(min_length=1, max_length=MOST_ORIGINS, description=_ORIGINS, examples=[["https://pay.example"]])]


def encodable(value: SecretStr) -> SecretStr:
    """Raise `ValueError` for text that cannot be kept or sent."""
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("text must be Unicode without lone surrogates") from None
    return value


Value = Annotated[
    SecretStr,
    Field(min_length=1, max_length=16_384, description="The secret itself. No answer ever holds it."),
    AfterValidator(encodable),
]


class NewSecretBody(BaseModel):
    """A secret to be kept. Documents name it `secrets.NAME`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$", examples=["DESK_TOKEN"])
    value: Value
    allowed_origins: Origins


class SecretBody(BaseModel):
    """What changes. New origins need the value again."""

    model_config = ConfigDict(extra="forbid")

    value: Value | None = None
    allowed_origins: Origins | None = None


@routes.get("/v1/secrets", responses=answers(SecretPage, "A page of secrets, without their values."))
@needs("workflow:read")
async def list_stored_secrets(caller: Caller, server: Server, limit: Limit = 50, cursor: Cursor = None) -> Answer:
    """Return the secrets of the project by name: what there is and where it may go, never a value."""
    return Answer(await list_secrets(server.vault, caller.scope, limit, cursor))


@routes.post("/v1/secrets", status_code=201, responses=answers(StoredSecret, "The secret, without its value.", 201))
@needs("admin")
async def create_secret(body: NewSecretBody, caller: Caller, server: Server) -> Answer:
    """Keep a secret. Steps of the project's workflows may send it to its allowed origins, and nowhere else."""
    origins = server.vault.rules.read(body.allowed_origins)
    value = body.value.get_secret_value()
    stored = await server.vault.secrets.create(caller.scope, caller.actor, body.name, value, origins)
    return _shown(stored, 201)


@routes.get("/v1/secrets/{secret_id}", responses=answers(StoredSecret, "The secret, without its value."))
@needs("workflow:read")
async def get_secret(secret_id: Id, caller: Caller, server: Server) -> Answer:
    """Return one secret without its value. Its `ETag` is what a change is based on."""
    return _shown(await server.vault.secrets.get(caller.scope, secret_id))


@routes.put("/v1/secrets/{secret_id}", responses=answers(StoredSecret, "The secret, without its value."))
@needs("admin")
async def replace_secret(secret_id: Id, body: SecretBody, caller: Caller, server: Server, if_match: IfMatch = None) -> Answer:
    """Give the secret another value, other allowed origins, or both; what is left out stays. New origins need the value again."""
    if body.value is None and body.allowed_origins is None:
        raise InvalidInput("nothing is to change", hint="send value, allowed_origins or both")
    revisions = required_revisions(if_match, f"/v1/secrets/{secret_id}")
    origins = None if body.allowed_origins is None else server.vault.rules.read(body.allowed_origins)
    value = None if body.value is None else body.value.get_secret_value()
    return _shown(await server.vault.secrets.change(caller.scope, secret_id, revisions, value, origins))


@routes.delete("/v1/secrets/{secret_id}", status_code=204, responses=no_content("It is gone."))
@needs("admin")
async def delete_secret(secret_id: Id, caller: Caller, server: Server) -> Response:
    """Delete the secret. Steps that name it fail from now on."""
    await server.vault.secrets.delete(caller.scope, secret_id)
    return Response(status_code=204)


def _shown(stored: StoredSecret, status: int = 200) -> Answer:
    headers = {"ETag": etag_of(stored.revision), **({"Location": f"/v1/secrets/{stored.id}"} if status == 201 else {})}
    return Answer(stored, status, headers)
