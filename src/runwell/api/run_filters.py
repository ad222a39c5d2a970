"""What lists of runs are asked: as query parameters, and as a body."""

from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from runwell.api.json_values import KeptText
from runwell.model.run_search import Archived, RunFilters
from runwell.model.status_words import STATUS_WORDS

_Q: Final = "In the search language, as `status:failed workflow:refunds cost:>0.01`. See /docs/how-to/find-runs."
_SINCE: Final = (
    "Only runs that began at this moment or later: RFC 3339, a day, or relative (`-7d`). Without `from`, `to` and a time in `q` a list"
    " holds those of the last 7 days."
)
_STATUS: Final = f"Only runs of this status; several: of any. Understood: {', '.join(STATUS_WORDS)}."
_TRIAL: Final = (
    "Only of this environment; several: of any. Trial runs (`testing`) and runs that evaluate others (`evaluation`) show only when they are"
    " asked for."
)
_META: Final = "Only runs with this of their metadata, as `key:value`; several: with all."

_MAX_WORDS: Final = 50
_MAX_QUERY: Final = 4_000
Word = Annotated[KeptText, Field(min_length=1, max_length=200)]
Words = list[Word]
Ms = Annotated[int, Field(ge=0, le=2**53)]
Usd = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]

Count = Annotated[bool, Query(description="Tell also how many runs the list holds, exactly, and how they divide.")]


async def _filters(
    q: Annotated[KeptText, Query(max_length=_MAX_QUERY, description=_Q, examples=["status:failed duration:>2s"])] = "",
    status: Annotated[Words | None, Query(max_length=_MAX_WORDS, description=_STATUS, examples=[["failed", "timed_out"]])] = None,
    since: Annotated[KeptText | None, Query(alias="from", max_length=100, description=_SINCE, examples=["-30d"])] = None,
    until: Annotated[KeptText | None, Query(alias="to", max_length=100, description="Only runs that began before it.")] = None,
    archived: Annotated[Archived, Query(description="Whether archived runs are left out, come too, or come alone.")] = "false",
    environment: Annotated[Words | None, Query(max_length=_MAX_WORDS, description=_TRIAL)] = None,
    trigger: Annotated[Words | None, Query(max_length=_MAX_WORDS, description="Only runs that this started; several: any.")] = None,
    tag: Annotated[Words | None, Query(max_length=_MAX_WORDS, description="Only runs with this tag; several: with any.")] = None,
    metadata: Annotated[Words | None, Query(max_length=_MAX_WORDS, description=_META, examples=[["customer:4711"]])] = None,
    has_error: Annotated[bool | None, Query(description="Only runs with an error, or without.")] = None,
    min_duration_ms: Annotated[Ms | None, Query(description="Only runs that took at least so long.")] = None,
    max_duration_ms: Annotated[Ms | None, Query(description="Only runs that took at most so long.")] = None,
    min_cost_usd: Annotated[Usd | None, Query(description="Only runs whose model calls cost at least so much.")] = None,
    max_cost_usd: Annotated[Usd | None, Query(description="Only runs whose model calls cost at most so much.")] = None,
) -> RunFilters:
    return RunFilters(
        q=q,
        statuses=tuple(status or ()),
        since=since,
        until=until,
        archived=archived,
        environments=tuple(environment or ()),
        triggers=tuple(trigger or ()),
        tags=tuple(tag or ()),
        metadata=tuple(metadata or ()),
        has_error=has_error,
        min_duration_ms=min_duration_ms,
        max_duration_ms=max_duration_ms,
        min_cost_usd=min_cost_usd,
        max_cost_usd=max_cost_usd,
    )


Filters = Annotated[RunFilters, Depends(_filters)]
"""The filters of the query string, all but `workflow`."""

Workflows = Annotated[
    Words | None,
    Query(max_length=_MAX_WORDS, description="Only runs of this workflow, by slug or id; several: of any.", examples=[["refunds"]]),
]


class FieldQuery(BaseModel):
    """One condition on a field."""

    model_config = ConfigDict(extra="forbid")

    field_name: KeptText = Field(min_length=1, max_length=600, examples=["output.score"])
    operator: KeptText = Field(min_length=1, max_length=40, examples=["less than"])
    values: list[str | int | float | bool] = Field(default=[], max_length=_MAX_WORDS, examples=[[0.5]])
    type: KeptText | None = Field(default=None, max_length=40, examples=["number"])


class SearchBody(BaseModel):
    """A search: all of it must hold."""

    model_config = ConfigDict(extra="forbid")

    query: KeptText = Field(default="", max_length=_MAX_QUERY, description=_Q, examples=['status:failed input.ticket.lang:"de"'])
    field_queries: list[FieldQuery] = Field(default=[], max_length=_MAX_WORDS, description="Conditions on fields.")
    workflow: Words = Field(default=[], max_length=_MAX_WORDS, description="Of any of these workflows, by slug or id.")
    status: Words = Field(default=[], max_length=_MAX_WORDS, description=_STATUS)
    since: KeptText | None = Field(default=None, alias="from", max_length=100, description=_SINCE)
    until: KeptText | None = Field(default=None, alias="to", max_length=100, description="Only runs that began before it.")
    archived: Archived = Field(default="false", description="Whether archived runs are left out, come too, or come alone.")
    environment: Words = Field(default=[], max_length=_MAX_WORDS, description=_TRIAL)
    trigger: Words = Field(default=[], max_length=_MAX_WORDS, description="Started by any of these.")
    tag: Words = Field(default=[], max_length=_MAX_WORDS, description="With any of these tags.")
    metadata: dict[Word, KeptText] = Field(default={}, max_length=_MAX_WORDS, description="With all of this metadata.")
    has_error: bool | None = None
    min_duration_ms: Ms | None = None
    max_duration_ms: Ms | None = None
    min_cost_usd: Usd | None = None
    max_cost_usd: Usd | None = None
    limit: int = Field(default=50, ge=1, le=200, description="How many at most.")
    cursor: str | None = Field(default=None, max_length=400, description="`next_cursor` or `prev_cursor` of an answer to the same search.")
    count: bool = Field(default=False, description="Tell also how many runs the list holds, exactly, and how they divide.")

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
            metadata=tuple(f"{key}:{value}" for key, value in self.metadata.items()),
            has_error=self.has_error,
            min_duration_ms=self.min_duration_ms,
            max_duration_ms=self.max_duration_ms,
            min_cost_usd=self.min_cost_usd,
            max_cost_usd=self.max_cost_usd,
        )
