"""A run as a list holds it: without its contents, but with what gives an idea of them."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from runwell.model.run_record import RunRecord

PREVIEW: Final = 120
"""So many characters of an input and of an output a list shows at most."""

MODELS: Final = 20
"""So many models of a run a list names at most."""

_CONTENTS: Final[dict[str, Any]] = {"input": None, "output": None, "steps": (), "generations": ()}


class ListedRun(RunRecord, frozen=True, kw_only=True):
    """A record without input, output, steps and generations. `models`: those that it called. The previews are one line each."""

    models: tuple[str, ...] = ()
    input_preview: str = ""
    output_preview: str = ""


def listed(record: RunRecord) -> ListedRun:
    """Return the run as lists hold it. However large its contents are, little of them is looked at."""
    if isinstance(record, ListedRun):
        return record
    return ListedRun(
        **{name: getattr(record, name) for name in record.__struct_fields__} | _CONTENTS,
        models=tuple(sorted({made.model for made in record.generations})[:MODELS]),
        input_preview=preview(record.input),
        output_preview=preview(record.output),
    )


def preview(value: Any) -> str:
    """Return the beginning of a value on one line: of a text its words, of all else its JSON. Empty for None."""
    if value is None:
        return ""
    text = " ".join(value[: 4 * PREVIEW].split()) if isinstance(value, str) else _beginning(value)
    return text if len(text) <= PREVIEW else text[: PREVIEW - 1] + "…"


def _beginning(value: Any) -> str:
    """Return the JSON of the value, or somewhat more than `PREVIEW` characters of it."""
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > PREVIEW:
            break
    return text


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        for number, (key, inner) in enumerate(value.items()):
            yield f"{', ' if number else ''}{_scalar(key)}: "
            yield from _pieces(inner)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for number, inner in enumerate(value):
            if number:
                yield ", "
            yield from _pieces(inner)
        yield "]"
    else:
        yield _scalar(value)


def _scalar(value: Any) -> str:
    return msgspec.json.encode(value[: PREVIEW + 1] if isinstance(value, str) else value).decode()
