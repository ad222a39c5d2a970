"""What expressions may refer to at their place in the document, and why the rest is out of sight."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from runwell.engine.expression_faults import ROOTS
from runwell.engine.expressions import Expr, mentions_secrets, secret_name
from runwell.model.step import StepSpec, body_of

Complaint = tuple[str, str, str]
"""Code, message, cure."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the document an expression stands: what it may see there, and what it may not.

    `visible`: steps that have been resolved when the expression is evaluated. `beside`: steps of the
    same body, upstream or not. `inner`: from a step inside a loop of this body, or of one around it,
    to that loop. `outside`: from a step of a body around this one to the loop there that would have
    to depend on it. `loops`: the loops around. `loop_steps`: the steps that `loop.previous` has.
    `unread`: ids that parts of the document may have which could not be read; nothing is said of them.
    """

    visible: frozenset[str] = frozenset()
    names: frozenset[str] = ROOTS - {"item", "index", "loop", "args", "vars", "conversation"}
    beside: frozenset[str] = frozenset()
    inner: Mapping[str, str] = {}
    outside: Mapping[str, str] = {}
    loops: tuple[str, ...] = ()
    loop_steps: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()


def wrong_references(expr: Expr, step_id: str | None, place: Place, secrets: bool) -> Iterator[Complaint]:
    """Yield what the expression refers to and cannot see; `secrets`: whether `secrets.NAME` may stand here."""
    for ref in dict.fromkeys((ref.root, ref.keys) for ref in expr.refs):
        yield from _wrong_reference(*ref, step_id, place)
    if mentions_secrets(expr) and not (secrets and secret_name(expr)):
        cure = (
            "write {{ secrets.NAME }} by itself"
            if secrets
            else "secrets can stand in an http step's request only, or in that of an http tool"
        )
        yield "secret_not_here", f"a secret cannot be used in {expr.source!r}", cure


def _wrong_reference(root: str, keys: tuple[str | int, ...], step_id: str | None, place: Place) -> Iterator[Complaint]:
    if root not in place.names and "args" in place.names:
        yield "name_not_here", f"{root!r} has no value in a tool", f"a tool sees {', '.join(sorted(place.names))}: pass it as an argument"
    elif root == "args" and root not in place.names:
        yield "name_not_here", "'args' has a value only in the tools of a document", "use input, or the result of a step"
    elif root in ("vars", "conversation") and root not in place.names:
        yield "name_not_here", f"{root!r} has a value only inside a conversation step", "use its result in a step that depends on it"
    elif root not in place.names:
        loop = "while" if root == "loop" else "for_each"
        cure = f"move this step into the steps of a {loop} step"
        yield "name_not_here", f"{root!r} has a value only inside a {loop} step", cure
    elif root == "steps" and keys and keys[0] not in place.visible | place.unread:
        yield why_unseen(str(keys[0]), step_id, place)
    elif root == "loop" and keys[:1] == ("previous",) and len(keys) > 1 and keys[1] not in place.loop_steps | place.unread:
        cure = nearest(str(keys[1]), place.loop_steps) or f"its steps are {named(place.loop_steps)}"
        yield "unknown_step", f"loop.previous has no step {keys[1]!r}", cure


def why_unseen(target: str, step_id: str | None, place: Place) -> Complaint:
    """Return what to say of a reference to a step that is not visible."""
    if target in place.loops:
        return "not_visible", f"the loop {target!r} has no result while it runs", "use item, index or loop"
    if target == step_id:
        return "not_upstream", f"step {target!r} refers to itself", "use its result in a step that depends on it"
    if target in place.outside:
        loop = place.outside[target]
        return "not_upstream", f"step {target!r} is not upstream of the loop {loop!r}", f"add {target!r} to the depends_on of {loop!r}"
    if target in place.loop_steps and place.loops[-1:] == (step_id,):
        return "not_visible", f"step {target!r} has not run yet in this iteration", f"use loop.previous.{target}.result"
    if target in place.beside:
        return "not_upstream", f"step {target!r} is not upstream of {step_id!r}", f"add {target!r} to its depends_on"
    if step_id is not None and place.inner.get(target) == step_id:
        return "not_visible", f"step {target!r} is inside {step_id!r}, which has not begun", "only its steps and its output see them"
    if target in place.inner:
        loop = place.inner[target]
        return "not_visible", f"step {target!r} is inside the loop {loop!r}", f"use steps.{loop}.result"
    known = place.visible | place.beside
    return "unknown_step", f"there is no step {target!r}", nearest(target, known) or _other_steps(known - {step_id})


def _other_steps(known: frozenset[Any]) -> str:
    return f"steps here are {named(known)}" if named(known) else "take the reference out, or add the step"


def named(ids: Any) -> str:
    """Return the ids that people gave, at most twenty; a stand-in's is its pointer."""
    real = sorted(step_id for step_id in ids if is_named(step_id))
    return ", ".join(real[:20]) + (", ..." if len(real) > 20 else "")


def is_named(step_id: str) -> bool:
    return not step_id.startswith("/")


def nearest(word: str, known: Any) -> str | None:
    close = difflib.get_close_matches(word, [one for one in known if is_named(one)], n=1)
    return f"did you mean {close[0]!r}?" if close else None


def at_end(place: Place, specs: Sequence[StepSpec]) -> Place:
    """Return what the output of a loop sees: every inner step has been resolved."""
    return msgspec.structs.replace(place, visible=place.visible | {spec.id for spec in specs})


def inner_ids(specs: Sequence[StepSpec], loop: str | None = None) -> dict[str, str]:
    """Return, for every step inside a loop among `specs`, the id of the outermost such loop."""
    found: dict[str, str] = {}
    for spec in specs:
        if loop:
            found[spec.id] = loop
        found.update(inner_ids(body_of(spec), loop or spec.id))
    return found
