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
from typing import Any, Final, Protocol

import cel
import msgspec

from runwell.engine.budget import Shape, most_pieces, shape_of, too_deep, too_much
from runwell.engine.cel_text import LOOP_NAME, Selection, for_library, macro_variables, selections, tokens
from runwell.engine.functions import CEL_FUNCTIONS, FUNCTIONS, plain, split

logging.getLogger("cel").addHandler(logging.NullHandler())  # it logs what we raise from our own functions

MAX_SOURCE: Final = 4_096
ROOTS: Final = frozenset({"input", "steps", "run", "item", "index", "loop", "secrets"})
STEP_KEYS: Final = frozenset({"result", "input", "status", "error"})
RUN_KEYS: Final = frozenset({"id", "workflow", "version", "created_at", "trigger", "environment", "tags", "metadata", "source_run_id"})

_KEYS: Final = {"run": RUN_KEYS, "loop": frozenset({"iteration", "previous"})}

_FUNCTION_NAMES: Final = FUNCTIONS.keys() | CEL_FUNCTIONS

_IN_FUNCTION = re.compile(r"Function '\w+' error: Python function call failed: \w+: (.*?)\. Check function arguments.*", re.DOTALL)


class BadExpression(ValueError):
    """The text is no expression that can be used; the message says why."""


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
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError) as exc:
            raise ExpressionFailed(_missing(key, value)) from exc
        if isinstance(key, int) and isinstance(value, str):
            raise ExpressionFailed("text has no items")
    return value


def _missing(key: str | int, value: Any) -> str:
    if isinstance(key, str) and hasattr(value, "keys"):
        known = ", ".join(sorted(str(k) for k in list(value.keys())[:20])) or "none at all"
        return f"there is no key {key!r} (keys here: {known})"
    if isinstance(key, int) and isinstance(value, list):
        return f"there is no item {key}: the list has {len(value)}"
    return f"{'null' if value is None else type(value).__name__} has no {key!r}"


def compile_expression(source: str) -> Expr:
    """Compile CEL, bare or inside one `{{ }}`. Raises `BadExpression`."""
    text = source.strip()
    if text.startswith("{{") and text.endswith("}}"):
        text = text[2:-2].strip()
    if not text:
        raise BadExpression("the expression is empty")
    if len(text.encode()) > MAX_SOURCE:
        raise BadExpression(f"the expression has {len(text.encode())} bytes, more than {MAX_SOURCE}")
    toks = tokens(text)
    shape = shape_of(toks)
    deep = too_deep(shape, toks)
    if deep is not None:
        raise BadExpression(deep)
    program = _compile(for_library(text))
    bound = macro_variables(toks)
    refs = tuple(ref for ref in selections(toks) if ref.root in ROOTS and ref.root not in bound)
    _check_names(text, program, bound, refs)
    bare = refs[0] if len(refs) == 1 and refs[0].whole and (refs[0].start, refs[0].end) == (0, len(text)) else None
    return Expr(text, refs, _wanted(refs), bare, program, _functions(program, shape), shape)


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
        raise BadExpression(f"not an expression: {first[:200]}") from exc


def _check_names(text: str, program: Any, bound: frozenset[str], refs: tuple[Selection, ...]) -> None:
    if any(ref.root == "steps" and not (ref.keys and isinstance(ref.keys[0], str)) for ref in refs):
        raise BadExpression("`steps` must be followed by a step's id, as in steps.fetch.result")
    _check_keys(refs)
    unknown = sorted(set(program.variables()) - ROOTS - bound - {LOOP_NAME})
    if unknown and f"-{unknown[0]}" in text:
        raise BadExpression(f'unknown name {unknown[0]!r}: what has a hyphen is written in brackets, as in steps["fetch-data"].result')
    if unknown:
        raise BadExpression(f"unknown name {unknown[0]!r}: names are {', '.join(sorted(ROOTS))}; text needs quotes")
    strange = sorted(name for name in program.functions() if name.isidentifier() and name not in _FUNCTION_NAMES)
    if strange:
        raise BadExpression(f"unknown function {strange[0]!r}: functions are {', '.join(sorted(_FUNCTION_NAMES))}")


def _check_keys(refs: tuple[Selection, ...]) -> None:
    for ref in refs:
        at, known = (1, STEP_KEYS) if ref.root == "steps" else (0, _KEYS.get(ref.root, frozenset()))
        if known and len(ref.keys) > at and ref.keys[at] not in known:
            whose = "a step" if ref.root == "steps" else f"`{ref.root}`"
            raise BadExpression(f"{whose} has no {ref.keys[at]!r}: it has {', '.join(sorted(known))}")


def secret_name(expr: Expr) -> str | None:
    """Return NAME when the expression is just `secrets.NAME`."""
    path = expr.path
    return str(path.keys[0]) if path and path.root == "secrets" and len(path.keys) == 1 else None


def mentions_secrets(expr: Expr) -> bool:
    return any(ref.root == "secrets" for ref in expr.refs)
