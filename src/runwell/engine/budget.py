"""What an expression may cost: CEL cannot be interrupted, and while it is evaluated every run waits.

The library's `map` and `filter` copy the list that they build at each item, and all that its
entries hold. So their time grows with the square of a list's length; what a macro's body looks at, as
in `x in list`, is walked for each item; and joining texts copies what was joined so far. Before an expression is
evaluated, the lists, objects and texts that it meets are therefore measured; each bound is about
half a second of work. They are made against mistakes. An author who means harm can still write a
slow expression, as by a `replace` that makes long texts of short ones at each item.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from runwell.engine.cel_text import LIST_MACROS, LOOP_NAME, Selection, Token, is_macro, selections

MAX_NESTING: Final = 2

_LONGEST: Final = {(1, True): 2_000, (2, True): 200, (1, False): 100_000, (2, False): 500}
"""Longest list or object by (how deep macros nest, whether one builds a list)."""

_MOST_VISITED: Final = 4_000_000
"""Entries that a macro may visit: items * those of the longest list that each item looks at from inside the body."""

_MOST_COPIED: Final = 10_000_000_000
"""Characters that a macro may copy: items ** 2 * those of the longest text that each item takes from outside."""

_MOST_JOINED: Final = 20_000_000
"""Characters that a chain of `+` may handle: its length * the longest text."""


class Shape(msgspec.Struct, frozen=True):
    """What an expression's text says of its cost.

    `nesting`: how deep list macros nest. `joined`: how many `+` make the list that a macro walks,
    at most. `captured`: what macros' bodies take from outside, with how many macros are around it.
    """

    nesting: int
    builds: bool
    joins: int
    joined: int
    captured: tuple[tuple[Selection, int], ...]

    @property
    def is_free(self) -> bool:
        return not self.nesting and not self.joins


def shape_of(toks: list[Token]) -> Shape:
    """Return the shape of an expression."""
    macros = [i for i, _ in enumerate(toks) if is_macro(toks, i)]
    spans = [(i + 1, _closing(toks, i + 1)) for i in macros]
    depths = {token.start: sum(start < i < end for start, end in spans) for i, token in enumerate(toks)}
    return Shape(
        nesting=max((1 + depths[toks[i].start] for i in macros), default=0),
        builds=any(toks[i].text in LIST_MACROS for i in macros),
        joins=sum(token.text == "+" for token in toks),
        joined=max((_joins_before(toks, i - 1) for i in macros), default=0),
        captured=tuple((ref, depths[ref.start]) for ref in selections(toks) if depths[ref.start]),
    )


def too_deep(shape: Shape, toks: list[Token]) -> str | None:
    """Return what is wrong with the text itself, if anything is."""
    if shape.nesting > MAX_NESTING:
        return f"{shape.nesting} nested comprehensions, more than {MAX_NESTING}"
    commas = sum(token.text == "," for token in toks)
    if shape.nesting == MAX_NESTING and commas > _LONGEST[2, True]:
        return f"{commas} entries are written out in nested comprehensions, more than {_LONGEST[2, True]}"
    return None


def too_much(shape: Shape, names: Mapping[str, Any]) -> str | None:
    """Return what of the values is too much for an expression of this shape, if anything is."""
    longest, text = _measure(names)
    if not shape.nesting:
        much = text * (shape.joins + 1) > _MOST_JOINED
        return f"a text of {text} characters is too long to be joined {shape.joins} times" if much else None
    most = _LONGEST[shape.nesting, shape.builds] // (shape.joined + 1)
    if longest > most:
        return f"a list of {longest} items is too long for a comprehension here (at most {most})"
    for ref, depth in shape.captured:
        entries, text = _measure(_at(names, ref))
        if entries * longest**depth > _MOST_VISITED:
            return f"a list of {entries} items is too long to be looked at for each of {longest} items"
        if shape.builds and text * longest ** (depth + 1) > _MOST_COPIED:
            return f"a text of {text} characters is too long to be taken into each of {longest} items"
    return None


def most_pieces(shape: Shape) -> int:
    """Return how many pieces `split` may make."""
    return _LONGEST[max(shape.nesting, 1), True]


def _measure(value: Any) -> tuple[int, int]:
    """Return the longest list or object, and the longest text, in a value."""
    longest = text = 0
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            text = max(text, len(item))
        elif isinstance(item, dict | list):
            longest = max(longest, len(item))
            rest.extend(item.values() if isinstance(item, dict) else item)
    return longest, text


def _at(names: Mapping[str, Any], ref: Selection) -> Any:
    value: Any = names.get(LOOP_NAME if ref.root == "loop" else ref.root)
    for key in ref.keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _closing(toks: list[Token], opening: int) -> int:
    """Return the index of the bracket that closes the one at `opening`."""
    depth = 0
    for i in range(opening, len(toks)):
        depth += (toks[i].text in ("(", "[", "{")) - (toks[i].text in (")", "]", "}"))
        if depth == 0:
            return i
    return len(toks)


def _joins_before(toks: list[Token], dot: int) -> int:
    """Return how many `+` stand in the brackets of what comes before the dot of a macro."""
    joins, depth = 0, 0
    for token in reversed(toks[:dot]):
        depth += (token.text in (")", "]", "}")) - (token.text in ("(", "[", "{"))
        if depth < 0 or (depth == 0 and token.kind == "op" and token.text not in (".", "(", "[", "{")):
            break
        joins += token.text == "+"
    return joins
