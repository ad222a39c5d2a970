"""`client.tasks`."""

from collections.abc import Mapping
from typing import Any

from runwell.model.run import TaskView
from runwell.model.run_parts import TaskDecision
from runwell.sdk.faces import Awaiting, Listing, Resource, Waiting, listing, operation
from runwell.sdk.flow import Flow, ask
from runwell.sdk.request import request


class _Operations(Resource):
    @listing
    def pending(
        self, *, workflow: str | None = None, run_id: str | None = None, environment: str | None = None, limit: int = 50
    ) -> Listing[TaskView]:
        """Return the decisions that are waited for, oldest first: of the project, of a workflow, or of a run."""
        place = ("runs", run_id) if run_id is not None else () if workflow is None else ("workflows", workflow)
        query = {"environment": environment, "limit": limit}
        return Listing(request("GET", *place, "tasks", "pending", query=query), TaskView)

    @operation
    def complete(
        self, task_id: str, *, approved: bool, result: Mapping[str, Any] | None = None, comment: str | None = None
    ) -> Flow[TaskDecision]:
        """Decide the task; `result` edits what was proposed. Raises `CommandRefused` when it was decided otherwise."""
        body = {"approved": approved, "result": result, "comment": comment}
        return ask(self._connection, request("POST", "tasks", task_id, "complete", body=body), TaskDecision)


class Tasks(_Operations, Waiting):
    """What people have to decide."""


class AsyncTasks(_Operations, Awaiting):
    """What people have to decide."""
