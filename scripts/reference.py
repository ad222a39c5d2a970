"""Writes the parts of docs/reference that are drawn from the code: `python -m scripts.reference [--check]`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts import cli_reference

from runwell.engine.transitions import RUN_TRANSITIONS, STEP_TRANSITIONS
from runwell.model.errors import ErrorInfo
from runwell.model.events import EVENT_TYPES, EventData
from runwell.model.failure_codes import FAILURE_CODES
from runwell.model.statuses import RUN_LABELS, STEP_BADGES, TERMINAL
from runwell.model.step import CONTROL_STEPS, Retry, StepSpec
from runwell.model.workflow import Limits, Workflow
from runwell.steps.registry import BUILT_IN

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "<!-- Drawn from the code by scripts/reference.py: do not edit. -->\n"


def diagram(transitions: Mapping[tuple[Any, str], Any]) -> str:
    """Return a mermaid state diagram; events that lead the same way share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (before, event), after in transitions.items():
        arrows.setdefault((str(before) if before else "[*]", str(after)), []).append(event)
    lines = [f"    {before} --> {after}: {', '.join(events)}" for (before, after), events in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def statuses() -> str:
    ends = ", ".join(f"`{status}`" for status in RUN_LABELS if status in TERMINAL)
    runs = "\n".join(f"| `{status}` | {label} | {'yes' if status in TERMINAL else ''} |" for status, label in RUN_LABELS.items())
    steps = "\n".join(f"| `{status}` | {badge} |" for status, badge in STEP_BADGES.items())
    return f"""{NOTE}
# Statuses

## Runs

| Status | Label | Final |
|---|---|---|
{runs}

Nothing rewrites a final status ({ends}). A retry is a new run.

{diagram(RUN_TRANSITIONS)}

## Steps

| Status | Badge |
|---|---|
{steps}

A step skipped because something else failed reads *Skipped (Blocked)*.

{diagram(STEP_TRANSITIONS)}
"""


def events() -> str:
    parts = [
        f"""{NOTE}
# Events

Every event has `seq` (gapless from 1), `id`, `run_id`, `type`, `ts` (ms since 1970), `step_id` (the step's path),
`attempt`, `actor` and `data`. What `data` holds, by type:
"""
    ]
    for name, kind in EVENT_TYPES.items():
        doc = " ".join((kind.__doc__ or "").split()) if kind.__doc__ != EventData.__doc__ else ""
        fields = [f"`{field}` ({_shown(kind.__annotations__[field])})" for field in kind.__struct_fields__]
        parts.append(f"## {name}\n\n{doc + chr(10) + chr(10) if doc else ''}{', '.join(fields) or 'Nothing.'}\n")
    return "\n".join(parts)


def _shown(annotation: object) -> str:
    text = (
        annotation
        if isinstance(annotation, str)
        else getattr(annotation, "__name__", None)
        if isinstance(annotation, type)
        else str(annotation)
    )
    return str(text).replace("typing.", "").replace("runwell.model.", "").replace(f"{ErrorInfo.__module__}.", "").replace("|", "or")


def errors() -> str:
    rows = "\n".join(f"| `{code}` | {meaning} |" for code, meaning in FAILURE_CODES.items())
    return f"{NOTE}\n# Failure codes\n\nThe `code` of a failed step's or run's `error`.\n\n| Code | Meaning |\n|---|---|\n{rows}\n"


def fields(kind: type, *, without: frozenset[str] = frozenset()) -> str:
    rows = []
    for name, field in kind.model_fields.items():  # type: ignore[attr-defined]
        shown = field.alias or name
        if shown in without:
            continue
        default = "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`"
        rows.append(f"| `{shown}` | {_shown(field.annotation)} | {default} |")
    return "\n".join(["| Field | Type | Default |", "|---|---|---|", *rows])


def documents() -> str:
    common = frozenset(StepSpec.model_fields) - {"type"}
    parts = [
        f"""{NOTE}
# Workflow documents

YAML or JSON. `runwell validate --schema` prints the JSON Schema. All strings are [templates](expressions.md) unless said.

## Workflow

{fields(Workflow)}

## Limits

{fields(Limits)}

## Fields of every step

{fields(StepSpec)}

`join: any`: the step runs when all its dependencies are resolved, none failed and at least one succeeded; it is skipped when all
were skipped. `join: all`: it runs only when all succeeded. `when` is an [expression](expressions.md); false skips the step.
`id`, `type`, `name`, `depends_on` and `fallback` are no templates: a `fallback` is the step's result as it is written, when the step
has failed. So are `code`, `workflow`, `connection`, schemas and the names of headers taken as they are.

## Retry

{" ".join((Retry.__doc__ or "").split())}

{fields(Retry)}
"""
    ]
    for step_type in BUILT_IN:
        spec = step_type.spec
        doc = " ".join((spec.__doc__ or "").split())
        kind = "Carried out by the engine." if spec in CONTROL_STEPS else "Done at once: no attempt of its own." if step_type.inline else ""
        parts.append(f"## {step_type.name}\n\n{doc} {kind}\n\n{fields(spec, without=common)}\n")
    return "\n".join(parts)


def commands() -> str:
    return cli_reference.page(NOTE)


PAGES = {
    "statuses.md": statuses,
    "events.md": events,
    "failure-codes.md": errors,
    "workflow-documents.md": documents,
    "cli.md": commands,
}


def stale() -> list[str]:
    """Return the pages that are not as the code says."""
    return [name for name, page in PAGES.items() if not (REFERENCE / name).exists() or (REFERENCE / name).read_text() != page()]


def main() -> int:
    if "--check" in sys.argv:
        for name in stale():
            sys.stderr.write(f"docs/reference/{name} is stale: run python -m scripts.reference\n")
        return 1 if stale() else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
