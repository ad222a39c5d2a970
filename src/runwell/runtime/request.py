"""What starts a run, and what may come into it."""

from typing import Any

import msgspec

from runwell.engine.state import RunState
from runwell.model.commands import AddComment, Command, CompleteTask, ReviewRun, SendMessage
from runwell.model.errors import InvalidInput
from runwell.model.events import RunCreated
from runwell.ports.journal import Version
from runwell.ports.redaction import Redactions
from runwell.ports.runs import StartRequest


def json_copy(value: Any, what: str) -> Any:
    """Return a copy of JSON data that shares nothing with it. Raises `InvalidInput` when it is none."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidInput(f"{what} is no JSON data: {exc}") from exc


def check_json(command: Command) -> None:
    """Raise `InvalidInput` when a person's or program's command holds what is no JSON data, and could not be kept."""
    if isinstance(command, SendMessage | CompleteTask | AddComment | ReviewRun):
        try:
            msgspec.json.encode(command)
        except (TypeError, ValueError, RecursionError) as exc:
            raise InvalidInput(f"the command is no JSON data: {exc}") from exc


def created(request: StartRequest, redactions: Redactions) -> RunCreated:
    """Return the first event's data as it may be kept. Raises `InvalidInput` when the input is no JSON data."""
    version, rules = request.version, redactions.of(request.project_id)
    data = RunCreated(
        org_id=request.org_id,
        project_id=request.project_id,
        workflow_id=version.workflow_id,
        workflow_slug=version.slug,
        workflow_name=version.name,
        version=version.number,
        version_hash=version.hash,
        kind=version.kind,
        input=json_copy(request.input, "the input"),
        trigger=request.trigger,
        tags=request.tags,
        metadata=request.metadata,
        environment=request.environment,
        source_run_id=request.source_run_id,
        parent_run_id=request.parent_run_id,
        parent_step_id=request.parent_step_id,
        root_run_id=request.root_run_id,
        depth=request.depth,
        use_cache=request.use_cache,
        history=None if request.history is None else json_copy(request.history, "the history"),
    )
    return data if rules is None else rules.event(data)


def child_request(state: RunState, step_id: str, child_id: str, version: Version) -> StartRequest:
    """Return what starts the child run that this step of the parent waits for."""
    parent, step = state.created, state.steps[step_id]
    return StartRequest(
        version=version,
        input=step.input.get("input") if step.suspended is None else step.suspended.input,
        run_id=child_id,
        org_id=parent.org_id,
        project_id=parent.project_id,
        trigger="workflow",
        environment=parent.environment,
        actor=state.actor,
        parent_run_id=state.run_id,
        parent_step_id=step_id,
        root_run_id=parent.root_run_id or state.run_id,
        depth=parent.depth + 1,
        use_cache="never" if parent.use_cache == "never" else state.steps[step_id].plan.spec.cache,
    )
