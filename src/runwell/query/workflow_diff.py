"""What changes from one workflow document to another: by step, and as lines of text.

Steps are the same when their ids are; ids are unique within a document. A draft may be broken: a step without an id
goes by its place.
"""

import difflib
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from runwell.model.documents import steps_of

CONTEXT_LINES: Final = 3


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """`added` has no `old`, `removed` no `new`: null there says nothing."""

    field: str
    kind: Literal["added", "removed", "changed"]
    old: Any = None
    new: Any = None


class StepRef(msgspec.Struct, frozen=True, kw_only=True):
    """A step that is in one document only. `inside`: the loop around it; `pointer`: its place in the document that has it."""

    id: str
    type: str | None
    inside: str | None
    pointer: str


class StepChange(msgspec.Struct, frozen=True, kw_only=True):
    """A step that is in both. A loop's inner steps are told for themselves; `inside` tells of one that moved to another loop."""

    id: str
    type: str | None
    changes: list[FieldChange]


class StepChanges(msgspec.Struct, frozen=True, kw_only=True):
    """`reordered`: the steps that are in both stand in another order."""

    added: list[StepRef]
    removed: list[StepRef]
    changed: list[StepChange]
    reordered: bool


class VersionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What changes from version `from` to `to`, a version's number or `draft`. `text` is null for very large documents."""

    workflow_id: str
    from_: int = msgspec.field(name="from")
    to: int | Literal["draft"]
    identical: bool
    fields: list[FieldChange]
    steps: StepChanges
    text: str | None


class _Step(msgspec.Struct, frozen=True):
    ref: StepRef
    fields: dict[str, Any]


def field_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FieldChange]:
    """Return what is different between two objects, the fields of `old` first."""
    found = []
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            found.append(FieldChange(field=name, kind="removed", old=old[name]))
        elif name not in old:
            found.append(FieldChange(field=name, kind="added", new=new[name]))
        elif not _same(old[name], new[name]):
            found.append(FieldChange(field=name, kind="changed", old=old[name], new=new[name]))
    return found


def workflow_changes(old: Any, new: Any) -> list[FieldChange]:
    """Return what changes beside the steps."""
    return field_changes(_without_steps(old), _without_steps(new))


def step_changes(old: Any, new: Any) -> StepChanges:
    before, after = _steps(old), _steps(new)
    common = [step_id for step_id in after if step_id in before]
    changed = []
    for step_id in common:
        found = field_changes(before[step_id].fields, after[step_id].fields)
        if found:
            changed.append(StepChange(id=step_id, type=after[step_id].ref.type, changes=found))
    return StepChanges(
        added=[step.ref for step_id, step in after.items() if step_id not in before],
        removed=[step.ref for step_id, step in before.items() if step_id not in after],
        changed=changed,
        reordered=common != [step_id for step_id in before if step_id in after],
    )


def text_changes(old: str, new: str, old_name: str, new_name: str) -> str:
    """Return a unified diff; empty when nothing changes."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), old_name, new_name, lineterm="", n=CONTEXT_LINES)
    return "".join(f"{line}\n" for line in lines)


def _without_steps(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        return {}
    steps = document.get("steps")
    return {name: value for name, value in document.items() if name != "steps" or not isinstance(steps, list)}


def _steps(document: Any) -> dict[str, _Step]:
    found: dict[str, _Step] = {}
    names: dict[str, str] = {}
    for pointer, step in steps_of(document):
        step_id = step.get("id")
        name = step_id if isinstance(step_id, str) and step_id not in found else pointer
        names[pointer] = name
        inside = names.get(pointer.rpartition("/steps/")[0])
        kind = step.get("type") if isinstance(step.get("type"), str) else None
        ref = StepRef(id=name, type=kind, inside=inside, pointer=pointer)
        fields = _without_steps(step) | ({} if inside is None else {"inside": inside})
        found[name] = _Step(ref, fields)
    return found


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; unlike in Python, `true` is not 1."""
    return bool(one == other) and msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")
