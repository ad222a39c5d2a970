"""What the requests of OpenAI's protocol have in common."""

from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from runwell.api.json_values import JsonObject, JsonValue, KeptText
from runwell.api.openai.contents import unsupported

ModelName = Annotated[KeptText, Field(min_length=1, max_length=300)]
Name = Annotated[KeptText, Field(min_length=1, max_length=200)]
Tokens = Annotated[int, Field(ge=1, le=2**31 - 1)]


def _form(value: Any) -> str:
    return "text" if isinstance(value, str) else "list"


EITHER: Final = Discriminator(_form)
"""Of a text and a list, so that what is wrong with one is not told as what is wrong with the other."""
AsText = Annotated[KeptText, Tag("text")]
AsParts = Annotated[Annotated[list[JsonObject], Field(max_length=1_000)], Tag("list")]
TextOrParts = Annotated[AsText | AsParts, EITHER]

_OWN: Final = frozenset({"store", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "service_tier"})
"""Fields about what OpenAI itself keeps and how it bills: no other provider is told."""


class Lenient(BaseModel):
    """Fields that are not known are passed over: clients send back whole what they got from elsewhere."""

    model_config = ConfigDict(extra="ignore")


class Call(BaseModel):
    """A request as OpenAI's clients send it. Parameters beyond those that are listed go to the model's provider as they are."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    unanswered: ClassVar[dict[str, str]] = {}
    """Fields that ask for what no answer would hold, with the reason. Passed over, they would mislead."""
    unread: ClassVar[frozenset[str]] = frozenset()
    """Fields without a meaning here, of which nobody is told."""

    model: ModelName = Field(description="`provider:model`, or `agent:` and an agent's slug.", examples=["openai:gpt-5-mini"])
    stream: bool | None = None
    metadata: dict[Annotated[KeptText, Field(min_length=1, max_length=100)], Annotated[KeptText, Field(max_length=1_000)]] | None = Field(
        default=None, max_length=50, description="Metadata of the run."
    )
    user: Annotated[KeptText, Field(max_length=1_000)] | None = Field(default=None, description="Kept as `user` in the run's metadata.")

    @property
    def run_metadata(self) -> dict[str, str]:
        return {**(self.metadata or {}), **({"user": self.user} if self.user else {})}

    def params(self, most: int | None) -> dict[str, Any]:
        """Return what the model's provider is told beside the messages. Raises `InvalidInput` for what cannot be answered here."""
        given = {name: value for name, value in (self.model_extra or {}).items() if value is not None}
        for name, why in self.unanswered.items():
            if given.pop(name, None):
                raise unsupported(f"/{name}", f"{name} is not supported: {why}", f"leave {name} out")
        told = {name: value for name, value in given.items() if name not in _OWN | self.unread}
        return told if most is None else {"max_tokens": most, **told}
