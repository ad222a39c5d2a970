"""What a workflow is called: its name for people, its slug in paths and in other workflows."""

import re
import uuid
from typing import Any, Final

NAME: Final = r"^[^\x00-\x1f/]+$"
NAME_LENGTH: Final = 100
SLUG_LENGTH: Final = 200
_SLUG: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def is_slug(text: str) -> bool:
    """Whether the text is words of lower-case letters and digits, of any script, joined by hyphens."""
    return len(text) <= SLUG_LENGTH and _SLUG.fullmatch(text) is not None and text == text.lower()


def is_free_slug(text: str) -> bool:
    """Whether a person may choose it: what reads as an id names what has that id."""
    try:
        uuid.UUID(text)
    except ValueError:
        return is_slug(text)
    return False


def is_name(value: Any) -> bool:
    """Whether a document may have this name."""
    return isinstance(value, str) and 0 < len(value) <= NAME_LENGTH and re.fullmatch(NAME[1:-1], value) is not None


def slug_of(name: str) -> str:
    """Return the name as a URL part: lower case, other characters than letters and digits as hyphens."""
    words = "".join(c if c.isalnum() else " " for c in name.lower()).split()
    return "-".join(words) or "workflow"
