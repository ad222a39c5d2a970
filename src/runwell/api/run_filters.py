"""What lists of runs are asked: as query parameters, and as a body."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from runwell.api.json_values import KeptText
from runwell.model.errors import InvalidInput
from runwell.model.run_search import Archived, RunFilters, metadata_pair
from runwell.model.status_words import STATUS_WORDS
from runwell.query.run_values import MOST
from runwell.search.parser import MAX_LENGTH
from runwell.search.structured import MAX_QUERIES, MAX_VALUES

_Q: Final = "In the search language, as `status:failed workflow:refunds cost:>0.01`. See /docs/how-to/find-runs."
_SINCE: Final = (
    "Only runs that began at this moment or later: RFC 3339, a day, or relative (`-7d`). Without `from`, `to` and a time in `q` a list"
    " holds those of the last 7 days."
)
_STATUS: Final = f"Only runs of this status; several: of any. Understood: {', '.join(STATUS_WORDS)}."
_META: Final = 'Only runs with this of their metadata, as `key:value` (`"a:b":value` where the key has a colon); several: with all.'
_HAS_ERROR: Final = "Only runs with an error, or only those without."
_AT_LEAST_LONG: Final = "Only runs that took at least so long. One that has not ended has no duration yet."
_AT_MOST_LONG: Final = "Only runs that took at most so long."
_AT_LEAST_DEAR: Final = "Only runs whose model calls cost at least so much, in US dollars."
_AT_MOST_DEAR: Final = "Only runs whose model calls cost at most so much, in US dollars."
_UNTIL: Final = "Only runs that began before this moment; written as `from` is. Of a day its beginning, in UTC."
_TRIAL: Final = (
    "Only of this environment; several: of any. Trial runs (`testing`) and runs that evaluate others (`evaluation`) show only when they are"
    " asked for."
)

_MAX_WORDS: Final = 50
Word = Annotated[KeptText, Field(min_length=1, max_length=200)]
Words = list[Word]
Pair = Annotated[KeptText, Field(min_length=1, max_length=1_200)]
Ms = Annotated[int, Field(ge=0, le=2**53)]
Usd = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]

_COUNT: Final = "Tell also how many runs the whole list holds, exactly, and how they divide: on every page the same list as on the first."
Count = Annotated[bool, Query(description=_COUNT)]


@contextmanager
def placing(search: str, filters: str) -> Iterator[None]:
    """Let problems say where in the request they lie: those of the search at one pointer, those of filters below another."""
    try:
        yield
    except InvalidInput as exc:
        exc.problems = tuple(
            msgspec.structs.replace(each, pointer=filters + each.pointer if each.pointer else search) for each in exc.problems
        )
        raise


def in_address() -> AbstractContextManager[None]:
    return placing("/query/q", "/query")


async def _filters(
    q: Annotated[KeptText, Query(max_length=MAX_LENGTH, description=_Q, examples=["status:failed duration:>2s"])] = "",
    status: Annotated[Words | None, Query(max_length=_MAX_WORDS, description=_STATUS, examples=[["failed", "timed_out"]])] = None,
    since: Annotated[KeptText | None, Query(alias="from", max_length=100, description=_SINCE, examples=["-30d"])] = None,
    until: Annotated[KeptText | None, Query(alias="to", max_length=100, description=_UNTIL)] = None,
    archived: Annotated[Archived, Query(description="Whether archived runs are left out, come too, or come alone.")] = "false",
    environment: Annotated[Words | None, Query(max_length=_MAX_WORDS, description=_TRIAL)] = None,
    trigger: Annotated[Words | None, Query(max_length=_MAX_WORDS, description="Only runs that this started; several: any.")] = None,
    tag: Annotated[Words | None, Query(max_length=_MAX_WORDS, description="Only runs with this tag; several: with any.")] = None,
    metadata: Annotated[list[Pair] | None, Query(max_length=_MAX_WORDS, description=_META, examples=[["customer:4711"]])] = None,
    has_error: Annotated[bool | None, Query(description=_HAS_ERROR)] = None,
    min_duration_ms: Annotated[Ms | None, Query(description=_AT_LEAST_LONG, examples=[2_000])] = None,
    max_duration_ms: Annotated[Ms | None, Query(description=_AT_MOST_LONG)] = None,
    min_cost_usd: Annotated[Usd | None, Query(description=_AT_LEAST_DEAR, examples=[0.01])] = None,
    max_cost_usd: Annotated[Usd | None, Query(description=_AT_MOST_DEAR)] = None,
) -> RunFilters:
    with in_address():
        pairs = tuple(map(metadata_pair, metadata or ()))
    return RunFilters(
        q=q,
        statuses=tuple(status or ()),
        since=since,
        until=until,
        archived=archived,
        environments=tuple(environment or ()),
        triggers=tuple(trigger or ()),
        tags=tuple(tag or ()),
        metadata=pairs,
        has_error=has_error,
        min_duration_ms=min_duration_ms,
        max_duration_ms=max_duration_ms,
        min_cost_usd=min_cost_usd,
        max_cost_usd=max_cost_usd,
    )


Filters = Annotated[RunFilters, Depends(_filters)]
"""The filters of the query string, all but `workflow`."""

_COLUMN: Final = "Fields of input, output and metadata whose values each row has with it, as `values`."
Columns = Annotated[list[Word] | None, Query(max_length=MOST, description=_COLUMN, examples=[["input.ticket.lang", "output.items[].name"]])]

Workflows = Annotated[
    Words | None,
    Query(max_length=_MAX_WORDS, description="Only runs of this workflow, by slug or id; several: of any.", examples=[["refunds"]]),
]


_OPERAND: Final[dict[str, Any]] = {"anyOf": [{"type": name} for name in ("string", "integer", "number", "boolean")]}
Operand = Annotated[Any, WithJsonSchema(_OPERAND)]
"""Judged with the field that it is for: four complaints about one value, as a union has, help nobody."""


class FieldQuery(BaseModel):
    """One condition on a field."""

    model_config = ConfigDict(extra="forbid")

    field_name: KeptText = Field(min_length=1, max_length=600, examples=["output.score"])
    operator: KeptText = Field(min_length=1, max_length=40, examples=["less than"])
    values: list[Operand] = Field(default=[], max_length=MAX_VALUES, examples=[[0.5]])
    type: KeptText | None = Field(default=None, max_length=40, examples=["number"])


class SearchBody(BaseModel):
    """A search: all of it must hold."""

    model_config = ConfigDict(extra="forbid")

    query: KeptText = Field(default="", max_length=MAX_LENGTH, description=_Q, examples=['status:failed input.ticket.lang:"de"'])
    field_queries: list[FieldQuery] = Field(default=[], max_length=MAX_QUERIES, description="Conditions on fields.")
    workflow: Words = Field(default=[], max_length=_MAX_WORDS, description="Of any of these workflows, by slug or id.")
    status: Words = Field(default=[], max_length=_MAX_WORDS, description=_STATUS)
    since: KeptText | None = Field(default=None, alias="from", max_length=100, description=_SINCE)
    until: KeptText | None = Field(default=None, alias="to", max_length=100, description=_UNTIL)
    archived: Archived = Field(default="false", description="Whether archived runs are left out, come too, or come alone.")
    environment: Words = Field(default=[], max_length=_MAX_WORDS, description=_TRIAL)
    trigger: Words = Field(default=[], max_length=_MAX_WORDS, description="Started by any of these.")
    tag: Words = Field(default=[], max_length=_MAX_WORDS, description="With any of these tags.")
    metadata: dict[Word, Annotated[KeptText, Field(max_length=1_000)]] = Field(
        default={}, max_length=_MAX_WORDS, description="With all of this metadata."
    )
    has_error: bool | None = Field(default=None, description=_HAS_ERROR)
    min_duration_ms: Ms | None = Field(default=None, description=_AT_LEAST_LONG)
    max_duration_ms: Ms | None = Field(default=None, description=_AT_MOST_LONG)
    min_cost_usd: Usd | None = Field(default=None, description=_AT_LEAST_DEAR)
    max_cost_usd: Usd | None = Field(default=None, description=_AT_MOST_DEAR)
    limit: int = Field(default=50, ge=1, le=200, description="How many at most: 1 to 200.")
    cursor: str | None = Field(default=None, max_length=400, description="`next_cursor` or `prev_cursor` of an answer to the same search.")
    count: bool = Field(default=False, description=_COUNT)

    def filters(self) -> RunFilters:
        return RunFilters(
            q=self.query,
            field_queries=tuple(one.model_dump() for one in self.field_queries),
            workflows=tuple(self.workflow),
            statuses=tuple(self.status),
            since=self.since,
            until=self.until,
            archived=self.archived,
            environments=tuple(self.environment),
            triggers=tuple(self.trigger),
            tags=tuple(self.tag),
            metadata=tuple(self.metadata.items()),
            has_error=self.has_error,
            min_duration_ms=self.min_duration_ms,
            max_duration_ms=self.max_duration_ms,
            min_cost_usd=self.min_cost_usd,
            max_cost_usd=self.max_cost_usd,
        )
