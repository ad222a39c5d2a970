"""Regular expressions that take time in proportion to the text, whatever they are: RE2's, as pyarrow brings it."""

from collections.abc import Callable
from typing import Final

from runwell.model.errors import InvalidInput

MOST_CHARACTERS: Final = 500


def linear_pattern(pattern: str) -> Callable[[str, str], str]:
    """Return what replaces each match in a text. Raises `InvalidInput` for what RE2 does not take, and for what matches nothing at all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(pattern) > MOST_CHARACTERS:
        raise InvalidInput(f"a pattern of {len(pattern)} characters is longer than {MOST_CHARACTERS}")

    def replace(text: str, replacement: str) -> str:
        try:
            given = pa.scalar(text, pa.large_string())
        except UnicodeEncodeError:  # it cannot be kept, so it is not
            return text
        return str(pc.replace_substring_regex(given, pattern=pattern, replacement=replacement.replace("\\", "\\\\")).as_py())

    try:
        if replace("", "x"):
            raise InvalidInput(f"the pattern {pattern!r} matches nothing at all, everywhere", hint="let it ask for a character at least")
    except (pa.ArrowException, UnicodeEncodeError) as exc:
        hint = "write it in RE2's syntax: without look-around and back references"
        raise InvalidInput(f"{pattern!r} is no pattern: {exc}", hint=hint) from exc
    return replace
