"""What a workflow is called in paths and by other workflows."""

import re
import uuid
from typing import Final

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
