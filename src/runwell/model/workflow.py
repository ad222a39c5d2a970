"""The workflow document: what a team writes, in YAML or JSON.

`read_workflow` reads one against the step types that this installation knows and reports every
structural problem at once. What needs the graph or the expressions is checked by the engine, on what
could be read.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeVar, get_args

import msgspec
from pydantic import BaseModel, Field, SerializeAsAny, ValidationError

from runwell.model.canonical import content_hash
from runwell.model.errors import InvalidDocument, Problem
from runwell.model.field_problems import field_problems, nearest
from runwell.model.schema import schema_problems
from runwell.model.slugs import NAME, NAME_LENGTH, slug_of
from runwell.model.stand_in import ids_within, stand_in
from runwell.model.step import STEP_ID, Part, StepSpec
from runwell.model.tool import OF_A_STEP, OWN_STEP, ToolSpec, ToolType, is_registered, name_fault

M = TypeVar("M", bound=BaseModel)

INVALID: Final = "the workflow document is not valid"

SpecTypes = Mapping[str, type[StepSpec]]
"""From a step type's name to the shape of its document part."""


class Limits(Part):
    """What one run may use. `timeout_s` counts neither waiting nor paused time."""

    timeout_s: float | None = Field(default=None, gt=0, le=31_536_000)
    memory_mb: int | None = Field(default=None, ge=1, le=65_536, description="of each python step; left out, 128")
    log_bytes: int = Field(default=1_048_576, ge=0, le=1_073_741_824, description="of all log lines, each with 64 bytes more than its text")
    output_bytes: int = Field(default=10_485_760, ge=1, le=1_073_741_824, description="of one step's result")
    credits: float | None = Field(default=None, ge=0, description="kept, without effect yet: nothing counts credits")


class Workflow(Part):
    """A workflow document. Frozen: a change makes another version."""

    name: str = Field(min_length=1, max_length=NAME_LENGTH, pattern=NAME)
    description: str | None = Field(default=None, description="for readers of the document")
    input_schema: dict[str, Any] | bool | None = None
    steps: tuple[SerializeAsAny[StepSpec], ...] = Field(min_length=1, max_length=2_000)
    tools: tuple[ToolSpec, ...] = Field(default=(), max_length=200, description="what tool and agent steps may call")
    output: Any = Field(default=None, description="template, filled in at the end; left out, the last step's result")
    on_failure: Literal["fail_fast", "drain"] = Field(
        default="fail_fast", description="drain: attempts and child runs in flight may end first; what only waits is cancelled"
    )
    limits: Limits = Limits()
    concurrency: int | None = Field(default=None, ge=1, le=100_000)
    tags: tuple[str, ...] = Field(default=(), description="kept, without effect yet: a run has the tags that it is started with")

    @property
    def slug(self) -> str:
        """What the name suggests."""
        return slug_of(self.name)


class Parsed(NamedTuple):
    """A document that was read: its typed form, and what it was read from.

    With `problems`, stand-ins take the place of what is broken in `workflow`. `unread`: ids that
    steps may have which were not read at all, so nobody can say that there are none.
    """

    workflow: Workflow
    document: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    unread: frozenset[str] = frozenset()

    @property
    def hash(self) -> str:
        return content_hash(self.document)


def parse_workflow(document: Any, types: SpecTypes) -> Parsed:
    """Return the typed workflow. Raises `InvalidDocument` with every structural problem."""
    parsed = read_workflow(document, types)
    if parsed.problems:
        raise InvalidDocument(INVALID, problems=parsed.problems)
    return parsed


def read_workflow(document: Any, types: SpecTypes) -> Parsed:
    """Return what could be read, with every structural problem. Raises `InvalidDocument` for what is no object at all."""
    if not isinstance(document, dict):
        message = f"a workflow document is an object, not {_kind(document)}"
        problem = Problem(code="not_an_object", message=message, hint="start it with `name:` and `steps:`")
        raise InvalidDocument(INVALID, problems=(problem,))
    reader = _Reader(types)
    workflow = reader.workflow(document)
    return Parsed(workflow, document, tuple(reader.problems), frozenset(reader.unread))


