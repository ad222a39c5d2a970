"""From a run, its events and its version's document to the one document of seed 004. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from runwell.model.events import (
    CommentAdded,
    Event,
    MessageReceived,
    RunLimitExceeded,
    StepCompleted,
    StepStarted,
    TaskCompleted,
    event_json,
)
from runwell.model.ids import short_id
from runwell.model.run import RunView
from runwell.model.run_document import (
    DocumentComment,
    DocumentRun,
    EvaluationRunInfo,
    InputOutputPair,
    RunDocument,
    RunEnvelope,
    RunInput,
    RunOutput,
    RunStatusWord,
)
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.model.times import rfc3339
from runwell.query.evaluated import evaluation_config, turn_evaluation
from runwell.query.hydrated_config import hydrated_config
from runwell.query.model_calls import latency_stats, model_calls, token_usage

Json = dict[str, Any]

THREAD: Final = "main"
"""Seed 004 sorts nodes into threads. Runwell's steps are in none, so one thread holds all."""

WHOLE: Final = "run"
"""Beside the thread: what the run as a whole was given, and gave."""

_ENDED: Final[dict[RunStatus, RunStatusWord]] = {RunStatus.SUCCEEDED: "completed", RunStatus.STOPPED: "cancelled"}
_LIVE: Final[dict[RunStatus, RunStatusWord]] = {RunStatus.QUEUED: "not_started", RunStatus.PAUSED: "paused"}
_SOURCES: Final = {
    "run_succeeded": "workflow",
    "run_served_from_cache": "cache",
    "run_failed": "step",
    "run_stopped": "user",
    "run_internal_error": "system",
}


def run_document(run: RunView, events: Sequence[Event], document: Json, scope: Scope) -> RunDocument:
    """Return the document. `events` are all of the run's, from the first; `document` is that of its exact version."""
    changed = [event.actor for event in events if event.actor is not None]
    envelope = RunEnvelope(
        team_id=scope.project_id,
        created_by=events[0].actor,
        updated_by=changed[-1] if changed else None,
        created_at=rfc3339(events[0].ts),
        updated_at=rfc3339(events[-1].ts),
        id=short_id(run.id),
        workflow_run=_run(run, events, document, scope),
        debug_info=_debug_info(run),
    )
    return RunDocument(workflow_run=envelope)


def _run(run: RunView, events: Sequence[Event], document: Json, scope: Scope) -> DocumentRun:
    calls = model_calls(events)
    return DocumentRun(
        logical_id=run.id,
        workflow_id=run.workflow.id,
        version_number=run.workflow.version,
        status=status_word(run),
        termination_source=termination_source(events),
        input_output_pairs=_pairs(run, events, scope),
        run_by=events[0].actor,
        comments=[_comment(event) for event in events if isinstance(event.data, CommentAdded)],
        llm_token_usage=token_usage(calls),
        llm_latency_stats=latency_stats(calls),
        version_name=run.workflow.name,
        workflow_config_fully_hydrated=hydrated_config(document, run.workflow, _variables(run), evaluation_config(events)),
        workflow_run_id=short_id(run.id),
        source_workflow_run_id=_short(run.source_run_id),
        is_evaluation_run=run.is_evaluation_run,
        evaluation_run_info=EvaluationRunInfo(evaluation_workflow_run_id=_short(run.evaluation_run_info.evaluation_run_id)),
    )


def _short(run_id: str | None) -> str | None:
    return None if run_id is None else short_id(run_id)


def status_word(run: RunView) -> RunStatusWord:
    """Return the run's status in seed 004's words. Only a person's answer or a message counts as user input."""
    if run.status in TERMINAL:
        return _ENDED.get(run.status, "failed")
    if run.status is RunStatus.WAITING and run.waiting_for in ("approval", "message"):
        return "waiting_for_user_input"
    return _LIVE.get(run.status, "running")


