"""Archiving and reviewing runs: what is said of a run changes nothing of how it ended."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from runwell.api.answers import Answer, answers
from runwell.api.json_values import Text
from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_routes import FoundRun, on_run
from runwell.model.commands import ArchiveRun, ReviewRun, UnarchiveRun
from runwell.model.run_parts import RunMarks
from runwell.query.run_marks import mark_run

routes = router("runs")

Score = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]


class ReviewBody(BaseModel):
    """What somebody thinks of a run, in place of what was said before."""

    model_config = ConfigDict(extra="forbid")

    review: Literal["positive", "negative", ""] = Field(
        default="", description="Empty takes an earlier verdict back.", examples=["positive"]
    )
    score: Score | None = Field(default=None, description="Any number, on a scale of your own.", examples=[0.9])
    comment: Text | None = Field(default=None, max_length=10_000, description="Why.")


@on_run(routes, "/archive", answers(RunMarks, "The run's marks."), method="POST")
@needs("workflow:run")
async def archive_run(run: FoundRun, caller: Caller, server: Server) -> Answer:
    """Archive the run: lists leave it out unless they are asked for it. Only a run that has ended can be archived (409)."""
    return Answer(await mark_run(server.runs, caller.scope, run.run_id, ArchiveRun(actor=caller.actor)))


@on_run(routes, "/unarchive", answers(RunMarks, "The run's marks."), method="POST")
@needs("workflow:run")
async def unarchive_run(run: FoundRun, caller: Caller, server: Server) -> Answer:
    """Let lists show the run again."""
    return Answer(await mark_run(server.runs, caller.scope, run.run_id, UnarchiveRun(actor=caller.actor)))


@on_run(routes, "/review", answers(RunMarks, "The run's marks."), method="PUT")
@needs("workflow:run")
async def review_run(run: FoundRun, body: ReviewBody, caller: Caller, server: Server) -> Answer:
    """Say whether the run did well, whatever its status. The last review counts whole; each stays among the run's events."""
    said = ReviewRun(review=body.review, score=body.score, comment=body.comment, actor=caller.actor)
    return Answer(await mark_run(server.runs, caller.scope, run.run_id, said))
