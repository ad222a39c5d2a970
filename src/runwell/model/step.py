"""What every step of a workflow document has, whatever its type."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from runwell.model.caching import CacheUse

STEP_ID: Final = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"

StepId = Annotated[str, Field(pattern=STEP_ID)]
Expression = Annotated[str, Field(min_length=1, json_schema_extra={"format": "cel"})]
"""CEL, bare or inside one `{{ }}`."""

Duration = float | str
"""Seconds; a string is a template that yields seconds."""


class Part(BaseModel):
    """A part of a workflow document: unknown fields are refused, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Retry(Part):
    """How often and when a failed attempt is made again; only retryable errors are.

    The n-th wait is `initial_delay_s * backoff ** (n - 1)`, at most `max_delay_s`, of which the
    upper `jitter` share is random. A `Retry-After` of the other side lengthens it, up to `max_delay_s`.
    """

    max_attempts: int = Field(default=3, ge=1, le=100)
    initial_delay_s: float = Field(default=1.0, ge=0, le=86_400)
    backoff: float = Field(default=2.0, ge=1, le=100)
    max_delay_s: float = Field(default=300.0, ge=0, le=604_800)
    jitter: float = Field(default=0.1, ge=0, le=1)


Control = Literal["for_each", "while", "delay", "approval", "wait", "workflow", "trace"]
"""Step types that the engine itself carries out; all others have a handler."""


class Late(NamedTuple):
    """A value of a step that its handler has filled in while it works, as often as it needs it.

    `place` is its pointer within the step. A `request` is a template that may hold secrets, and in whose URL what is filled in is
    percent-encoded.
    """

    place: str
    value: Any
    kind: Literal["template", "condition", "request"] = "template"


class StepSpec(Part):
    """The common fields. A step type adds its own and names those that hold templates."""

    templates: ClassVar[frozenset[str]] = frozenset()
    """Fields whose strings, however deep, are templates. They make the step's input."""
    secret_fields: ClassVar[frozenset[str]] = frozenset()
    """Those of `templates` in which `{{ secrets.NAME }}` may stand."""
    control: ClassVar[Control | None] = None
    late_names: ClassVar[frozenset[str]] = frozenset()
    """What the values of `late` see beside the names around the step."""
    unread: ClassVar[frozenset[str]] = frozenset()
    """Fields that could not be read; empty but for a stand-in of a broken step."""

    id: StepId
    type: str
    name: str | None = Field(default=None, max_length=200, description="what people see in place of the id")
    depends_on: tuple[StepId, ...] = ()
    when: Expression | None = Field(default=None, description="false skips the step")
    enabled: bool = Field(default=True, description="false skips the step")
    retry: Retry | None = Field(default=None, description="left out, one attempt; refused where the engine carries the step out")
    timeout_s: float | None = Field(
        default=None, gt=0, le=31_536_000, description="of each attempt; refused on a transform, which is done at once"
    )
    on_error: Literal["fail", "continue"] = "fail"
    fallback: Any = Field(default=None, description="the result when the step fails; given, even as null, the run goes on")
    cache: CacheUse = Field(default="auto", description="of llm and agent steps, and of the run that a workflow step starts")
    join: Literal["any", "all"] = "any"

    calls_model: ClassVar[bool] = False
    """Whether it costs what a model call costs."""
    waits_for_approval: ClassVar[bool] = False
    """Whether it asks a person before it calls a tool that requires approval."""

    def tools_named(self) -> list[tuple[str, str]]:
        """Return the tools that the step names in so many words: (pointer within the step, whole name)."""
        return []

    def late(self) -> list[Late]:
        """Return what is filled in while the step works; fields of `templates` are filled in when it begins."""
        return []

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        """Return what it takes to have the step's result again instead of carrying it out (see `caching.allows`).

        `given` are its template fields: filled in, or as the document has them.
        """
        return "always"

    @property
    def handles_errors(self) -> bool:
        """Whether the run goes on when this step fails."""
        return self.on_error == "continue" or "fallback" in self.model_fields_set


class ForEach(StepSpec):
    """Run `steps` once for every item. Inside: `item`, `index`."""

    templates = frozenset({"items"})
    control = "for_each"

    type: Literal["for_each"]
    items: Any
    max_parallel: int = Field(default=10, ge=1, le=1_000)
    steps: tuple[SerializeAsAny[StepSpec], ...] = Field(min_length=1)
    output: Any = Field(default=None, description="template, filled in for each item; left out, its last step's result")
    on_item_error: Literal["fail", "collect"] = "fail"

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        return "auto"


class While(StepSpec):
    """Run `steps` again and again; `condition` is tested before each iteration but the first."""

    control = "while"

    type: Literal["while"]
    condition: Expression
    max_iterations: int = Field(ge=1, le=10_000)
    steps: tuple[SerializeAsAny[StepSpec], ...] = Field(min_length=1)
    output: Any = Field(default=None, description="template, filled in after each iteration; left out, its last step's result")

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        return "auto"


class Delay(StepSpec):
    """Wait for a time (`for_s`, seconds) or until a moment (`until`, RFC 3339)."""

    templates = frozenset({"for_s", "until"})
    control = "delay"

    type: Literal["delay"]
    for_s: Duration | None = None
    until: str | None = None


class Approval(StepSpec):
    """Ask a person. The result is `{approved, by, comment}` and what the person edited."""

    templates = frozenset({"title", "description", "payload", "assignees", "expires_in_s"})
    control = "approval"

    type: Literal["approval"]
    title: str
    description: str | None = None
    payload: Any = None
    assignees: tuple[str, ...] = Field(default=(), description="kept with the task; whoever reaches the run may decide")
    expires_in_s: Duration | None = None
    on_expire: Literal["reject", "fail"] = "reject"

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        return "never"


class Wait(StepSpec):
    """Wait for a message of this name; its body is the result."""

    templates = frozenset({"message", "expires_in_s"})
    control = "wait"

    type: Literal["wait"]
    message: str
    expires_in_s: Duration | None = None

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        return "never"


class ChildWorkflow(StepSpec):
    """Run another workflow and wait for its output. `workflow` is a slug or, in files, a path beside this one."""

    templates = frozenset({"input"})
    control = "workflow"

    type: Literal["workflow"]
    workflow: str = Field(min_length=1)
    version: int | None = Field(default=None, ge=1, description="left out, the newest")
    input: Any = None

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        return "never"


class Trace(StepSpec):
    """Stand for the spans of a trace, each of which becomes a step. Alone in documents that Runwell writes itself."""

    control = "trace"

    type: Literal["trace"]

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        return "never"


CONTROL_STEPS: Final[tuple[type[StepSpec], ...]] = (ForEach, While, Delay, Approval, Wait, ChildWorkflow, Trace)


def body_of(spec: StepSpec) -> tuple[StepSpec, ...]:
    """Return the inner steps of a loop; empty for every other type."""
    return spec.steps if isinstance(spec, ForEach | While) else ()
