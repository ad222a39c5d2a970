"""Many runs as a file."""

import time
from typing import Annotated, Any, Final

import msgspec
from fastapi import Query
from starlette.responses import Response, StreamingResponse

from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_filters import Filters, Word, Workflows, in_address
from runwell.api.run_routes import Responses
from runwell.query.exports.fine_tuning import Side
from runwell.query.exports.formats import FormatName, Shape, named, writer_for
from runwell.query.run_export import ExportAsked, RunExporter
from runwell.query.run_search import RunIndex

routes = router("runs")

NEXT: Final = "Runwell-Next-Cursor"

_TEXT: Final[dict[str, Any]] = {"schema": {"type": "string"}}
_FILE: Final[Responses] = {
    200: {
        "description": f"The file. With `limit` the header `{NEXT}` leads to the next part; without it this was the last.",
        "content": dict.fromkeys(("application/x-ndjson", "text/csv", "application/vnd.apache.parquet"), _TEXT),
    }
}

Format = Annotated[
    FormatName,
    Query(
        description="`jsonl`: whole records; `csv`, `parquet`: a row a run; `openai-finetune`: conversations; `otlp`: traces as JSON lines."
    ),
]
Columns = Annotated[
    list[Word] | None,
    Query(max_length=200, description="Further columns of csv and parquet.", examples=[["input.ticket.lang", "output.items[].name"]]),
]
Split = Annotated[float | None, Query(gt=0, lt=1, description="Of openai-finetune: the part that is for training.", examples=[0.9])]
Of = Annotated[Side | None, Query(description="Of openai-finetune with `split`: which side to return; both without it.")]
Most = Annotated[
    int | None, Query(ge=1, le=10_000, description="So many runs at most: a part of the export. Large runs make it end earlier.")
]
After = Annotated[
    str | None,
    Query(max_length=400, description=f"`{NEXT}` of the part before; or the id of the last run that came whole: go on behind it."),
]


@routes.get("/v1/runs/export", responses=_FILE, response_class=Response)
@needs("workflow:read")
async def export_runs(
    caller: Caller,
    server: Server,
    filters: Filters,
    workflow: Workflows = None,
    format: Format = "jsonl",
    column: Columns = None,
    split: Split = None,
    side: Of = None,
    limit: Most = None,
    cursor: After = None,
) -> Response:
    """Return all runs of a search as one file, newest first, as it is made; or, with `limit`, part by part.

    Of all time, unless `from`, `to` or a time in `q` says less. Archived and trial runs come when they are asked for, as in lists.
    A stream that ends before its time can be taken up again: send the id of its last whole run as `cursor`.
    """
    shape = Shape(format=format, columns=named(column or ()), split=split, side=side)
    wanted = msgspec.structs.replace(filters, workflows=tuple(workflow or ()))
    asked = ExportAsked(filters=wanted, shape=shape, cursor=cursor, now=int(time.time() * 1000))
    exporter = RunExporter(RunIndex(server.run_store, server.projection), server.journal, caller.scope)
    writer = writer_for(shape)
    headers = {"Content-Disposition": f'attachment; filename="runs.{writer.extension}"'}
    with in_address():
        if limit is None:
            return StreamingResponse(await exporter.whole(asked), headers=headers, media_type=writer.media_type)
        content, following = await exporter.part(asked, limit)
    return Response(content, headers=headers if following is None else {**headers, NEXT: following}, media_type=writer.media_type)
