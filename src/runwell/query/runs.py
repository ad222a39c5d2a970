"""Lists of runs, newest first, and how one stands."""

import msgspec

from runwell.model.errors import NotFound
from runwell.model.run import TESTING, RunRow
from runwell.model.run_overview import RunOverview, RunSummary, run_summary
from runwell.model.scope import Scope
from runwell.model.status_words import statuses_of
from runwell.ports.journal import Journal, RunFilter
from runwell.ports.runs import Runs
from runwell.query.cursors import Cursor, gone, read_cursor, write_cursor
from runwell.query.seen import seen_run

MAX_DEPTH = 20
"""Child runs nest no deeper than this when a failure's cause is looked for."""


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Runs, newest first. `next_cursor` leads to older ones, `prev_cursor` to newer ones; null where there are none."""

    data: list[RunSummary]
    next_cursor: str | None = None
    prev_cursor: str | None = None


def run_filter(scope: Scope, workflow_id: str | None, words: list[str], environment: str | None) -> RunFilter:
    """Return which runs a caller asks for. Trial runs are left out unless asked for. Raises `InvalidInput` for a word that is no status."""
    statuses = {status for word in words for status in statuses_of(word)}
    return RunFilter(
        scope=scope,
        workflow_id=workflow_id,
        statuses=tuple(sorted(statuses)),
        testing=environment == TESTING,
        environment=environment,
    )


async def list_runs(journal: Journal, wanted: RunFilter, limit: int, cursor: str | None) -> RunPage:
    """Return a page of runs. Raises `InvalidInput` for a cursor that does not belong to this list."""
    at = None if cursor is None else read_cursor(cursor, "runs", wanted)
    rows = await _rows(journal, wanted, limit + 1, at)
    more = len(rows) > limit
    backwards = at is not None and at.direction == "prev"
    shown = rows[-limit:] if backwards else rows[:limit]
    older, newer = (True, more) if backwards else (more, at is not None)
    return RunPage(
        data=[run_summary(row) for row in shown],
        next_cursor=write_cursor(Cursor("next", (shown[-1].run_id,)), "runs", wanted) if older and shown else None,
        prev_cursor=write_cursor(Cursor("prev", (shown[0].run_id,)), "runs", wanted) if newer and shown else None,
    )


async def _rows(journal: Journal, wanted: RunFilter, limit: int, at: Cursor | None) -> list[RunRow]:
    if at is None:
        return await journal.rows(wanted, limit=limit)
    place = seen_run(at)
    row = await journal.row(place)
    if row is None or Scope(row.org_id, row.project_id) != wanted.scope:
        raise gone()
    forwards = at.direction == "next"
    return await journal.rows(wanted, limit=limit, before=place if forwards else None, after=None if forwards else place)


async def run_overview(runs: Runs, scope: Scope, run_id: str) -> RunOverview:
    """Return how a run stands, its causes followed into the child runs that failed."""
    overview = await runs.overview(scope, run_id)
    causes = list(overview.causes)
    for _ in range(MAX_DEPTH):
        child_id = (causes[-1].error.details or {}).get("child_run_id") if causes else None
        if not isinstance(child_id, str):
            break
        try:
            inner = (await runs.overview(scope, child_id)).causes
        except NotFound:  # deleted meanwhile
            break
        if not inner:
            break
        causes += inner
    return msgspec.structs.replace(overview, causes=causes)
