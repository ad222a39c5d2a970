"""Models, as OpenAI's clients list them."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec
from fastapi import Path

from runwell.api.answers import Answer, answers
from runwell.api.json_values import KeptText
from runwell.api.openai.errors import OpenAIRoute
from runwell.api.openai.runs import AGENT
from runwell.api.route import Caller, Server, needs, router
from runwell.model.errors import NotFound
from runwell.ports.models import NamedModel
from runwell.ports.workflows import WorkflowFilter

routes = router("openai", OpenAIRoute)

_MOST_AGENTS: Final = 1_000
_LONG_AGO: Final = 0
"""Nobody here knows when a model was made."""


class OpenAIModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that requests can name by its `id`."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class OpenAIModels(msgspec.Struct, frozen=True, kw_only=True):
    """The list is whole: it has no pages."""

    object: Literal["list"] = "list"
    data: list[OpenAIModel]


@routes.get("/v1/models", responses=answers(OpenAIModels, "The models."))
@needs("workflow:read", "workflow:run")
async def list_models(caller: Caller, server: Server) -> Answer:
    """Return the project's agents, and the models of the providers for which it has a key, as far as their names are known.

    A server at an address of its own may have others, which requests can name all the same: `connection:model`.
    """
    agents = await server.workflows.page(caller.scope, WorkflowFilter(kind="agent"), limit=_MOST_AGENTS)
    named = [NamedModel(f"{AGENT}{agent.slug}", "runwell") for agent in agents if agent.active_version is not None]
    return Answer(OpenAIModels(data=_told([*named, *await server.model_names.listed(caller.scope)])))


@routes.get("/v1/models/{model:path}", responses=answers(OpenAIModel, "The model."))
@needs("workflow:read", "workflow:run")
async def get_model(
    model: Annotated[KeptText, Path(max_length=300, description="The model's name: `provider:model`.")], caller: Caller, server: Server
) -> Answer:
    """Return a model if somebody answers for its name. Nobody is asked whether the provider has it."""
    if model.startswith(AGENT):
        await server.workflows.startable(caller.scope, model.removeprefix(AGENT))
        return Answer(OpenAIModel(id=model, created=_LONG_AGO, owned_by="runwell"))
    refusal = await server.model_names.refusal(caller.scope, model)
    if refusal is not None:
        raise NotFound(refusal.message, hint=refusal.cure)
    return Answer(OpenAIModel(id=model, created=_LONG_AGO, owned_by=model.partition(":")[0]))


def _told(found: Iterable[NamedModel]) -> list[OpenAIModel]:
    return [OpenAIModel(id=one.id, created=_LONG_AGO, owned_by=one.owner) for one in found]
