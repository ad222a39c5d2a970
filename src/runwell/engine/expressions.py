"""Expressions and templates, compiled once per version.

An expression is CEL. The commonest kind, a bare selection like `steps.a.result.b`, is walked in
Python and never converted: its value stays exact (integers over 64 bits too) and costs nothing to
pass on. Everything else goes to the CEL library with just those parts of the environment that the
text mentions.

What an expression may cost stands in `budget`.
"""

import logging
import re
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

import cel
import msgspec

from runwell.engine.budget import Shape, most_pieces, shape_of, too_deep, too_much
from runwell.engine.cel_text import LOOP_NAME, Selection, for_library, macro_variables, selections, tokens
from runwell.engine.expression_faults import ROOTS, Fault, faults_of
from runwell.engine.functions import FUNCTIONS, plain, split

logging.getLogger("cel").addHandler(logging.NullHandler())  # it logs what we raise from our own functions

MAX_SOURCE: Final = 4_096
_IN_FUNCTION = re.compile(r"Function '\w+' error: Python function call failed: \w+: (.*?)\. Check function arguments.*", re.DOTALL)


class BadExpression(ValueError):
    """The text is no expression that can be used; `faults` say all that is wrong."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class ExpressionFailed(ValueError):
    """The expression is well formed but has no value here; the message names it."""


class Environment(Protocol):
    """What names mean at one place of a run."""

    def value(self, root: str) -> Any:
        """Return the value of a root name other than `steps`; raise KeyError when it has none here."""
        ...

    def step(self, step_id: str) -> dict[str, Any]:
        """Return `{result, input, status, error}` of a visible step; raise KeyError for another."""
        ...


class Expr(msgspec.Struct, frozen=True):
    """A compiled expression."""

    source: str
    refs: tuple[Selection, ...]
    wanted: dict[str, Any]
    path: Selection | None
    program: Any
    functions: dict[str, Any] | None
    shape: Shape

    def evaluate(self, env: Environment) -> Any:
        """Return the value as JSON data. Raises `ExpressionFailed`."""
        try:
            return _walk(self.path, env) if self.path else self._run(env)
        except ExpressionFailed as exc:
            raise ExpressionFailed(f"{self.source!r}: {exc}") from exc

    def _run(self, env: Environment) -> Any:
        names = self._names(env)
        much = None if self.shape.is_free else too_much(self.shape, names)
        if much is not None:
            raise ExpressionFailed(f"{much}: use a python or for_each step")
        try:
            return plain(self.program.execute(cel.Context(names, self.functions) if self.functions else names))
        except KeyError as exc:
            raise ExpressionFailed(f"there is no key {exc.args[0]!r}") from exc
        except Exception as exc:
            raise ExpressionFailed(_IN_FUNCTION.sub(r"\1", str(exc))) from exc

    def _names(self, env: Environment) -> dict[str, Any]:
        names: dict[str, Any] = {}
        for root, wanted in self.wanted.items():
            if root == "steps":
                names["steps"] = {step_id: _pick(_step(step_id, env), part) for step_id, part in (wanted or {}).items()}
            else:
                names[LOOP_NAME if root == "loop" else root] = _pick(_root(root, env), wanted)
        return names


Wanted = dict[str, Any] | None
"""Which part of a value an expression looks at: keys and what of their values; None is all of it."""


def _wanted(refs: tuple[Selection, ...]) -> dict[str, Wanted]:
    roots: dict[str, Wanted] = {}
    for ref in refs:
        at: dict[str, Any] | None = roots
        for key, following in zip((ref.root, *ref.keys), (*ref.keys, None), strict=True):
            if at is None or not isinstance(key, str):
                break
            last = not isinstance(following, str)
            if last or at.get(key, at) is None:
                at[key] = None
            at = at.setdefault(key, {})
    return roots


def _pick(value: Any, wanted: Wanted) -> Any:
    """Return the wanted part of a value: less to convert, and shorter lists to mind."""
    if wanted is None or not isinstance(value, dict):
        return value
    return {key: _pick(value[key], part) for key, part in wanted.items() if key in value}


def _step(step_id: str, env: Environment) -> dict[str, Any]:
    try:
        return env.step(step_id)
    except KeyError as exc:
        raise ExpressionFailed(f"no step {step_id!r} is visible here") from exc


def _root(name: str, env: Environment) -> Any:
    try:
        return env.value(name)
    except KeyError as exc:
        raise ExpressionFailed(f"{name!r} has no value here") from exc


def _walk(path: Selection, env: Environment) -> Any:
    if path.root == "steps":
        value: Any = _step(str(path.keys[0]), env)
        keys = path.keys[1:]
    else:
        value, keys = _root(path.root, env), path.keys
    for key in keys:
        if isinstance(key, int) and isinstance(value, str):
            raise ExpressionFailed("text has no items")
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError) as exc:
            raise ExpressionFailed(_missing(key, value)) from exc
    return value


def _missing(key: str | int, value: Any) -> str:
    if isinstance(key, str) and hasattr(value, "keys"):
        known = ", ".join(sorted(str(k) for k in list(value.keys())[:20])) or "none at all"
        return f"there is no key {key!r} (keys here: {known})"
    if isinstance(key, int) and isinstance(value, list):
        return f"there is no item {key}: the list has {len(value)}"
    return f"{'null' if value is None else type(value).__name__} has no {key!r}"


class Reading(NamedTuple):
    """An expression's text, read. `expr` is None when it is not even well formed; it must not be evaluated if it has faults."""

    expr: Expr | None
    faults: tuple[Fault, ...]


