"""What the project does not want to be kept."""

from typing import Annotated, Any

import msgspec
from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field

from runwell.api.answers import Answer, SecretAnswer, answers
from runwell.api.etags import IfMatch, etag_of, required_revisions
from runwell.api.json_values import JsonObject, JsonValue, KeptText
from runwell.api.route import Caller, Server, needs, router
from runwell.model.redaction import Kind, PatternRule, Redaction

routes = router("settings")

_PATH = "/v1/settings/redaction"


class PatternBody(BaseModel):
    """Text that is replaced by `[redacted:<name>]`."""

    model_config = ConfigDict(extra="forbid")

    name: KeptText = Field(pattern=r"^[A-Za-z0-9_-]{1,40}$", examples=["customer_number"])
    pattern: KeptText = Field(min_length=1, max_length=500, description="A regular expression in RE2's syntax.", examples=[r"K-\d{8}"])


class RedactionBody(BaseModel):
    """What is replaced before anything is kept."""

    model_config = ConfigDict(extra="forbid")

    paths: list[Annotated[KeptText, Field(min_length=1, max_length=500)]] = Field(
        default=[],
        max_length=200,
        description="Values at these places: `input`, `output`, `metadata` or `*` (anywhere), then keys; `*` for any one key or element.",
        examples=[["input.card.number", "output.*.iban", "*.password"]],
    )
    kinds: list[Kind] = Field(
        default=[], max_length=20, description="What is known without a pattern.", examples=[["email", "credit_card"]]
    )
    patterns: list[PatternBody] = Field(default=[], max_length=50)

    def rules(self) -> Redaction:
        patterns = tuple(PatternRule(name=one.name, pattern=one.pattern) for one in self.patterns)
        return Redaction(paths=tuple(self.paths), kinds=tuple(dict.fromkeys(self.kinds)), patterns=patterns)


class SampleBody(BaseModel):
    """Something that could be kept."""

    model_config = ConfigDict(extra="forbid")

    rules: RedactionBody | None = Field(default=None, description="Those to try; null: those that hold.")
    input: JsonValue = None
    output: JsonValue = None
    metadata: JsonObject = Field(default={})
    text: KeptText = Field(default="", max_length=1_000_000, description="As of a message, a log line or a comment.")


class RedactedSample(msgspec.Struct, frozen=True, kw_only=True):
    """What would be kept of it."""

    input: Any
    output: Any
    metadata: dict[str, Any]
    text: str


@routes.get(_PATH, responses=answers(Redaction, "The rules. Their `ETag` is what a change asks for."))
@needs("admin")
async def get_redaction(caller: Caller, server: Server) -> Answer:
    """Return what is replaced before anything of the project's runs is kept."""
    found = await server.redaction.get(caller.scope)
    return Answer(found.value, headers={"ETag": etag_of(found.revision)})


@routes.put(_PATH, responses=answers(Redaction, "The rules as they are now."))
@needs("admin")
async def put_redaction(redaction: RedactionBody, caller: Caller, server: Server, if_match: IfMatch = None) -> Answer:
    """Set all rules of the project. They hold at once, for what happens from now on; what is kept already stays as it is.

    What is replaced is gone for the run, too: its later steps see what stands in its place.
    """
    allowed = required_revisions(if_match, _PATH)
    rules = redaction.rules()
    server.redactor_for(rules)
    kept = await server.redaction.put(caller.scope, rules, allowed)
    return Answer(kept.value, headers={"ETag": etag_of(kept.revision)})


@routes.post(f"{_PATH}/try", responses=answers(RedactedSample, "What would be kept."))
@needs("admin")
async def try_redaction(sample: Annotated[SampleBody, Body()], caller: Caller, server: Server) -> Answer:
    """Return what a sample would become, by rules to try or by those that hold. Nothing is kept."""
    rules = (await server.redaction.get(caller.scope)).value if sample.rules is None else sample.rules.rules()
    redactor = server.redactor_for(rules)
    return SecretAnswer(
        RedactedSample(
            input=redactor.data(sample.input, "input"),
            output=redactor.data(sample.output, "output"),
            metadata=redactor.data(sample.metadata, "metadata"),
            text=redactor.text(sample.text),
        )
    )
