"""What people have to decide."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from runwell.api.answers import Answer, answers
from runwell.api.ids import TaskId, WorkflowKey
from runwell.api.json_values import JsonObject, Text
from runwell.api.route import Caller, Server, needs, router
from runwell.api.run_routes import Environment, FoundRun, Limit, PageCursor, on_run
from runwell.model.commands import CompleteTask
from runwell.model.principal import Principal
from runwell.model.run_parts import TaskDecision
from runwell.ports.journal import RunFilter
from runwell.query.finding import find_workflow
from runwell.query.tasks import TaskPage, complete_task, find_task, task_filter
from runwell.query.tasks import list_tasks as page_of_tasks

routes = router("tasks")

Id = Annotated[TaskId, Path(description="The task's id, or its bare UUID.")]


class Completion(BaseModel):
    """A decision."""

    model_config = ConfigDict(extra="forbid")

    approved: StrictBool = Field(description="Whether it may go on as proposed, or as edited.")
    result: JsonObject | None = Field(
        default=None,
        description="Edits: fields of the step's result beside `approved`, `by` and `comment`. At most 1 MB.",
        examples=[{"amount": 12}],
    )
    comment: Text | None = Field(default=None, max_length=10_000, description="Why, for those who read the run.", examples=["As agreed."])

    def command(self, task_id: str, caller: Principal) -> CompleteTask:
        return CompleteTask(task_id=task_id, approved=self.approved, result=self.result, comment=self.comment, actor=caller.actor)


@routes.get("/v1/tasks/pending", responses=answers(TaskPage, "A page of tasks, oldest first."))
@needs("workflow:read")
async def list_pending_tasks(
    caller: Caller, server: Server, environment: Environment = None, limit: Limit = 50, cursor: PageCursor = None
) -> Answer:
    """Return the project's tasks that wait for a decision, oldest first. Those of trial runs show only when they are asked for."""
    wanted = task_filter(caller.scope, None, environment)
    return Answer(await page_of_tasks(server.journal, wanted, None, limit, cursor))


@routes.get("/v1/workflows/{workflow_id}/tasks/pending", responses=answers(TaskPage, "A page of the workflow's tasks, oldest first."))
@needs("workflow:read")
async def list_workflow_pending_tasks(
    workflow_id: WorkflowKey,
    caller: Caller,
    server: Server,
    environment: Environment = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> Answer:
    """Return a workflow's tasks that wait for a decision, oldest first. Those of trial runs show only when they are asked for."""
    found = await find_workflow(server.definitions, caller.scope, workflow_id)
    wanted = task_filter(caller.scope, found, environment)
    return Answer(await page_of_tasks(server.journal, wanted, None, limit, cursor))


@on_run(routes, "/tasks/pending", answers(TaskPage, "A page of the run's tasks, oldest first."))
@needs("workflow:read")
async def list_run_pending_tasks(run: FoundRun, caller: Caller, server: Server, limit: Limit = 50, cursor: PageCursor = None) -> Answer:
    """Return the run's tasks that wait for a decision, oldest first."""
    return Answer(await page_of_tasks(server.journal, RunFilter(scope=caller.scope), run.run_id, limit, cursor))


@routes.post("/v1/tasks/{task_id}/complete", responses=answers(TaskDecision, "The decision."))
@needs("task:complete")
async def complete_pending_task(task_id: Id, completion: Completion, caller: Caller, server: Server) -> Answer:
    """Decide a task, and let its run go on. Deciding once more in the same way changes nothing; in another way it is refused with 409."""
    run = await find_task(server.journal, caller.scope, task_id)
    command = completion.command(task_id, caller)
    return Answer(await complete_task(server.runs, server.journal, caller.scope, run, command))


@on_run(routes, "/tasks/{task_id}/complete", answers(TaskDecision, "The decision."), method="POST")
@needs("task:complete")
async def complete_run_task(run: FoundRun, task_id: Id, completion: Completion, caller: Caller, server: Server) -> Answer:
    """Decide a task of the run, and let the run go on. Deciding once more in the same way changes nothing; in another way it is refused."""
    await find_task(server.journal, caller.scope, task_id, run)
    command = completion.command(task_id, caller)
    return Answer(await complete_task(server.runs, server.journal, caller.scope, run, command))
