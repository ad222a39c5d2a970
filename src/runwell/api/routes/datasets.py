"""Datasets: inputs to try workflows with."""

import time
from typing import Annotated

import msgspec
from fastapi import Path, Query
from pydantic import Field, model_validator
from starlette.responses import Response

from runwell.api.answers import Answer, answers, no_content
from runwell.api.json_values import JsonObject, JsonValue, KeptText
from runwell.api.parts import Parts
from runwell.api.route import Caller, Server, needs, router
from runwell.api.routes.workflow_bodies import Body, Slug
from runwell.api.run_routes import Limit, PageCursor
from runwell.model.datasets import MOST_ROWS, Dataset, DatasetRow, DatasetVersion
from runwell.model.principal import Principal
from runwell.model.redaction import NOTHING
from runwell.query.cursors import Cursor, read_cursor, write_cursor
from runwell.query.datasets import redacted, rows_of_runs
from runwell.query.id_pages import id_page, places_in
from runwell.query.run_search import RunIndex

routes = router("datasets")

DatasetKey = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$", description="The dataset's id, or its name.")]
Number = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Of which version; left out: of the newest.")]


class RowBody(Body):
    """One input, what is expected of it, and what else is known of it."""

    input: JsonValue = None
    expected: JsonValue = None
    metadata: JsonObject = Field(default={}, max_length=50)


class RunsBody(Body):
    """The newest runs that a search finds, of all time unless it says less."""

    query: KeptText = Field(default="", max_length=4_000, examples=["workflow:triage review:negative"])
    limit: int = Field(default=100, ge=1, le=MOST_ROWS)
    expected: bool = Field(default=False, description="Take the runs' outputs as what is expected.")


class RowsBody(Body):
    """Rows: as they are sent, or those of runs."""

    rows: list[RowBody] | None = Field(default=None, max_length=MOST_ROWS)
    runs: RunsBody | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "RowsBody":
        if self.rows is not None and self.runs is not None:
            raise ValueError("give rows or runs, and not both")
        return self


class DatasetBody(RowsBody):
    """A dataset, with the rows of its first version, if there are some already."""

    name: Slug
    description: KeptText = Field(default="", max_length=2_000)


class VersionBody(RowsBody):
    """The next version of the rows."""

    append: bool = Field(default=False, description="Behind the rows of the newest version, instead of in their place.")
    note: KeptText | None = Field(default=None, max_length=500)

    @model_validator(mode="after")
    def _has_some(self) -> "VersionBody":
        if self.rows is None and self.runs is None:
            raise ValueError("give rows, or runs from which to take them")
        return self


class DatasetPage(msgspec.Struct, frozen=True, kw_only=True):
    """Datasets, newest first."""

    data: list[Dataset]
    next_cursor: str | None = None
    prev_cursor: str | None = None


class DatasetVersionPage(msgspec.Struct, frozen=True, kw_only=True):
    """The versions of a dataset, newest first: all of them."""

    data: list[DatasetVersion]
    next_cursor: str | None = None
    prev_cursor: str | None = None


class DatasetRowPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one version, in their order. They are paged forwards only: `prev_cursor` is null."""

    version: int
    data: list[DatasetRow]
    next_cursor: str | None = None
    prev_cursor: str | None = None


@routes.get("/v1/datasets", responses=answers(DatasetPage, "A page of datasets."))
@needs("workflow:read")
async def list_datasets(caller: Caller, server: Server, limit: Limit = 50, cursor: PageCursor = None) -> Answer:
    """Return the project's datasets."""
    held = server.evaluation.datasets
    data, cursors = await id_page(lambda span: held.page(caller.scope, span), limit, cursor, "datasets", caller.scope)
    return Answer(DatasetPage(data=data, **cursors))


