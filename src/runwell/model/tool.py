"""The tools of a workflow document: what its `tool` and `agent` steps may call, and on which terms.

A tool of type http or python is a step without a place in the graph: it has that step's own fields, whose templates see
`args`. One of type mcp or workflow lies elsewhere; its entry only says on which terms it may be called. So does one of
type python without code: it is a function that the installation has registered.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field, SerializeAsAny

from runwell.model.slugs import is_slug
from runwell.model.step import Part, StepSpec

ToolType = Literal["http", "python", "mcp", "workflow"]

OWN_STEP: Final = frozenset({"http", "python"})
"""Types that are carried out as a step of this type."""

OF_A_STEP: Final = frozenset({"type", "timeout_s"})
"""Those of the fields of every step that such a tool may have."""

SERVER: Final = r"[a-z][a-z0-9_-]{0,63}"
TOOL: Final = r"[A-Za-z0-9_.\-/]{1,128}"
_NAMES: Final[dict[str, re.Pattern[str]]] = {
    "http": re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}"),
    "python": re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}"),
    "mcp": re.compile(rf"{SERVER}/{TOOL}"),
}
_FORMS: Final = {
    "http": "1 to 64 letters, digits, _ and -",
    "python": "1 to 64 letters, digits, _ and -",
    "mcp": "mcp:<server>/<tool>, as in mcp:desk/find_ticket",
    "workflow": "the slug of a workflow",
}


class ToolSpec(Part):
    """A tool. Steps name it `<type>:<name>`.

    `http` and `python` tools have the fields of that step, too, and see `args` in their templates; in a URL with more
    text around it an argument is percent-encoded. `mcp` (`<server>/<tool>`) and `workflow` (a slug) have no more than
    `unsafe` and `requires_approval`: the server says what they take. A `python` tool without `code` is a function that is
    registered under this name where the document runs; `description` and `input_schema` go before those of the function.
    """

    type: ToolType
    name: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=8_192, description="what models are told of it")
    input_schema: dict[str, Any] | None = Field(
        default=None, description="JSON Schema of the arguments; http tools and python code need it"
    )
    unsafe: bool | None = Field(
        default=None,
        description="a call may change something, and is recorded for good before it begins; left out, all do but python and http reads",
    )
    requires_approval: bool = Field(default=False, description="agents ask a person before each call; a tool step refuses it")
    timeout_s: float | None = Field(default=None, gt=0, le=86_400, description="of one call")
    step: SerializeAsAny[StepSpec] | None = Field(default=None, exclude=True)

    @property
    def is_registered(self) -> bool:
        """Whether it is a registered function."""
        return self.type == "python" and self.step is None

    @property
    def full_name(self) -> str:
        return f"{self.type}:{self.name}"


def is_registered(raw: Mapping[str, Any]) -> bool:
    """Whether a tool of a document is a registered function: one of type python that brings no code along."""
    return raw.get("type") == "python" and "code" not in raw and "inputs" not in raw


def name_fault(full_name: str) -> tuple[str, str] | None:
    """Return what is wrong with a tool's whole name, and the cure."""
    kind, colon, name = full_name.partition(":")
    if not colon or kind not in _FORMS:
        return f"{full_name!r} names no tool", "begin it with mcp:, http: or python:, as in mcp:desk/find_ticket"
    if not (is_slug(name) if kind == "workflow" else _NAMES[kind].fullmatch(name)):
        return f"{name!r} is no name of a {kind} tool", f"write {_FORMS[kind]}"
    return None


def server_of(full_name: str) -> str | None:
    """Return the MCP server that a tool's name begins with; None for a tool of another kind."""
    kind, _, name = full_name.partition(":")
    return name.partition("/")[0] if kind == "mcp" and "/" in name else None
