"""Experiments: the rows of a dataset given to variants of a workflow, judged and compared."""

from typing import Annotated

import msgspec
from fastapi import Path
from pydantic import Field
from starlette.responses import Response

from runwell.api.answers import Answer, answers, no_content
from runwell.api.ids import ExperimentId
from runwell.api.json_values import JsonObject, KeptText
from runwell.api.route import Caller, Server, needs, router
from runwell.api.routes.workflow_bodies import Body, Name
from runwell.api.run_routes import Limit, PageCursor
from runwell.model.datasets import DatasetRow
from runwell.model.errors import NotFound
from runwell.model.experiments import MAX_CONCURRENCY, MOST_EVALUATORS, ComparedRow, Comparison, Experiment, OpenExperiment
from runwell.model.variant import MOST_VARIANTS, Variant
from runwell.query.comparison import compared_rows, comparison
from runwell.query.cursors import Cursor, read_cursor, write_cursor
from runwell.query.experiments import ExperimentAsked, Planner
from runwell.query.id_pages import id_page, places_in

routes = router("experiments")

Id = Annotated[ExperimentId, Path(description="The experiment's id, or its bare UUID.")]
Key = Annotated[KeptText, Field(min_length=1, max_length=200)]


class VariantBody(Body):
    """A version of the workflow, with other words, another model or other parameters in one step. What is left out stays as it is."""

    name: KeptText = Field(min_length=1, max_length=100, examples=["small-model"])
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Left out: the one that runs start with.")
    step: KeptText | None = Field(default=None, max_length=64, description="Left out: the only llm or agent step.")
    model: KeptText | None = Field(default=None, min_length=1, max_length=200, examples=["openai:gpt-5-mini"])
    models: list[Key] | None = Field(default=None, min_length=1, max_length=10)
    instructions: KeptText | None = Field(default=None, max_length=100_000, description="Of an agent step; of an llm step its `system`.")
    prompt: KeptText | None = Field(default=None, max_length=100_000)
    params: JsonObject = Field(default={}, max_length=50, description="Over the step's own; null leaves one out.")

    def variant(self) -> Variant:
        return Variant(**{**self.model_dump(), "models": None if self.models is None else tuple(self.models)})


class ExperimentBody(Body):
    """What is compared."""

    name: Name
    workflow: Key = Field(description="Its id or slug.")
    dataset: Key = Field(description="Its id or name.")
    dataset_version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Left out: the newest.")
    variants: list[VariantBody] = Field(min_length=1, max_length=MOST_VARIANTS)
    evaluators: list[Key] = Field(default=[], max_length=MOST_EVALUATORS, description="Their ids or names.")
    baseline: KeptText | None = Field(default=None, max_length=100, description="With which variant others are compared: else the first.")
    concurrency: int = Field(default=4, ge=1, le=MAX_CONCURRENCY, description="So many runs at once.")

    def asked(self) -> ExperimentAsked:
        rest = self.model_dump(exclude={"variants", "evaluators"})
        variants = tuple(one.variant() for one in self.variants)
        return ExperimentAsked(**rest, variants=variants, evaluators=tuple(self.evaluators))


class ExperimentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Experiments, newest first."""

    data: list[Experiment]
    next_cursor: str | None = None
    prev_cursor: str | None = None


class ComparedRowPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of an experiment, in the dataset's order. They are paged forwards only: `prev_cursor` is null."""

    data: list[ComparedRow]
    next_cursor: str | None = None
    prev_cursor: str | None = None


@routes.get("/v1/experiments", responses=answers(ExperimentPage, "A page of experiments."))
@needs("workflow:read")
async def list_experiments(caller: Caller, server: Server, limit: Limit = 50, cursor: PageCursor = None) -> Answer:
    """Return the project's experiments."""
    held = server.evaluation.experiments
    data, cursors = await id_page(lambda span: held.page(caller.scope, span), limit, cursor, "experiments", caller.scope)
    return Answer(ExperimentPage(data=data, **cursors))


@routes.post("/v1/experiments", status_code=202, responses=answers(Experiment, "The experiment runs.", 202))
@needs("workflow:run")
async def start_experiment(body: ExperimentBody, caller: Caller, server: Server) -> Answer:
    """Give each row of the dataset to each variant, and let the evaluators judge what comes of it.

    The runs are trial runs (environment `testing`), with the metadata `experiment`, `variant` and `row`.
    """
    planner = Planner(server.evaluation, server.workflows, server.publishing)
    made = await planner.start(caller.scope, caller.actor, body.asked())
    return Answer(made, 202, {"Location": f"/v1/experiments/{made.id}"})


@routes.get("/v1/experiments/{experiment_id}", responses=answers(Comparison, "How the variants did."))
@needs("workflow:read")
async def get_experiment(experiment_id: Id, caller: Caller, server: Server) -> Answer:
    """Return the experiment and how its variants did so far: scores, cost, latency, and wins against the baseline."""
    found = await server.evaluation.experiments.get(caller.scope, experiment_id)
    return Answer(comparison(found, await server.evaluation.experiments.cells(found.id)))


@routes.get("/v1/experiments/{experiment_id}/rows", responses=answers(ComparedRowPage, "Row by row."))
@needs("workflow:read")
async def list_experiment_rows(experiment_id: Id, caller: Caller, server: Server, limit: Limit = 50, cursor: PageCursor = None) -> Answer:
    """Return what each variant made of each row, and whether that was better or worse than the baseline."""
    found = await server.evaluation.experiments.get(caller.scope, experiment_id)
    about = ("experiment rows", caller.scope, found.id)
    start = 0 if cursor is None else places_in(read_cursor(cursor, *about), 1)[0]
    rows: list[DatasetRow] = []
    try:
        _, rows = await server.evaluation.datasets.rows(caller.scope, found.dataset_id, found.dataset_version)
    except NotFound:
        rows = []  # deleted meanwhile
    data = compared_rows(found, await server.evaluation.experiments.cells(found.id), rows, start, limit + 1)
    onwards = write_cursor(Cursor("next", (start + limit,)), *about) if len(data) > limit else None
    return Answer(ComparedRowPage(data=data[:limit], next_cursor=onwards))


@routes.post("/v1/experiments/{experiment_id}/stop", status_code=202, responses=answers(Experiment, "The experiment ends.", 202))
@needs("workflow:run")
async def stop_experiment(experiment_id: Id, caller: Caller, server: Server) -> Answer:
    """Stop what runs of the experiment, and start no more of it. One that has ended stays as it is."""
    found = await server.evaluation.experiments.get(caller.scope, experiment_id)
    if found.status == "running":
        await server.evaluation.stop(OpenExperiment(scope=caller.scope, experiment=found))
    return Answer(await server.evaluation.experiments.get(caller.scope, experiment_id), 202)


@routes.delete("/v1/experiments/{experiment_id}", status_code=204, responses=no_content("It is gone."))
@needs("workflow:write")
async def delete_experiment(experiment_id: Id, caller: Caller, server: Server) -> Response:
    """Delete the experiment's figures, unless it runs (409). Its runs stay."""
    await server.evaluation.experiments.delete(caller.scope, experiment_id)
    return Response(status_code=204)
