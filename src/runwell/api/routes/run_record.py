"""What is on record of one run: events, steps, model calls, comments."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from runwell.api.answers import Answer, answers
from runwell.api.json_values import Text
from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_routes import FoundRun, Limit, LongLimit, PageCursor, StepPath, Words, on_run
from runwell.model.errors import InvalidInput
from runwell.model.events import EVENT_TYPES
from runwell.model.run import StepView
from runwell.model.run_parts import Comment, WholeGeneration
from runwell.ports.journal import EventFilter
from runwell.query import comments, steps
from runwell.query.comments import CommentPage
from runwell.query.events import EventBounds, EventPage
from runwell.query.events import list_events as page_of_events
from runwell.query.generations import GenerationPage, find_generation
from runwell.query.generations import list_generations as page_of_generations
from runwell.query.seen import MAX_SEQ
from runwell.query.steps import StepPage
from runwell.query.timeline import Timeline, step_timeline

routes = router("runs")

After = Annotated[int | None, Query(ge=0, le=MAX_SEQ, description="Only events with a higher `seq`; the first of them.")]
GenerationSeq = Annotated[int, Path(ge=1, le=MAX_SEQ, description="The `seq` of the model call's event.")]
Before = Annotated[int | None, Query(ge=0, le=MAX_SEQ, description="Only events with a lower `seq`; the last of them.")]
OneStep = Annotated[str, Path(max_length=1000, description="The step's path.")]
Types = Annotated[
    Words | None,
    Query(alias="type", max_length=50, description="Only events of this type; may be given several times.", examples=[["step_failed"]]),
]


@on_run(routes, "/events", answers(EventPage, "A page of events, in order."))
@needs("workflow:read")
async def list_run_events(
    run: FoundRun,
    server: Server,
    types: Types = None,
    step_id: StepPath = None,
    after: After = None,
    before: Before = None,
    limit: LongLimit = 200,
    cursor: PageCursor = None,
) -> Answer:
    """Return the run's events in order of `seq`: from the first, those after a `seq`, or the last before one.

    A page ends early when its events are large; `next_cursor` and `prev_cursor` lead on.
    """
    if cursor is not None and (after, before) != (None, None):
        raise InvalidInput("`cursor` excludes `after` and `before`", hint="send one of them")
    bounds = EventBounds(after=after or 0, before=before, limit=limit)
    return Answer(await page_of_events(server.journal, run.run_id, EventFilter(types=_known(types), step_id=step_id), bounds, cursor))


def _known(types: list[str] | None) -> tuple[str, ...]:
    """Return the types in one order. Raises `InvalidInput` for one that there is not."""
    for unknown in sorted(set(types or ()) - EVENT_TYPES.keys()):
        raise InvalidInput(f"{unknown!r} is no type of event", hint=f"types are {', '.join(EVENT_TYPES)}")
    return tuple(sorted(set(types or ())))


@on_run(routes, "/steps", answers(StepPage, "A page of steps."))
@needs("workflow:read")
async def list_run_steps(
    run: FoundRun, caller: Caller, server: Server, path: StepPath = None, limit: LongLimit = 200, cursor: PageCursor = None
) -> Answer:
    """Return the run's steps with their attempts, inputs and results; with `path` that step and those inside of it."""
    return Answer(steps.list_steps(await server.runs.view(caller.scope, run.run_id), path, limit, cursor))


@on_run(routes, "/steps/{path}", answers(StepView, "The step."))
@needs("workflow:read")
async def get_run_step(run: FoundRun, path: OneStep, caller: Caller, server: Server) -> Answer:
    """Return one step with its attempts, input and result."""
    return Answer(steps.find_step(await server.runs.view(caller.scope, run.run_id), path))


@on_run(routes, "/steps/{path}/timeline", answers(Timeline, "What the step's model did, round by round."))
@needs("workflow:read")
async def get_run_step_timeline(run: FoundRun, path: OneStep, caller: Caller, server: Server) -> Answer:
    """Return each round of an agent: what the model thought and wrote, its tool calls with what came of them, tokens, cost, time."""
    steps.find_step(await server.runs.view(caller.scope, run.run_id), path)
    return Answer(await step_timeline(server.journal, run.run_id, path))


@on_run(routes, "/generations", answers(GenerationPage, "A page of model calls, and totals by model."))
@needs("workflow:read")
async def list_run_generations(
    run: FoundRun, server: Server, step_id: StepPath = None, limit: Limit = 50, cursor: PageCursor = None
) -> Answer:
    """Return the run's model calls as they were sent and answered, and what they used by model."""
    return Answer(await page_of_generations(server.journal, run.run_id, step_id, limit, cursor))


@on_run(routes, "/generations/{seq}", answers(WholeGeneration, "The model call."))
@needs("workflow:read")
async def get_run_generation(run: FoundRun, server: Server, seq: GenerationSeq) -> Answer:
    """Return one model call with the bodies of its request and answer as they went over the wire, without secrets.

    Of each body its first MiB is kept. A streamed answer is the stream as it came.
    """
    return Answer(await find_generation(server.journal, run.run_id, seq))


@on_run(routes, "/comments", answers(CommentPage, "A page of comments, oldest first."))
@needs("workflow:read")
async def list_run_comments(run: FoundRun, server: Server, limit: Limit = 50, cursor: PageCursor = None) -> Answer:
    """Return what people wrote about the run."""
    return Answer(await comments.list_comments(server.journal, run.run_id, limit, cursor))


class NewComment(BaseModel):
    """What somebody has to say about a run."""

    model_config = ConfigDict(extra="forbid")

    content: Text = Field(
        min_length=1, max_length=10_000, description="Text; shown as it is.", examples=["The supplier confirmed the price."]
    )


@on_run(routes, "/comments", answers(Comment, "The comment.", 201), method="POST", status=201)
@needs("workflow:run")
async def add_run_comment(run: FoundRun, comment: NewComment, caller: Caller, server: Server) -> Answer:
    """Add a comment to the run, whatever its status. It becomes one of the run's events."""
    kept = await comments.add_comment(server.runs, server.journal, caller.scope, run, comment.content, caller.actor)
    return Answer(kept, 201)
