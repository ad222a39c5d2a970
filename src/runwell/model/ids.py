"""Ids: UUIDv7 behind a prefix that says what the id names (`run_0195dd7a...`).

Everywhere inside Runwell an id is its shown form: prefix, underscore, 32 hex digits.
At the borders the bare UUID, with or without hyphens, is accepted too (`parse_id`).
"""

import uuid
from typing import Final, Literal

from uuid_utils import uuid7

from runwell.model.errors import InvalidInput

Prefix = Literal["run", "wf", "task", "cmt", "org", "prj", "usr", "sec", "con", "view", "evl", "dset", "exp"]

DEFAULT_ORG: Final = "org_" + "0" * 32
"""The organization of a Runwell without sign-in: the command line's."""

DEFAULT_PROJECT: Final = "prj_" + "0" * 32

_TASK_NAMESPACE: Final = uuid.UUID("6c1e2a54-77a7-5c19-9d6c-0a5a5a9f3b10")


def new_id(prefix: Prefix) -> str:
    """Return a fresh id; ids made later sort later, to the millisecond."""
    return f"{prefix}_{uuid7().hex}"


def derived_id(prefix: Prefix, *parts: str) -> str:
    """Return the id that these parts always have (UUIDv5 of the parts joined by `/`)."""
    return f"{prefix}_{uuid.uuid5(_TASK_NAMESPACE, '/'.join(parts)).hex}"


def parse_id(prefix: Prefix, text: str) -> str:
    """Return the shown form of `text`, which may be prefixed or a bare UUID.

    Raises `InvalidInput` when it is neither.
    """
    bare = text.removeprefix(f"{prefix}_")
    try:
        return f"{prefix}_{uuid.UUID(bare).hex}"
    except ValueError as exc:
        raise InvalidInput(
            f"{text!r} is no {prefix} id",
            hint=f"an id looks like {prefix}_ and 32 hex digits, or is a bare UUID",
        ) from exc


def id_in(prefix: Prefix, text: str) -> str | None:
    """Return the shown form of the id that `text` is; None when it is none."""
    try:
        return parse_id(prefix, text)
    except InvalidInput:
        return None


def short_id(run_id: str) -> str:
    """Return the 24 hex digits under which seed 004's path finds the run."""
    return run_id.removeprefix("run_")[:24]
