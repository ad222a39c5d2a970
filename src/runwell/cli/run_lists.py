"""Lists of runs: from this machine's journal, from its run store, or from a server."""

import time
from typing import TYPE_CHECKING, Final

import msgspec

from runwell.cli.place import EVER
from runwell.cli.runs_wanted import RunsWanted
from runwell.model.errors import RunStoreUnavailable
from runwell.model.listed_run import listed
from runwell.model.run import RunRow
from runwell.model.run_overview import record_summary
from runwell.model.run_record import RunRecord
from runwell.model.run_search import RunFilters, RunPage
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.status_words import statuses_of
from runwell.ports.journal import JournalReader, RunFilter
from runwell.query.run_search import PageAsked, RunIndex, list_runs
from runwell.runtime.run_recorder import RunRecorder
from runwell.sdk.client import AsyncClient
from runwell.sdk.run_filters import RunFiltering

if TYPE_CHECKING:  # slow to import, and only who searches needs it
    from runwell.bootstrap import App

_PAGE: Final = 200


def is_plain(wanted: RunsWanted) -> bool:
    """Whether the journal itself can answer, which it can while another process owns it: status, one workflow, and how many."""
    asked = wanted.filters
    plain = RunFilters(statuses=asked.statuses, workflows=asked.workflows[:1])
    return asked == plain and not wanted.count


class JournalLists:
    """Plain lists, from the journal."""

    def __init__(self, journal: JournalReader) -> None:
        self._journal = journal

    async def runs(self, wanted: RunsWanted) -> RunPage:
        asked = wanted.filters
        statuses = {status for word in asked.statuses for status in statuses_of(word)}
        filters = RunFilter(statuses=tuple(sorted(statuses)), slug=next(iter(asked.workflows), None), testing=False)
        found: list[RunRow] = []
        before: str | None = None
        while len(found) < wanted.limit and (rows := await self._journal.rows(filters, limit=_PAGE, before=before)):
            found += [row for row in rows if row.archived_at is None]
            before = rows[-1].run_id
        return RunPage(data=[record_summary(listed(await self._record(row.run_id))) for row in found[: wanted.limit]])

    async def _record(self, run_id: str) -> RunRecord:
        """Return all that a list can show of the run, which its row alone does not tell."""
        first, *others = await self._journal.read(run_id)
        recorder = RunRecorder(first)
        for event in others:
            recorder.add(event)
        return recorder.record()


class StoreLists:
    """Lists from the run store of an app that this process owns."""

    def __init__(self, app: "App") -> None:
        self._app = app

    async def runs(self, wanted: RunsWanted) -> RunPage:
        if self._app.run_store is None or self._app.projector is None:
            raise RunStoreUnavailable("there is no run store here", hint="leave RUNWELL_RUNSTORE_URL=none out")
        await self._app.projector.complete()  # whoever asks here rather waits than gets half of it
        index = RunIndex(self._app.run_store, self._app.projector)
        filters = msgspec.structs.replace(wanted.filters, since=wanted.filters.since or EVER)
        page = PageAsked(limit=min(wanted.limit, _PAGE), count=wanted.count, now=int(time.time() * 1000))
        found = first = await list_runs(index, DEFAULT_SCOPE, filters, page)
        rows = list(first.data)
        while found.next_cursor is not None and len(rows) < wanted.limit:
            page = msgspec.structs.replace(page, cursor=found.next_cursor, count=False)
            found = await list_runs(index, DEFAULT_SCOPE, filters, page)
            rows += found.data
        return msgspec.structs.replace(first, data=rows[: wanted.limit], next_cursor=None)


class RemoteLists:
    """Lists of a server."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def runs(self, wanted: RunsWanted) -> RunPage:
        asked = wanted.filters
        workflow = asked.workflows[0] if len(asked.workflows) == 1 else asked.workflows or None
        filters = _as_keywords(asked)
        rows = []
        async for run in self._client.runs.list(q=asked.q, workflow=workflow, limit=min(wanted.limit, _PAGE), **filters):
            rows.append(run)
            if len(rows) == wanted.limit:
                break
        if not wanted.count:
            return RunPage(data=rows)
        told = await self._client.runs.count(q=asked.q, workflow=workflow, **filters)
        return RunPage(data=rows, count=told.count, facets=told.facets)


def _as_keywords(asked: RunFilters) -> RunFiltering:
    found = RunFiltering(since=asked.since or EVER, archived=asked.archived)
    if asked.until is not None:
        found["until"] = asked.until
    several = {"status": asked.statuses, "environment": asked.environments, "trigger": asked.triggers, "tag": asked.tags}
    given = {name: values for name, values in several.items() if values}
    metadata = dict(asked.metadata)
    return found | given | ({"metadata": metadata} if metadata else {})  # type: ignore[return-value]