@routes.post("/v1/datasets", status_code=201, responses=answers(Dataset, "The dataset.", 201))
@needs("workflow:write")
async def create_dataset(body: DatasetBody, caller: Caller, server: Server) -> Answer:
    """Make a dataset. Rows that come from runs are copies: they stay when the runs are deleted."""
    held, rows = server.evaluation.datasets, await _rows(server, caller, body)
    made = await held.create(caller.scope, caller.actor, body.name, body.description)
    if rows is not None:
        try:
            await held.add_version(caller.scope, caller.actor, made.id, rows, append=False, note=None)
        except BaseException:
            await held.delete(caller.scope, made.id)
            raise
    return Answer(await held.get(caller.scope, made.id), 201, {"Location": f"/v1/datasets/{made.id}"})


@routes.get("/v1/datasets/{dataset_id}", responses=answers(Dataset, "The dataset."))
@needs("workflow:read")
async def get_dataset(dataset_id: DatasetKey, caller: Caller, server: Server) -> Answer:
    """Return one dataset, without its rows."""
    return Answer(await server.evaluation.datasets.get(caller.scope, dataset_id))


@routes.delete("/v1/datasets/{dataset_id}", status_code=204, responses=no_content("It is gone."))
@needs("workflow:write")
async def delete_dataset(dataset_id: DatasetKey, caller: Caller, server: Server) -> Response:
    """Delete a dataset with all versions, unless an experiment works on it (409)."""
    await server.evaluation.datasets.delete(caller.scope, dataset_id)
    return Response(status_code=204)


@routes.get("/v1/datasets/{dataset_id}/versions", responses=answers(DatasetVersionPage, "The versions."))
@needs("workflow:read")
async def list_dataset_versions(dataset_id: DatasetKey, caller: Caller, server: Server) -> Answer:
    """Return the versions of a dataset."""
    return Answer(DatasetVersionPage(data=await server.evaluation.datasets.versions(caller.scope, dataset_id)))


@routes.post("/v1/datasets/{dataset_id}/versions", status_code=201, responses=answers(DatasetVersion, "The version.", 201))
@needs("workflow:write")
async def add_dataset_version(dataset_id: DatasetKey, body: VersionBody, caller: Caller, server: Server) -> Answer:
    """Keep rows as the dataset's next version. Versions never change; experiments name theirs."""
    found = await server.evaluation.datasets.get(caller.scope, dataset_id)
    rows = await _rows(server, caller, body) or []
    held = server.evaluation.datasets
    return Answer(await held.add_version(caller.scope, caller.actor, found.id, rows, append=body.append, note=body.note), 201)


@routes.get("/v1/datasets/{dataset_id}/rows", responses=answers(DatasetRowPage, "A page of rows."))
@needs("workflow:read")
async def list_dataset_rows(
    dataset_id: DatasetKey, caller: Caller, server: Server, version: Number = None, limit: Limit = 50, cursor: PageCursor = None
) -> Answer:
    """Return the rows of a version."""
    found = await server.evaluation.datasets.get(caller.scope, dataset_id)
    about = ("dataset rows", caller.scope, found.id)
    wanted, start = (version, 0) if cursor is None else places_in(read_cursor(cursor, *about), 2)
    number, rows = await server.evaluation.datasets.rows(caller.scope, found.id, wanted)
    end = start + limit
    onwards = write_cursor(Cursor("next", (number, end)), *about) if end < len(rows) else None
    return Answer(DatasetRowPage(version=number, data=rows[start:end], next_cursor=onwards))


async def _rows(server: Parts, caller: Principal, body: RowsBody) -> list[DatasetRow] | None:
    """Return what is to be kept, None where nothing was said."""
    if body.runs is not None:
        index = RunIndex(server.run_store, server.projection)
        now = int(time.time() * 1000)
        return await rows_of_runs(index, caller.scope, body.runs.query, body.runs.limit, now, expected=body.runs.expected)
    if body.rows is None:
        return None
    rows = [DatasetRow(input=row.input, expected=row.expected, metadata=row.metadata) for row in body.rows]
    rules = (await server.redaction.get(caller.scope)).value
    return rows if rules == NOTHING else list(redacted(rows, server.redactor_for(rules)))