class _Reader:
    """Reads one document and collects its problems. Of what is broken it returns a stand-in, so that pointers stay true."""

    def __init__(self, types: SpecTypes) -> None:
        self._types = types
        self._ids: dict[str, str] = {}
        self._tools: dict[str, str] = {}
        self.unread: set[str] = set()
        self.problems: list[Problem] = []

    def workflow(self, raw: dict[str, Any]) -> Workflow:
        fields = {**raw, **self._inner(raw, "")}
        if isinstance(raw.get("tools"), list):
            fields["tools"] = [self._tool(tool, f"/tools/{i}") for i, tool in enumerate(raw["tools"])]
        self._check_schema(raw.get("input_schema"), "/input_schema", None)
        return self._build(Workflow, fields, "", None)

    def _inner(self, raw: dict[str, Any], pointer: str) -> dict[str, Any]:
        """Return the field `steps`, read, if it is a list."""
        steps = raw.get("steps")
        if isinstance(steps, list):
            return {"steps": [self._step(step, f"{pointer}/steps/{i}") for i, step in enumerate(steps)]}
        self.unread.update(ids_within(steps))
        return {}

    def _step(self, raw: Any, pointer: str) -> StepSpec:
        if not isinstance(raw, dict):
            self._report("not_an_object", f"a step is an object, not {_kind(raw)}", pointer, hint="give it `id:` and `type:`")
            self.unread.update(re.findall(STEP_ID, raw) if isinstance(raw, str) else ids_within(raw))
            return stand_in(StepSpec, {}, (), pointer)
        step_id = raw.get("id") if isinstance(raw.get("id"), str) else None
        self._check_id(step_id, pointer)
        spec_type = self._spec_type(raw, pointer, step_id)
        if spec_type is None:
            return self._step_of_unknown_type(raw, pointer, step_id)
        fields = {**raw, **(self._inner(raw, pointer) if "steps" in spec_type.model_fields else {})}
        self._check_schema(raw.get("output_schema"), f"{pointer}/output_schema", step_id)
        return self._build(spec_type, fields, pointer, step_id)

    def _tool(self, raw: Any, pointer: str) -> ToolSpec:
        if not isinstance(raw, dict):
            self._report("not_an_object", f"a tool is an object, not {_kind(raw)}", pointer, hint="give it `type:` and `name:`")
            return stand_in(ToolSpec, {}, (), pointer)
        own = {key: value for key, value in raw.items() if key in ToolSpec.model_fields and key != "step"}
        rest = {key: value for key, value in raw.items() if key not in own}
        kind = raw["type"] if isinstance(raw.get("type"), str) else ""
        if kind not in OWN_STEP or is_registered(raw):
            own |= rest if kind in get_args(ToolType) else {}
            self._check_terms(own, pointer)
        else:
            own["step"] = self._step_of_tool(kind, {**rest, **{key: own[key] for key in OF_A_STEP if key in own}}, pointer)
        self._check_schema(own.get("input_schema"), f"{pointer}/input_schema", None)
        spec = self._build(ToolSpec, own, pointer, None)
        self._check_tool_name(spec, raw, pointer)
        return spec

    def _step_of_tool(self, kind: str, fields: dict[str, Any], pointer: str) -> StepSpec:
        """Return what carries the tool out. It has its pointer as id, so that no problem of it is taken for a step's."""
        known = {key: value for key, value in fields.items() if key not in StepSpec.model_fields or key in OF_A_STEP}
        for key in fields.keys() - known.keys():
            self._report("not_in_a_tool", f"a tool has no {key!r}", f"{pointer}/{key}", hint="that belongs to the step which calls it")
        return self._build(self._types[kind], {**known, "id": "tool"}, pointer, None).model_copy(update={"id": pointer})

    def _check_terms(self, own: dict[str, Any], pointer: str) -> None:
        if own.get("type") == "python":
            return  # what a version says of a registered function is what its runs go by
        for key in {"description", "input_schema"} & own.keys():
            self._report(
                "not_in_a_tool", f"a tool of type {own.get('type')} has no {key!r}", f"{pointer}/{key}", hint="its server tells it"
            )

    def _check_tool_name(self, spec: ToolSpec, raw: dict[str, Any], pointer: str) -> None:
        if not isinstance(raw.get("type"), str) or not isinstance(raw.get("name"), str):
            return
        fault = name_fault(spec.full_name) if spec.type in get_args(ToolType) else None
        if fault is not None:
            self._report("bad_value", fault[0], f"{pointer}/name", hint=fault[1])
        elif spec.full_name in self._tools:
            message = f"two tools are called {spec.full_name!r}; the first is at {self._tools[spec.full_name]}"
            self._report("duplicate_tool", message, f"{pointer}/name", hint="give one of them another name")
        if spec.type in OWN_STEP and not is_registered(raw) and "input_schema" not in raw:
            self._report(
                "missing_field", "the field 'input_schema' is missing", pointer, hint="add input_schema: {type: object, properties: ...}"
            )
        self._tools.setdefault(spec.full_name, f"{pointer}/name")

    def _step_of_unknown_type(self, raw: dict[str, Any], pointer: str, step_id: str | None) -> StepSpec:
        """Return what every step has, checked; nobody can say which other fields are right."""
        self._inner(raw, pointer)
        self.unread.update(ids_within(raw.get("steps")))
        common = {key: value for key, value in raw.items() if key in StepSpec.model_fields}
        return self._build(StepSpec, {**common, "type": str(raw.get("type"))}, pointer, step_id)

    def _check_id(self, step_id: str | None, pointer: str) -> None:
        if step_id in self._ids:
            message = f"two steps have the id {step_id!r}; the first is at {self._ids[step_id]}"
            self._report(
                "duplicate_id", message, f"{pointer}/id", step_id, "ids are unique in the whole document: give one of them another"
            )
        elif step_id is not None:
            self._ids[step_id] = pointer

    def _spec_type(self, raw: dict[str, Any], pointer: str, step_id: str | None) -> type[StepSpec] | None:
        name = raw.get("type")
        if isinstance(name, str) and name in self._types:
            return self._types[name]
        known = ", ".join(sorted(self._types))
        message = "the step has no type" if name is None else f"unknown step type {name!r}"
        self._report(
            "unknown_type",
            message,
            f"{pointer}/type" if "type" in raw else pointer,
            step_id,
            nearest(str(name), self._types) or f"types are {known}",
        )
        return None

    def _check_schema(self, schema: Any, pointer: str, step_id: str | None) -> None:
        for problem in () if schema is None else schema_problems(schema):
            self.problems.append(msgspec.structs.replace(problem, pointer=pointer + problem.pointer, step_id=step_id))

    def _build(self, model: type[M], fields: dict[str, Any], pointer: str, step_id: str | None) -> M:
        try:
            return model.model_validate(fields)
        except ValidationError as exc:
            found = field_problems(exc, model, fields, pointer)
            self.problems += [msgspec.structs.replace(problem, step_id=step_id) for problem in found]
            return stand_in(model, fields, {error["loc"][0] for error in exc.errors(include_url=False) if error["loc"]}, pointer)

    def _report(self, code: str, message: str, pointer: str, step_id: str | None = None, hint: str | None = None) -> None:
        self.problems.append(Problem(code=code, message=message, pointer=pointer, step_id=step_id, hint=hint))


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "a truth value",
        int: "a number",
        float: "a number",
        type(None): "nothing",
    }
    return names.get(type(value), type(value).__name__)


