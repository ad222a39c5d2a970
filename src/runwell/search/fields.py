"""The catalogue of what can be asked about a run. The parser, the structured form, the reference and the API read it."""

import difflib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple, get_args

from runwell.model.run_query import Operator
from runwell.model.statuses import WaitingFor
from runwell.search.paths import BadPath, Path, read_path, written

Kind = Literal[
    "status",
    "step_status",
    "choice",
    "workflow",
    "id",
    "text",
    "error",
    "integer",
    "number",
    "duration",
    "money",
    "boolean",
    "date",
    "json",
]
"""How a field's values are written and compared. `choice`: one of a few words; `json`: a place within an input, an output or the
metadata, of any type.
"""

_EMPTINESS: Final[tuple[Operator, ...]] = ("empty", "not_empty")
_EQUALITY: Final[tuple[Operator, ...]] = ("is", "is_not", *_EMPTINESS)
_ORDER: Final[tuple[Operator, ...]] = ("is", "is_not", "gt", "gte", "lt", "lte", "between", *_EMPTINESS)
_TEXT: Final[tuple[Operator, ...]] = ("is", "is_not", "contains", "not_contains", *_EMPTINESS)
_DATES: Final[tuple[Operator, ...]] = ("is", "is_not", "gt", "gte", "lt", "lte", "before", "after", "between", *_EMPTINESS)

OPERATORS: Final[dict[Kind, tuple[Operator, ...]]] = {
    "status": ("is", "is_not"),
    "step_status": _EQUALITY,
    "choice": _EQUALITY,
    "workflow": ("is", "is_not", "contains", "not_contains"),
    "id": _EQUALITY,
    "text": _TEXT,
    "error": _TEXT,
    "integer": _ORDER,
    "number": _ORDER,
    "duration": _ORDER,
    "money": _ORDER,
    "boolean": ("is", "is_not"),
    "date": _DATES,
    "json": ("is", "is_not", "contains", "not_contains", "gt", "gte", "lt", "lte", "before", "after", "between", *_EMPTINESS),
}

TYPES: Final[dict[Kind, str]] = {
    **dict.fromkeys(("status", "step_status", "choice", "workflow", "id", "text", "error"), "string"),
    **dict.fromkeys(("number", "money"), "number"),
    **dict.fromkeys(("integer", "duration"), "integer"),
    "boolean": "boolean",
    "date": "date",
    "json": "any",
}
"""What callers of the structured form call the type."""


class Field(NamedTuple):
    """One field. `name` is its full name; of places within JSON and of steps the catalogue has a pattern: `input.<path>`."""

    name: str
    kind: Kind
    description: str
    example: str
    aliases: tuple[str, ...] = ()
    path: Path = ()
    """Below `input`, `output` and `metadata`; of `step.<id>.status` the id."""
    choices: tuple[str, ...] = ()
    """The words that it may be, in lower case, if it is a choice."""

    @property
    def operators(self) -> tuple[Operator, ...]:
        return OPERATORS[self.kind]

    @property
    def type(self) -> str:
        return TYPES[self.kind]


