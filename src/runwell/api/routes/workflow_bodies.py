"""What the requests about workflows hold."""

from typing import Annotated, Final, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from runwell.api.json_values import JsonObject, JsonValue, StoredText
from runwell.model.caching import CacheUse
from runwell.model.slugs import NAME, NAME_LENGTH, SLUG_LENGTH, is_free_slug


def _slug(text: str) -> str:
    if not is_free_slug(text):
        raise ValueError("a slug is words of lower-case letters and digits, joined by hyphens, and no UUID")
    return text


Key = Annotated[str, Path(max_length=300, description="The workflow's id, its bare UUID, or its slug.")]
Slug = Annotated[
    str,
    Field(min_length=1, max_length=SLUG_LENGTH, description="Its name in paths and in other workflows.", examples=["support-triage"]),
    AfterValidator(_slug),
]
Name = Annotated[
    str, Field(min_length=1, max_length=NAME_LENGTH, pattern=NAME, description="Its name for people.", examples=["Support triage"])
]
Limit = Annotated[int, Query(ge=1, le=200, description="How many entries a page holds at most.")]
UseCache = Annotated[
    CacheUse,
    Field(
        description="Whether the run may have the output of an earlier one with its version and input, at no cost. `auto`: if its "
        "models are called at temperature 0 without tools, and nothing it does has an effect elsewhere. `always`: it also waits "
        "for one that is under way."
    ),
]
PageCursor = Annotated[
    str | None,
    Query(max_length=2_000, description="`next_cursor` or `prev_cursor` of an answer to the same request; left out: the first page."),
]

_DOCUMENT: Final = "A workflow document; see /schemas/workflow.json."
_EXAMPLE: Final = {"name": "greet", "steps": [{"id": "hello", "type": "transform", "value": "Hello {{ input.name }}"}]}


class Body(BaseModel):
    """A request: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class NewWorkflowBody(Body):
    """A workflow to be made. The document is its first draft: it may be incomplete, and its problems are told."""

    slug: Slug | None = Field(default=None, description="Left out: made from the name.")
    name: Name | None = Field(default=None, description="Left out: the document's name.")
    kind: Literal["workflow", "agent"] = Field(default="workflow", description="`agent`: the document is one agent step.")
    document: JsonObject | None = Field(default=None, description=_DOCUMENT, examples=[_EXAMPLE])


class DraftBody(Body):
    """The draft's new document, whole. It may be incomplete, and its problems are told."""

    document: JsonObject = Field(description=_DOCUMENT, examples=[_EXAMPLE])


class RenameBody(Body):
    """What the workflow is called from now on. A new name is the draft's, too."""

    slug: Slug | None = None
    name: Name | None = None


class CheckBody(Body):
    """A document to be checked."""

    document: JsonValue = Field(description=_DOCUMENT, examples=[_EXAMPLE])


class DraftCheckBody(Body):
    """A document to be checked as a version of the workflow; left out: its draft."""

    document: JsonValue = Field(default=None, description=_DOCUMENT, examples=[_EXAMPLE])


class PublishBody(Body):
    """What is published, and how."""

    activate: bool = Field(default=True, description="Whether runs start with the version from now on.")
    note: StoredText | None = Field(
        default=None, max_length=2_000, description="What is new, for readers.", examples=["Asks before it pays."]
    )
    document: JsonObject | None = Field(default=None, description="What to publish in place of the draft, which stays as it is.")
