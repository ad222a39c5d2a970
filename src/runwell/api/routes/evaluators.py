"""Evaluators: what judges runs, and whose runs it judges as they succeed."""

from typing import Annotated, Any

import msgspec
from fastapi import Path
from pydantic import Field, model_validator
from starlette.responses import Response

from runwell.api.answers import Answer, answers, no_content
from runwell.api.json_values import JsonObject, JsonValue, KeptText
from runwell.api.route import Caller, Server, needs, router
from runwell.api.routes.workflow_bodies import Body, Key, Slug
from runwell.api.run_routes import FoundRun, Limit, PageCursor, on_run
from runwell.model.errors import CommandRefused
from runwell.model.evaluation import MAX_SCORE, AcceptedEvaluation, Attachment, EvaluationAsked, Evaluator, Occasion, Turn
from runwell.model.ids import new_id
from runwell.model.statuses import TERMINAL
from runwell.query.evaluators import EvaluatorAsked, EvaluatorMaker, JudgeAsked
from runwell.query.id_pages import id_page

routes = router("evaluations")

EvaluatorKey = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$", description="The evaluator's id, or its name.")]
Named = Annotated[KeptText, Field(min_length=1, max_length=200, examples=["answer-quality"])]


class JudgeBody(Body):
    """A model that judges by a rubric."""

    model: KeptText | None = Field(default=None, min_length=1, max_length=200, examples=["openai:gpt-5-mini"])
    models: list[Annotated[KeptText, Field(min_length=1, max_length=200)]] | None = Field(default=None, min_length=1, max_length=10)
    rubric: KeptText = Field(
        min_length=1,
        max_length=20_000,
        description="What is good and what is not. A template: `{{ input.expected }}` and the like may stand in it.",
        examples=["The answer is polite, and says nothing that the ticket does not say."],
    )
    params: JsonObject = Field(default={}, description="As those of an llm step.")
    connection: KeptText | None = Field(default=None, max_length=200)

    @model_validator(mode="after")
    def _has_models(self) -> "JudgeBody":
        if (self.model is None) == (self.models is None):
            raise ValueError("give model or models, and not both")
        return self


class WorkflowBody(Body):
    """A workflow that judges."""

    workflow: KeptText = Field(min_length=1, max_length=200, description="Its id or slug.")
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Left out: the one that runs start with.")


class CodeBody(Body):
    """A piece of Python that judges: the value of its last expression counts."""

    code: KeptText = Field(min_length=1, max_length=100_000, examples=["output == expected"])


class EvaluatorBody(Body):
    """An evaluator: one of `workflow`, `judge` and `code`."""

    name: Slug
    workflow: WorkflowBody | None = None
    judge: JudgeBody | None = None
    code: CodeBody | None = None
    pass_score: float | None = Field(
        default=None, ge=-MAX_SCORE, le=MAX_SCORE, allow_inf_nan=False, description="From this score on the verdict is positive."
    )

    @model_validator(mode="after")
    def _is_one(self) -> "EvaluatorBody":
        if sum(one is not None for one in (self.workflow, self.judge, self.code)) != 1:
            raise ValueError("give one of workflow, judge and code")
        return self

    def asked(self) -> EvaluatorAsked:
        judge = None
        if self.judge is not None:
            models = tuple(self.judge.models or (self.judge.model or "",))
            judge = JudgeAsked(models=models, rubric=self.judge.rubric, params=self.judge.params, connection=self.judge.connection)
        own = {} if self.workflow is None else {"workflow": self.workflow.workflow, "version": self.workflow.version}
        code = None if self.code is None else self.code.code
        return EvaluatorAsked(name=self.name, judge=judge, code=code, pass_score=self.pass_score, **own)  # type: ignore[arg-type]


class EvaluatorPage(msgspec.Struct, frozen=True, kw_only=True):
    """Evaluators, newest first."""

    data: list[Evaluator]
    next_cursor: str | None = None
    prev_cursor: str | None = None


class AttachmentPage(msgspec.Struct, frozen=True, kw_only=True):
    """The evaluators of a workflow, by name: all of them."""

    data: list[Attachment]
    next_cursor: str | None = None
    prev_cursor: str | None = None


@routes.get("/v1/evaluators", responses=answers(EvaluatorPage, "A page of evaluators."))
@needs("workflow:read")
async def list_evaluators(caller: Caller, server: Server, limit: Limit = 50, cursor: PageCursor = None) -> Answer:
    """Return the project's evaluators."""
    held = server.evaluation.evaluators
    data, cursors = await id_page(lambda span: held.page(caller.scope, span), limit, cursor, "evaluators", caller.scope)
    return Answer(EvaluatorPage(data=data, **cursors))


@routes.post("/v1/evaluators", status_code=201, responses=answers(Evaluator, "The evaluator.", 201))
@needs("workflow:write")
async def create_evaluator(body: EvaluatorBody, caller: Caller, server: Server) -> Answer:
    """Make an evaluator. A judge or code becomes a workflow of its own, whose runs are ordinary runs. It never changes: make another."""
    maker = EvaluatorMaker(server.evaluation.evaluators, server.workflows, server.publishing)
    made = await maker.make(caller.scope, caller.actor, body.asked())
    return Answer(made, 201, {"Location": f"/v1/evaluators/{made.id}"})


