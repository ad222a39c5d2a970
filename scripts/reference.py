"""Writes the parts of docs/reference that are drawn from the code: `python -m scripts.reference [--check]`."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from scripts import cli_reference
from scripts.readable import Parts, fields_of, members_of, table

from runwell.engine.transitions import RUN_TRANSITIONS, STEP_TRANSITIONS
from runwell.model.caching import CacheHit, KeptResult
from runwell.model.errors import ErrorInfo
from runwell.model.events import EVENT_TYPES, EventData
from runwell.model.failure_codes import FAILURE_CODES
from runwell.model.model_call import REASONS, RETRYABLE
from runwell.model.raw_body import RawBody
from runwell.model.statuses import RUN_LABELS, STEP_BADGES, TERMINAL
from runwell.model.step import CONTROL_STEPS, Part, Retry, StepSpec
from runwell.model.tool import ToolSpec
from runwell.model.usage import Usage
from runwell.model.workflow import Limits, Workflow
from runwell.steps.registry import BUILT_IN

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "<!-- Drawn from the code by scripts/reference.py: do not edit. -->\n"
COMMON: Final = frozenset(StepSpec.model_fields)


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
    parts: Parts = {ErrorInfo: "#error", Usage: "#usage", RawBody: "#raw-body", CacheHit: "#cache-hit", KeptResult: "#kept-result"}
    sections = [
        f"""{NOTE}
# Events

Every event has `seq` (gapless from 1), `run_id`, `type`, `ts` (ms since 1970), `step_id` (the step's path), `attempt`, `actor`,
`data` and `v` (the version of the type's meaning). Its `id`, unique over all runs, is made of run and `seq`:
`evt_<the run's 32 hex digits>_<seq>` ([why](../decisions/0009-an-events-id-is-made-of-its-run-and-seq.md)). What `data` holds, by type; a field of it that has its default is left out:
"""
    ]
    for name, kind in EVENT_TYPES.items():
        doc = _prose(kind) if kind.__doc__ != EventData.__doc__ else ""
        rows = members_of(kind, parts)
        sections.append(f"## {name}\n\n{doc + chr(10) + chr(10) if doc else ''}{table(rows) if rows else 'Nothing.'}\n")
    for title, part in (
        ("error", ErrorInfo),
        ("usage", Usage),
        ("raw body", RawBody),
        ("cache hit", CacheHit),
        ("kept result", KeptResult),
    ):
        sections.append(f"## {title}\n\n{_prose(part)}\n\n{table(members_of(part, parts))}\n")
    return "\n".join(sections)


def _prose(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def errors() -> str:
    rows = "\n".join(f"| `{code}` | {meaning} |" for code, meaning in FAILURE_CODES.items())
    reasons = "\n".join(f"| `{reason}` | {meaning} | {'yes' if reason in RETRYABLE else ''} |" for reason, meaning in REASONS.items())
    return f"""{NOTE}
# Failure codes

The `code` of a failed step's or run's `error`.

| Code | Meaning |
|---|---|
{rows}

## Why a model call fails

`details.reason` of `LLM_REQUEST_FAILED` and `LLM_INVALID_OUTPUT`, `error_class` of a generation, and what `fallback_on` of a step takes.

| Reason | Meaning | Retried |
|---|---|---|
{reasons}
"""


def documents() -> str:
    parts: dict[type, str] = {StepSpec: "#fields-of-every-step", Limits: "#limits", Retry: "#retry", ToolSpec: "#tools"}
    inner = []
    for step_type in BUILT_IN:
        for field, part in _inner_parts(step_type.spec):
            if part not in parts:
                inner.append((step_type.name, field, part))
                parts[part] = f"#{step_type.name}-{field}".lower().replace(" ", "-")
    sections = [
        f"""{NOTE}
# Workflow documents

YAML or JSON. `runwell validate --schema` prints the JSON Schema. Where the notes say *template*, every text in the field, however
deep, is a [template](expressions.md); elsewhere it is taken literally.

## Workflow

{table(fields_of(Workflow, parts))}

## Limits

{_prose(Limits)}

{table(fields_of(Limits, parts))}

## Tools

{_prose(ToolSpec)}

{table(fields_of(ToolSpec, parts, without=frozenset({"step"})))}

## Fields of every step

{table(fields_of(StepSpec, parts))}

`join: any`: the step runs when all its dependencies are resolved, none failed and at least one succeeded; it is skipped when all
were skipped. `join: all`: it runs only when all succeeded.
`id`, `type`, `name`, `depends_on` and `fallback` are no templates: a `fallback` is the step's result as it is written, when the step
has failed. So are `code`, `workflow`, `connection`, schemas and the names of headers taken as they are.

## Retry

{_prose(Retry)}

{table(fields_of(Retry, parts))}
"""
    ]
    for step_type in BUILT_IN:
        spec = step_type.spec
        kind = "Carried out by the engine." if spec in CONTROL_STEPS else "Done at once: no attempt of its own." if step_type.inline else ""
        rows = fields_of(spec, parts, without=COMMON)
        sections.append(f"## {step_type.name}\n\n{' '.join(filter(None, (_prose(spec), kind)))}\n\n{table(rows)}\n")
        sections += [
            f"### {name}: {field}\n\n{_prose(part)}\n\n{table(fields_of(part, parts))}\n"
            for name, field, part in inner
            if name == step_type.name
        ]
    return "\n".join(sections)


def _inner_parts(spec: type[StepSpec]) -> Iterator[tuple[str, type[Part]]]:
    """Yield the fields of a step type that are objects, or lists of objects, with fields of their own."""
    for name, field in spec.model_fields.items():
        if name not in COMMON:
            for kind in _models(field.annotation):
                if not issubclass(kind, StepSpec):
                    yield f"{name} {_tag(kind)}".strip() if sum(1 for _ in _models(field.annotation)) > 1 else name, kind
                    yield from (
                        (f"{name} {part.__name__}", part) for inner in kind.model_fields.values() for part in _models(inner.annotation)
                    )


def _tag(kind: type[Part]) -> str:
    """Return the `type` of the parts that a model of a union takes."""
    field = kind.model_fields.get("type")
    return "" if field is None else str(get_args(field.annotation)[0])


def _models(kind: Any) -> Iterator[type[Part]]:
    if isinstance(kind, type) and issubclass(kind, Part):
        yield kind
    for arg in get_args(kind):
        yield from _models(arg)


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
