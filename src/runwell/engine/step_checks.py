"""What is wrong with a step, whatever a run holds: values that are written out and can never be right."""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from runwell.engine.cel_text import tokens
from runwell.engine.expressions import Expr, ExpressionFailed, constant_value
from runwell.engine.kinds import BOOLEAN, LIST, Kinds, kinds_of
from runwell.engine.schedule import MAX_ITEMS
from runwell.engine.templates import Const, ListNode, Node, SecretText, Single, Text
from runwell.engine.waits import moment, seconds
from runwell.model.errors import InvalidInput
from runwell.model.step import ChildWorkflow, Delay, StepSpec, Wait

_SIMPLE: Final = re.compile(r"[\w.()\[\]\"']+")
"""An expression that needs no brackets beside an operator."""


class Finding(NamedTuple):
    """A problem of a step; `place` is a pointer within it."""

    code: str
    message: str
    place: str
    cure: str


def wrong_fields(spec: StepSpec) -> Iterator[Finding]:
    """Yield what is wrong with the fields that steps of the engine have."""
    if spec.control and spec.retry:
        message = f"a {spec.type} step cannot be retried as a whole"
        yield Finding("retry_not_here", message, "/retry", "put retry: on the steps that fail")
    if isinstance(spec, Delay) and (spec.for_s is None) == (spec.until is None) and spec.unread.isdisjoint(("for_s", "until")):
        cure = "write for_s: 60, or until: 2026-06-12T03:23:00Z"
        yield Finding("delay_needs_one", "a delay needs for_s or until, and not both", "", cure)
    if isinstance(spec, Wait) and spec.message == "":
        yield Finding("bad_value", "the message that the step waits for has no name", "/message", "name it, as in message: payment")
    yield from _wrong_times(spec)
    yield from _no_templates(spec)


def wrong_trace(spec: StepSpec, *, alone: bool) -> Iterator[Finding]:
    """Yield that a `trace` step has company: what other steps do would never happen."""
    if spec.control == "trace" and not alone:
        cure = "take it out: Runwell makes workflows for traces by itself, when they are sent to /v1/traces"
        yield Finding("trace_alone", "a trace step stands alone in its document", "", cure)


def _wrong_times(spec: StepSpec) -> Iterator[Finding]:
    for field in {"for_s", "until", "expires_in_s"} - spec.unread:
        value = getattr(spec, field, None)
        if field not in spec.templates or value is None or (isinstance(value, str) and "{{" in value):
            continue
        try:
            moment(value) if field == "until" else seconds(value, field)
        except InvalidInput as exc:
            yield Finding("bad_time", exc.message, f"/{field}", exc.hint or "write seconds, as in 3600")


def _no_templates(spec: StepSpec) -> Iterator[Finding]:
    """Yield fields that are taken as they are and hold a template."""
    for place in _templates_in(spec.fallback, "/fallback"):
        cure = "write the value itself; a step downstream can choose one, as in {{ default(steps.x.result, input.y) }}"
        yield Finding("no_template_here", "fallback is no template: its {{ }} would stay as they are", place, cure)
    if isinstance(spec, ChildWorkflow) and "workflow" not in spec.unread and "{{" in spec.workflow:
        cure = "name one workflow; to choose between several, write a step for each with when:"
        yield Finding("no_template_here", f"workflow is no template: {spec.workflow!r} names no workflow", "/workflow", cure)


def _templates_in(value: Any, pointer: str) -> Iterator[str]:
    if isinstance(value, str) and "{{" in value:
        yield pointer
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _templates_in(item, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _templates_in(item, f"{pointer}/{i}")


def wrong_items(node: Node) -> Iterator[Finding]:
    """Yield why the `items` of a for_each can never be a list that it takes."""
    if isinstance(node, Const | ListNode):
        value = node.value if isinstance(node, Const) else node.items
        if not isinstance(value, list):
            yield Finding(
                "bad_items", f"items should be a list, not {_shown(value)}", "/items", 'write a list, or a template: "{{ input.rows }}"'
            )
        elif len(value) > MAX_ITEMS:
            message = f"items has {len(value)} items, more than {MAX_ITEMS}"
            yield Finding("bad_items", message, "/items", "split the list over several runs")
        return
    kinds = _kinds(node.expr) if isinstance(node, Single) else frozenset({"text"} if isinstance(node, Text) else {"an object"})
    if kinds is not None and LIST not in kinds and not isinstance(node, SecretText):
        cure = 'write one template that gives a list, as in "{{ input.rows }}"'
        yield Finding("bad_items", f"items gives {_words(kinds)}, never a list", "/items", cure)


def wrong_condition(expr: Expr, field: str, step_id: str) -> Iterator[Finding]:
    """Yield why a `when` or `condition` can never be true or false; or, of a `when`, never true."""
    place = f"/{field}"
    try:
        value = constant_value(expr)
    except ExpressionFailed as exc:
        yield fails_always(exc, place)
        return
    except LookupError:
        kinds = kinds_of(tokens(expr.source))
        if kinds is not None and BOOLEAN not in kinds:
            message = f"the {field} {expr.source!r} gives {_words(kinds)}, never true or false"
            yield Finding("not_boolean", message, place, "compare it, as in " + _compared(expr.source, kinds))
        return
    if not isinstance(value, bool):
        message = f"the {field} {expr.source!r} is always {_shown(value)}, never true or false"
        yield Finding("not_boolean", message, place, "write a comparison, as in input.amount > 100.0")
    elif field == "when" and expr.source == "false":  # `1 > 2` and the like are left to those who want to skip a step for a while
        message = f"{step_id!r} can never run: its condition is always false"
        yield Finding("unreachable_step", message, place, "use enabled: false to switch a step off")


def wrong_constant(expr: Expr, place: str) -> Iterator[Finding]:
    """Yield why an expression without names fails every time, if it does."""
    try:
        constant_value(expr)
    except ExpressionFailed as exc:
        yield fails_always(exc, place)
    except LookupError:
        return


def fails_always(failure: ExpressionFailed, place: str) -> Finding:
    return Finding(
        "always_fails", f"{failure}; it looks at nothing that could change that", place, "mend the expression, or write the value itself"
    )


def _kinds(expr: Expr) -> Kinds:
    return kinds_of(tokens(expr.source))


def _compared(source: str, kinds: frozenset[str]) -> str:
    if source.startswith("!"):
        return "input.amount > 100.0" if "null" not in kinds else f"{source[1:]} == null"
    if not _SIMPLE.fullmatch(source):
        source = f"({source})"
    if "null" in kinds:
        return f"{source} != null"
    return f"{source} > 0" if kinds == {"a number"} else f'{source} == "..."' if kinds == {"text"} else "input.amount > 100.0"


def _words(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds))


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