def compile_expression(source: str) -> Expr:
    """Compile CEL, bare or inside one `{{ }}`. Raises `BadExpression`."""
    expr, faults = read_expression(source)
    if expr is None or faults:
        raise BadExpression(*faults)
    return expr


def read_expression(source: str) -> Reading:
    """Return the expression of CEL, bare or inside one `{{ }}`, with all that is wrong with it."""
    text = source.strip()
    if text.startswith("{{") and text.endswith("}}"):
        text = text[2:-2].strip()
    try:
        return _read(text)
    except BadExpression as exc:
        return Reading(None, exc.faults)


def _read(text: str) -> Reading:
    if not text:
        raise BadExpression(Fault("the expression is empty", "write one, as in input.name"))
    if len(text.encode()) > MAX_SOURCE:
        cure = "move parts of it into transform steps"
        raise BadExpression(Fault(f"the expression has {len(text.encode())} bytes, more than {MAX_SOURCE}", cure))
    toks = tokens(text)
    shape = shape_of(toks)
    deep = too_deep(shape, toks)
    if deep is not None:
        raise BadExpression(Fault(deep, "use a python or for_each step"))
    program = _compile(for_library(text))
    bound = macro_variables(toks)
    refs = tuple(ref for ref in selections(toks) if ref.root in ROOTS and ref.root not in bound)
    bare = refs[0] if len(refs) == 1 and refs[0].whole and (refs[0].start, refs[0].end) == (0, len(text)) else None
    faults = tuple(faults_of(text, toks, program, bound, refs))
    return Reading(Expr(text, refs, _wanted(refs), bare, program, _functions(program, shape), shape), faults)


def _functions(program: Any, shape: Shape) -> dict[str, Any] | None:
    """Return the functions that the expression needs beyond CEL's own; None when it needs none."""
    if FUNCTIONS.keys().isdisjoint(program.functions()):
        return None
    return FUNCTIONS | {"split": partial(split, most=most_pieces(shape))}


def _compile(text: str) -> Any:
    try:
        return cel.compile(text)
    except (ValueError, RuntimeError) as exc:
        first = str(exc).partition("ERROR: <input>:")[2].partition("\n")[0] or str(exc)
        raise BadExpression(Fault(f"not an expression: {first[:200]}", _cure_of_syntax(text))) from exc


def _cure_of_syntax(text: str) -> str:
    if "{{" in text or "}}" in text:
        return "write one expression without braces inside, as in input.a == input.b"
    lone_equals = any(token.kind == "other" and token.text == "=" for token in tokens(text))
    return "write == to compare" if lone_equals else "expressions are CEL, as in input.amount > 100.0; text needs quotes"


def secret_name(expr: Expr) -> str | None:
    """Return NAME when the expression is just `secrets.NAME`."""
    path = expr.path
    return str(path.keys[0]) if path and path.root == "secrets" and len(path.keys) == 1 else None


def constant_value(expr: Expr) -> Any:
    """Return the value of an expression that looks at no name. Raises `ExpressionFailed`; and `LookupError` for any other."""
    if expr.refs:
        raise LookupError(expr.source)
    return expr.evaluate(_NOTHING)


class _Nothing:
    """An environment in which no name has a value."""

    def value(self, root: str) -> Any:
        raise KeyError(root)

    def step(self, step_id: str) -> dict[str, Any]:
        raise KeyError(step_id)


_NOTHING: Final = _Nothing()


def mentions_secrets(expr: Expr) -> bool:
    return any(ref.root == "secrets" for ref in expr.refs)
