"""What people wrote about a run."""

import msgspec

from runwell.model.commands import AddComment
from runwell.model.errors import InvalidInput, JournalUnavailable
from runwell.model.events import CommentAdded, Event
from runwell.model.ids import new_id
from runwell.model.run import RunRow
from runwell.model.run_parts import Comment
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.journal import EventFilter, Journal
from runwell.ports.runs import Runs
from runwell.query.events import EventBounds, gather

_COMMENTS = EventFilter(types=("comment_added",))


class CommentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Comments, oldest first."""

    data: list[Comment]
    next_cursor: str | None = None
    prev_cursor: str | None = None


async def list_comments(journal: Journal, run_id: str, limit: int, cursor: str | None) -> CommentPage:
    """Return a page of the run's comments. Raises `InvalidInput` for a cursor of another list."""
    page = await gather(journal, run_id, _COMMENTS, EventBounds(limit=limit), cursor)
    return CommentPage(data=[_comment(event) for event in page.events], next_cursor=page.next_cursor, prev_cursor=page.prev_cursor)


async def add_comment(runs: Runs, journal: Journal, scope: Scope, run: RunRow, content: str, actor: str) -> Comment:
    """Keep a comment on the run, whatever its status, and return it. Raises `InvalidInput` for one that says nothing."""
    if not content.strip():
        raise InvalidInput("the comment is empty", hint="write something into `content`")
    comment_id = new_id("cmt")
    row = await runs.command(scope, run.run_id, AddComment(comment_id=comment_id, content=content, actor=actor))
    before = row.seq + 1
    while found := await journal.events(run.run_id, _COMMENTS, limit=20, after=run.seq, before=before):
        for event in found:
            if event.of(CommentAdded).comment_id == comment_id:
                return _comment(event)
        before = found[0].seq
    raise JournalUnavailable(f"the comment on {run.run_id} was not kept", hint="write it again")


def _comment(event: Event) -> Comment:
    data = event.of(CommentAdded)
    return Comment(id=data.comment_id, run_id=event.run_id, content=data.content, by=event.actor, created_at=rfc3339(event.ts))