def workflow_json_schema(types: SpecTypes) -> dict[str, Any]:
    """Return the JSON Schema of a workflow document with these step types (draft 2020-12)."""
    schema = Workflow.model_json_schema()
    defs: dict[str, Any] = schema.setdefault("$defs", {})
    defs.pop("StepSpec", None)
    tool = defs["ToolSpec"]
    for name, spec in types.items():
        part = spec.model_json_schema()
        defs.update({key: value for key, value in part.pop("$defs", {}).items() if key != "StepSpec"})
        defs[f"step_{name}"] = part
    defs["StepSpec"] = {
        "oneOf": [{"$ref": f"#/$defs/step_{name}"} for name in types],
        "discriminator": {"propertyName": "type", "mapping": {name: f"#/$defs/step_{name}" for name in types}},
    }
    kinds = [_tool_schema(tool, kind, defs.get(f"step_{kind}")) for kind in get_args(ToolType)]
    defs["ToolSpec"] = {"oneOf": [*kinds, _registered_schema(tool)]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "/schemas/workflow.json",
        "title": "Runwell workflow",
        **schema,
    }


def _registered_schema(tool: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a tool that is a registered function."""
    said = {key: value for key, value in tool["properties"].items() if key not in ("step", "type")}
    return {
        "title": "Tool of type python, a registered function",
        "type": "object",
        "properties": {"type": {"const": "python"}, **said},
        "required": ["type", "name"],
        "additionalProperties": False,
    }


def _tool_schema(tool: dict[str, Any], kind: str, step: dict[str, Any] | None) -> dict[str, Any]:
    """Return the JSON Schema of a tool of this type; `step` is that of the step that carries it out."""
    terms = {key: value for key, value in tool["properties"].items() if key not in ("step", "type")}
    if kind not in OWN_STEP or step is None:
        terms = {key: terms[key] for key in ("name", "unsafe", "requires_approval", "timeout_s")}
        needed, own = [], {}
    else:
        own = {key: value for key, value in step["properties"].items() if key not in StepSpec.model_fields}
        needed = ["input_schema", *(key for key in step["required"] if key in own)]
    return {
        "title": f"Tool of type {kind}",
        "type": "object",
        "properties": {"type": {"const": kind}, **terms, **own},
        "required": ["type", "name", *needed],
        "additionalProperties": False,
    }