@routes.get("/v1/evaluators/{evaluator_id}", responses=answers(Evaluator, "The evaluator."))
@needs("workflow:read")
async def get_evaluator(evaluator_id: EvaluatorKey, caller: Caller, server: Server) -> Answer:
    """Return one evaluator."""
    return Answer(await server.evaluation.evaluators.get(caller.scope, evaluator_id))


@routes.delete("/v1/evaluators/{evaluator_id}", status_code=204, responses=no_content("It is gone."))
@needs("workflow:write")
async def delete_evaluator(evaluator_id: EvaluatorKey, caller: Caller, server: Server) -> Response:
    """Delete an evaluator, and take it off all workflows. What it said stays, and so do its workflow and its runs."""
    await server.evaluation.evaluators.delete(caller.scope, evaluator_id)
    await server.evaluation.attached()
    return Response(status_code=204)


# Whose runs it judges


class AttachmentBody(Body):
    """What is judged, and how much of it."""

    on: Occasion = Field(default="run", description="`run`: runs, as they succeed. `turn`: each turn of their conversations, as it ends.")

    sample_rate: float = Field(
        default=1.0, gt=0, le=1, allow_inf_nan=False, description="The share of the runs, chosen by the hash of their ids.", examples=[0.1]
    )


@routes.get("/v1/workflows/{key}/evaluators", responses=answers(AttachmentPage, "What judges the workflow's runs."))
@needs("workflow:read")
async def list_workflow_evaluators(key: Key, caller: Caller, server: Server) -> Answer:
    """Return the evaluators that judge the workflow's runs by themselves."""
    workflow = await server.workflows.get(caller.scope, key)
    return Answer(AttachmentPage(data=await server.evaluation.evaluators.attachments(caller.scope, workflow.id)))


@routes.put("/v1/workflows/{key}/evaluators/{evaluator_id}", responses=answers(Attachment, "How it judges the workflow's runs."))
@needs("workflow:write")
async def attach_evaluator(key: Key, evaluator_id: EvaluatorKey, body: AttachmentBody, caller: Caller, server: Server) -> Answer:
    """Let the evaluator judge the workflow's runs, or turns, from now on. Trial runs and evaluation runs are left out."""
    workflow = await server.workflows.get(caller.scope, key)
    position = await server.journal.position()
    made = await server.evaluation.evaluators.attach(caller.scope, workflow.id, evaluator_id, body.sample_rate, position, body.on)
    await server.evaluation.attached()
    return Answer(made)


@routes.delete("/v1/workflows/{key}/evaluators/{evaluator_id}", status_code=204, responses=no_content("It judges no more."))
@needs("workflow:write")
async def detach_evaluator(key: Key, evaluator_id: EvaluatorKey, caller: Caller, server: Server) -> Response:
    """Let the evaluator judge the workflow's runs no more."""
    workflow = await server.workflows.get(caller.scope, key)
    await server.evaluation.evaluators.detach(caller.scope, workflow.id, evaluator_id)
    await server.evaluation.attached()
    return Response(status_code=204)


# One run


class TurnBody(Body):
    """One turn of a conversation, to be judged by itself: what was said to the workflow, and what it said."""

    number: int = Field(ge=1, le=1_000_000, description="1 is the first.")
    input: JsonValue = None
    output: JsonValue = None


class EvaluationBody(Body):
    """What judges, and by what."""

    evaluator: Named
    expected: JsonValue = Field(default=None, description="What is expected of the run, for evaluators that compare.")
    turn: TurnBody | None = None


@on_run(routes, "/evaluations", answers(AcceptedEvaluation, "The evaluation is under way.", 202), method="POST", status=202)
@needs("workflow:run")
async def evaluate_run(run: FoundRun, body: EvaluationBody, caller: Caller, server: Server) -> Answer:
    """Let an evaluator judge the run, or one turn of it. A run that is judged whole must have ended (409)."""
    evaluator = await server.evaluation.evaluators.get(caller.scope, body.evaluator)
    status = (await server.runs.row(caller.scope, run.run_id)).status  # what is shown of a run may be ahead of the journal
    if body.turn is None and status not in TERMINAL:
        raise CommandRefused(f"{run.run_id} is {status}: only a run that has ended can be evaluated", hint="wait for its end")
    turn: Any = None if body.turn is None else Turn(**body.turn.model_dump())
    asked = EvaluationAsked(
        evaluation_run_id=new_id("run"),
        scope=caller.scope,
        run_id=run.run_id,
        evaluator_id=evaluator.id,
        turn=turn,
        expected=body.expected,
        actor=caller.actor,
    )
    await server.evaluation.evaluate(asked)
    accepted = AcceptedEvaluation(evaluation_run_id=asked.evaluation_run_id, run_id=run.run_id)
    return Answer(accepted, 202, {"Location": f"/v1/runs/{asked.evaluation_run_id}"})