CATALOGUE: Final[tuple[Field, ...]] = (
    Field("status", "status", "Status: its word, its label, or another product's word for it", "status:failed,Timeout", ("state",)),
    Field("workflow", "workflow", "The workflow's slug or id", "workflow:support-triage", ("flow", "workflow_id")),
    Field("version", "integer", "The workflow's version", "version:3"),
    Field("kind", "choice", "`workflow`, `agent` or `trace`", "kind:agent", choices=("workflow", "agent", "trace")),
    Field("started", "date", "When it started", "started:>-7d", ("started_at", "start")),
    Field("created", "date", "When it was made", "created:yesterday", ("created_at",)),
    Field("ended", "date", "When it ended", "ended:2026-11-20", ("ended_at", "finished")),
    Field("begun", "date", "When it started; when it was made, if it has not started yet", "begun:today", ("begun_at",)),
    Field("duration", "duration", "From start to end", "duration:>2s", ("duration_ms", "latency")),
    Field("queued", "duration", "How long it waited for its turn", "queued:>1m", ("queue_ms",)),
    Field("waited", "duration", "How long it waited for people, messages and time", "waited:>1h", ("waited_ms",)),
    Field("waiting_for", "choice", "What it waits for", "waiting_for:approval", choices=get_args(WaitingFor)),
    Field("cost", "money", "What its model calls cost, in US dollars", "cost:>0.01", ("cost_usd", "price")),
    Field("tokens", "integer", "Tokens of its model calls, in and out", "tokens:>10000", ("total_tokens",)),
    Field("input_tokens", "integer", "Tokens sent to models", "input_tokens:>8000"),
    Field("output_tokens", "integer", "Tokens that models answered", "output_tokens:<100"),
    Field("generations", "integer", "How many model calls it made", "generations:>=5"),
    Field("cache_hits", "integer", "How many results it had from the cache", "cache_hits:>0"),
    Field("saved", "money", "What those had cost, in US dollars", "saved:>0.01", ("saved_cost_usd",)),
    Field("tool_calls", "integer", "How many tool calls it made", "tool_calls:0"),
    Field("steps", "integer", "How many steps began or were skipped", "steps:>20"),
    Field("model", "text", "A model that it called", "model:gpt-5*", ("models",)),
    Field("provider", "text", "A provider of models that it called", "provider:openai", ("providers",)),
    Field("trigger", "text", "What started it", "trigger:schedule"),
    Field("environment", "text", "The environment it ran in", "environment:testing", ("env",)),
    Field("tag", "text", "One of its tags", "tag:beta", ("tags",)),
    Field("step_type", "text", "The type of one of its steps", "step_type:approval"),
    Field("failed_step", "text", "The step that failed it", "failed_step:refund"),
    Field("error", "error", "Code of its failure, or words of the message", "error:timeout"),
    Field("failure_code", "text", "Code of its failure", "failure_code:HTTP_FAILED", ("error_code",)),
    Field("archived", "boolean", "Whether it is archived", "archived:true"),
    Field("review", "choice", "What a person judged: `positive` or `negative`", "review:negative", choices=("positive", "negative")),
    Field("score", "number", "The score it was given", "score:<0.5"),
    Field("comments", "integer", "How many comments it has", "comments:>0"),
    Field("run", "id", "The run itself", "run:run_0195dd7a00007000a000000000000001", ("id", "run_id")),
    Field("parent", "id", "The run that started it as a child", "parent:empty", ("parent_run_id",)),
    Field("source", "id", "The run that it retries", "has:source", ("source_run_id",)),
    Field("root", "id", "The outermost run above it", "root:run_0195dd7a00007000a000000000000001", ("root_run_id",)),
    Field("input.<path>", "json", "A place within the input", 'input.ticket.lang:"de"'),
    Field("output.<path>", "json", "A place within the output; `[]` is any item of a list, `length` how many", "output.items[].price:>10"),
    Field("metadata.<key>", "json", "One of the run's metadata", "metadata.env:prod"),
    Field("step.<id>.status", "step_status", "Status of a step", "step.refund.status:failed"),
)

WITHIN: Final[dict[str, Field]] = {field.name.partition(".")[0]: field for field in CATALOGUE if "<" in field.name}
_BY_NAME: Final[dict[str, Field]] = {name: field for field in CATALOGUE if "<" not in field.name for name in (field.name, *field.aliases)}
NAMES: Final[tuple[str, ...]] = (*_BY_NAME, "has", *WITHIN)


class UnknownField(Exception):
    """Nothing has this name; `hint` says what could be meant."""

    def __init__(self, name: str, hint: str) -> None:
        self.message, self.hint = f"there is no field {name!r}", hint
        super().__init__(self.message)


@lru_cache(maxsize=1024)
def field_named(name: str) -> Field:
    """Return the field of this name or alias, with its full name. Raises `UnknownField`."""
    known = _BY_NAME.get(name) or _BY_NAME.get(name.lower())
    if known is not None:
        return known
    try:
        path = read_path(name)
    except BadPath as exc:
        raise UnknownField(name, str(exc)) from exc
    pattern = WITHIN.get(str(path[0])) if path else None
    if pattern is None:
        raise UnknownField(name, nearest(name))
    if pattern.kind == "step_status" and not _is_step(path):
        step = written(path[1:2]) if len(path) > 1 and path[1] is not None else ".<id>"
        raise UnknownField(name, f"of a step its status is known: step{step}.status")
    return _within(pattern, path[1:])


def _is_step(path: Path) -> bool:
    return None not in path and (len(path) == 2 or (len(path) == 3 and path[2] == "status"))


def _within(pattern: Field, path: Path) -> Field:
    start = pattern.name.partition(".")[0]
    if pattern.kind == "step_status":
        return pattern._replace(name=f"{start}{written(path[:1])}.status", path=path[:1])
    if start == "metadata" and len(path) > 1 and None not in path:
        path = (".".join(map(str, path)),)  # metadata do not nest: dots belong to the key
    return pattern._replace(name=start + written(path), path=path)


def nearest_of(word: str, words: Iterable[str]) -> str | None:
    """Return a hint with the one of these words that is most like this one; None when none is."""
    found = difflib.get_close_matches(word[:100].lower(), words, n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else None


def nearest(name: str) -> str:
    """Return a hint with the field that is most like this name."""
    start, dot, rest = name.partition(".")
    if start.lower() == "has":
        return "has: is followed by a field: has:error"
    found = difflib.get_close_matches(start[:100].lower(), NAMES, n=1, cutoff=0.6)
    meant = f"{found[0]}{dot}{rest}" if found and (not dot or found[0] in WITHIN) else found[0] if found else None
    if meant is not None:
        return f"did you mean {meant}?"
    return f"put words that hold a colon in quotes; fields are {', '.join(field.name for field in CATALOGUE)}"