def termination_source(events: Sequence[Event]) -> str | None:
    """Return what ended the run: the workflow, a step, a user, the cache, a limit (`limit:timeout_s`) or the system."""
    for event in reversed(events):
        if isinstance(event.data, RunLimitExceeded):
            return f"limit:{event.data.which}"
        if event.type in _SOURCES:
            return _SOURCES[event.type]
    return None


def _variables(run: RunView) -> Json:
    return run.input if isinstance(run.input, dict) else {}


def _comment(event: Event) -> DocumentComment:
    comment, moment = event.of(CommentAdded), rfc3339(event.ts)
    return DocumentComment(
        logical_id=comment.comment_id,
        content=comment.content,
        created_by=event.actor,
        updated_by=event.actor,
        created_at=moment,
        updated_at=moment,
    )


def _debug_info(run: RunView) -> Json:
    """Return what explains the run and has no place elsewhere."""
    return {
        "status": run.status,
        "waiting_for": run.waiting_for,
        "failed_step": run.failed_step,
        "error": None if run.error is None else msgspec.to_builtins(run.error),
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_ms": run.duration_ms,
        "cost_usd": run.cost_usd,
        "parent_run_id": run.parent_run_id,
    }


# Inputs and outputs


def _pairs(run: RunView, events: Sequence[Event], scope: Scope) -> list[InputOutputPair]:
    """Return the start, each decision of a person and each message, with what happened until the next of them."""
    starts = [0, *(place for place, event in enumerate(events) if place and _is_input(event))]
    parts = [events[start:end] for start, end in zip(starts, [*starts[1:], len(events)], strict=True)]
    return [
        InputOutputPair(
            run_input=_input(run, part[0], part, scope), run_output=_output(run, part), evaluation=turn_evaluation(run, turn, len(parts))
        )
        for turn, part in enumerate(parts, 1)
    ]


def _is_input(event: Event) -> bool:
    return isinstance(event.data, MessageReceived) or (isinstance(event.data, TaskCompleted) and not event.data.expired)


def _input(run: RunView, event: Event, part: Sequence[Event], scope: Scope) -> RunInput:
    given = RunInput(
        workflow_id=run.workflow.id,
        version_number=run.workflow.version,
        run_by=event.actor,
        workflow_run_id=short_id(run.id),
        team_id=scope.project_id,
    )
    data, replace = event.data, msgspec.structs.replace
    if isinstance(data, TaskCompleted):
        asked: Json = {"task_id": data.task_id}
        answer: Json = {THREAD: {str(event.step_id): {"approved": data.approved, "comment": data.comment, "result": data.result}}}
        by = event.actor or data.by
        return replace(given, command="complete_task", run_by=by, miscellaneous=asked, thread_to_node_inputs=answer)
    if isinstance(data, MessageReceived):
        message: Json = {WHOLE: {"message": data.name, "body": data.body}}
        return replace(given, command="send_message", miscellaneous={"message_id": data.message_id}, thread_to_node_inputs=message)
    return replace(given, dynamic_variables=_variables(run), miscellaneous=_circumstances(run), thread_to_node_inputs=_inputs(run, part))


def _circumstances(run: RunView) -> Json:
    return {"trigger": run.trigger, "tags": list(run.tags), "metadata": run.metadata, "environment": run.environment}


def _inputs(run: RunView, part: Sequence[Event]) -> Json:
    """Return the run's input and those of the steps that began."""
    steps = {str(event.step_id): event.data.input for event in part if isinstance(event.data, StepStarted)}
    return {WHOLE: {"input": run.input}, THREAD: steps}


def _output(run: RunView, part: Sequence[Event]) -> RunOutput:
    """Return what happened, what the steps gave that completed meanwhile, and the run's output if it ended meanwhile."""
    outputs: Json = {
        THREAD: {
            str(event.step_id): event.data.result for event in part if isinstance(event.data, StepCompleted) and not event.data.skipped
        }
    }
    if any(event.type in ("run_succeeded", "run_served_from_cache") for event in part):
        outputs[WHOLE] = {"output": run.output}
    return RunOutput(events=[msgspec.Raw(event_json(event)) for event in part], thread_to_node_outputs=outputs)
