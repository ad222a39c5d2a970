"""A compiled workflow version: what the engine needs of it, ready to use.

A body is a set of steps that see each other: the workflow's own, or a loop's inner ones.
"""

from typing import Any

import msgspec

from runwell.engine.expressions import Expr
from runwell.engine.templates import Node
from runwell.model.step import Control, StepSpec
from runwell.model.tool import ToolSpec
from runwell.model.workflow import Workflow


class StepPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One step, compiled. `inputs` are its template fields; `secret_pointers` point into the rendered input.

    `late` is what the handler has filled in while it works, by its pointer within the step.
    """

    id: str
    type: str
    control: Control | None
    spec: StepSpec
    deps: tuple[str, ...]
    dependents: tuple[str, ...]
    when: Expr | None
    inputs: dict[str, Node]
    secret_pointers: frozenset[str]
    body: "Body | None" = None
    condition: Expr | None = None
    output: Node | None = None
    late: dict[str, Node] = {}


class ToolPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of the document, compiled. `inputs` are the template fields of its step."""

    spec: ToolSpec
    inputs: dict[str, Node]
    secret_pointers: frozenset[str]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Steps of one scope, in the document's order."""

    steps: dict[str, StepPlan]
    roots: tuple[str, ...]
    last: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled workflow. `hash` is the version's content hash.

    `is_traced`: its runs were made elsewhere, and their events say which steps they have.
    """

    workflow: Workflow
    body: Body
    tools: dict[str, ToolPlan] = {}
    output: Node | None
    hash: str
    document: Any
    is_traced: bool = False
