"""ETags of things that have a revision, and the If-Match of those who change them."""

from typing import Annotated

from fastapi import Header

from runwell.api.errors import PreconditionRequired

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match", max_length=1_000, description="The ETag of what the change is based on; with another, nothing is changed (412)."
    ),
]


class AnyRevision:
    """`If-Match: *`: whatever is there."""

    def __contains__(self, revision: object) -> bool:
        return True


def etag_of(revision: int) -> str:
    return f'"{revision}"'


def revisions(if_match: str | None) -> "frozenset[int] | AnyRevision | None":
    """Return the revisions that the header allows; None without a header. A tag that is none of ours is no revision."""
    if if_match is None:
        return None
    tags = [tag.strip() for tag in if_match.split(",")]
    if "*" in tags:
        return AnyRevision()
    inner = [tag[1:-1] for tag in tags if len(tag) > 2 and tag[0] == tag[-1] == '"']
    return frozenset(int(text) for text in inner if text.isascii() and text.isdigit() and len(text) < 10)


def required_revisions(if_match: str | None, what: str) -> "frozenset[int] | AnyRevision":
    """Return the revisions that the header allows. Raises `PreconditionRequired` without a header."""
    allowed = revisions(if_match)
    if allowed is None:
        hint = f"GET {what} and send its ETag as If-Match, so that nobody's change is lost; `If-Match: *` overwrites whatever is there"
        raise PreconditionRequired("this needs an If-Match header", hint=hint)
    return allowed
