"""What is wrong with an expression that is well formed CEL: it names what there is not, or calls what cannot be called so."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

import cel

from runwell.engine.cel_text import LOOP_NAME, Selection, Token
from runwell.engine.functions import CEL_FUNCTIONS, FUNCTIONS

ROOTS: Final = frozenset({"input", "steps", "run", "item", "index", "loop", "args", "vars", "conversation", "secrets"})
STEP_KEYS: Final = frozenset({"result", "input", "status", "error"})
RUN_KEYS: Final = frozenset({"id", "workflow", "version", "created_at", "trigger", "environment", "tags", "metadata", "source_run_id"})

CONVERSATION_KEYS: Final = frozenset({"turn", "message", "node", "output", "error", "visits"})

_KEYS: Final = {"run": RUN_KEYS, "loop": frozenset({"iteration", "previous"}), "conversation": CONVERSATION_KEYS}

_FUNCTION_NAMES: Final = FUNCTIONS.keys() | CEL_FUNCTIONS
_OF_NOTHING: Final = frozenset({"type", "int", "uint", "double", "bytes", "timestamp", "duration"})
"""CEL's functions that are called as `f(x)` only."""
_EITHER_WAY: Final = frozenset({"size", "dyn"})
_OF_VALUES: Final = CEL_FUNCTIONS - _OF_NOTHING - _EITHER_WAY
"""CEL's functions that are called as `x.f()` only."""


class Fault(NamedTuple):
    """One thing that is wrong with an expression, and its cure."""

    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.message}: {self.cure}"


def faults_of(text: str, toks: Sequence[Token], program: Any, bound: frozenset[str], refs: Sequence[Selection]) -> Iterator[Fault]:
    """Yield everything that is wrong with the expression `text`; `bound` are the names that its macros bind."""
    if any(ref.root == "steps" and not (ref.keys and isinstance(ref.keys[0], str)) for ref in refs):
        yield Fault("`steps` must be followed by a step's id", "write it as in steps.fetch.result")
    yield from _wrong_keys(refs)
    yield from _unknown_names(text, set(program.variables()) - ROOTS - bound - {LOOP_NAME})
    for name in sorted(name for name in program.functions() if name.isidentifier() and name not in _FUNCTION_NAMES):
        yield Fault(f"unknown function {name!r}", _like(name, _FUNCTION_NAMES) or f"functions are {', '.join(sorted(_FUNCTION_NAMES))}")
    yield from _wrong_calls(toks)
    yield from _wrong_patterns(toks)


def _wrong_keys(refs: Sequence[Selection]) -> Iterator[Fault]:
    for ref in refs:
        at, known = (1, STEP_KEYS) if ref.root == "steps" else (0, _KEYS.get(ref.root, frozenset()))
        if known and len(ref.keys) > at and ref.keys[at] not in known:
            whose = "a step" if ref.root == "steps" else f"`{ref.root}`"
            yield Fault(f"{whose} has no {ref.keys[at]!r}", f"it has {', '.join(sorted(known))}")


def _unknown_names(text: str, unknown: set[str]) -> Iterator[Fault]:
    for name in sorted(unknown):
        if f"-{name}" in text:
            yield Fault(f"unknown name {name!r}", 'what has a hyphen is written in brackets, as in steps["fetch-data"].result')
        else:
            yield Fault(f"unknown name {name!r}", f"names are {', '.join(sorted(ROOTS))}; text needs quotes")


def _wrong_calls(toks: Sequence[Token]) -> Iterator[Fault]:
    """Yield calls that the library does not know: `matches(x, y)` for `x.matches(y)`, or `x.int()` for `int(x)`."""
    for i, token in enumerate(toks[:-1]):
        if token.kind != "name" or toks[i + 1].text != "(":
            continue
        of_value = i > 0 and toks[i - 1].text == "."
        if token.text in _OF_VALUES and not of_value:
            argument = "" if token.text.startswith("get") else "..."
            yield Fault(f"{token.text!r} cannot be called by itself", f"write it behind the value: input.x.{token.text}({argument})")
        elif token.text in _OF_NOTHING and of_value:
            yield Fault(f"{token.text!r} cannot be called on a value", f"write it around the value: {token.text}(input.x)")


def _wrong_patterns(toks: Sequence[Token]) -> Iterator[Fault]:
    for i in range(len(toks) - 3):
        name, opening, pattern, closing = toks[i : i + 4]
        if (name.text, opening.text, pattern.kind, closing.text) != ("matches", "(", "string", ")"):
            continue
        try:
            cel.compile(f'"".matches({pattern.text})').execute({})
        except (ValueError, RuntimeError) as exc:
            why = str(exc).partition("\nerror: ")[2].partition(". Check function")[0] or "it cannot be read"
            yield Fault(
                f"{pattern.text} is no regular expression: {why}", 'mend the pattern; a character that is meant itself is escaped: "[.]"'
            )


def _like(word: str, known: Any) -> str | None:
    close = get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else None
