"""From a run, its events and its version's document to the one document of seed 004. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from runwell.model.events import CommentAdded, Event, RunLimitExceeded
from runwell.model.ids import short_id
from runwell.model.run import RunView
from runwell.model.run_document import (
    DocumentComment,
    DocumentRun,
    EvaluationRunInfo,
    McpServer,
    RunDocument,
    RunEnvelope,
    RunStatusWord,
)
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.model.times import rfc3339
from runwell.query.evaluated import evaluation_config
from runwell.query.hydrated_config import hydrated_config
from runwell.query.input_output import input_output_pairs, runtime_variables
from runwell.query.model_calls import latency_stats, model_calls, token_usage

Json = dict[str, Any]

_ENDED: Final[dict[RunStatus, RunStatusWord]] = {RunStatus.SUCCEEDED: "completed", RunStatus.STOPPED: "cancelled"}
_LIVE: Final[dict[RunStatus, RunStatusWord]] = {RunStatus.QUEUED: "not_started", RunStatus.PAUSED: "paused"}
_SOURCES: Final = {
    "run_succeeded": "workflow",
    "run_served_from_cache": "cache",
    "run_failed": "step",
    "run_stopped": "user",
    "run_internal_error": "system",
}


def run_document(
    run: RunView, events: Sequence[Event], document: Json, scope: Scope, servers: Mapping[str, McpServer] | None = None
) -> RunDocument:
    """Return the document. `events` are all of the run's, from the first; `document` is that of its exact version.

    `servers` are the MCP servers that the project has set up, by name.
    """
    changed = [event.actor for event in events if event.actor is not None]
    envelope = RunEnvelope(
        team_id=scope.project_id,
        created_by=events[0].actor,
        updated_by=changed[-1] if changed else None,
        created_at=rfc3339(events[0].ts),
        updated_at=rfc3339(events[-1].ts),
        id=short_id(run.id),
        workflow_run=_run(run, events, document, scope, servers or {}),
        debug_info=_debug_info(run),
    )
    return RunDocument(workflow_run=envelope)


def _run(run: RunView, events: Sequence[Event], document: Json, scope: Scope, servers: Mapping[str, McpServer]) -> DocumentRun:
    calls = model_calls(events)
    return DocumentRun(
        logical_id=run.id,
        workflow_id=run.workflow.id,
        version_number=run.workflow.version,
        status=status_word(run),
        termination_source=termination_source(events),
        input_output_pairs=input_output_pairs(run, events, scope),
        run_by=events[0].actor,
        comments=[_comment(event) for event in events if isinstance(event.data, CommentAdded)],
        llm_token_usage=token_usage(calls),
        llm_latency_stats=latency_stats(calls),
        version_name=run.workflow.name,
        workflow_config_fully_hydrated=hydrated_config(
            document, run.workflow, _variables(run), runtime_variables(events), evaluation_config(events), servers
        ),
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
