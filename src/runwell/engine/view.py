"""From a state to what people and lists see of it."""

from typing import Any

import msgspec

from runwell.engine.state import RunState, StepState, next_alarm
from runwell.model.caching import run_cache, step_cache
from runwell.model.errors import ErrorInfo
from runwell.model.judgement import RunEvaluated
from runwell.model.run import EVALUATION, Attempt, Evaluation, EvaluationRunInfo, RunRow, RunView, StepView, WorkflowRef
from runwell.model.statuses import RunStatus, StepStatus
from runwell.model.times import rfc3339
from runwell.model.traces import SpanRecorded
from runwell.model.usage import usd


def run_view(state: RunState) -> RunView:
    """Return the run whole. Iterations are left out: their steps' paths tell them."""
    created, said = state.created, state.judgements.shown()
    return RunView(
        id=state.run_id,
        workflow=WorkflowRef(id=created.workflow_id, slug=created.workflow_slug, name=created.workflow_name, version=created.version),
        status=state.status,
        waiting_for=state.waiting_for,
        input=created.input,
        output=state.output,
        error=state.error if state.is_terminal else None,
        failed_step=state.failed_step,
        steps=[_step_view(step) for step in state.steps.values() if step.iteration is None],
        usage=state.usage,
        cost_usd=usd(state.usage.cost_nanos),
        created_at=rfc3339(state.created_at),
        started_at=_moment(state.started_at),
        ended_at=_moment(state.ended_at),
        duration_ms=_duration(state.started_at, state.ended_at),
        trigger=created.trigger,
        tags=created.tags,
        metadata=created.metadata,
        source_run_id=created.source_run_id,
        parent_run_id=created.parent_run_id,
        environment=created.environment,
        use_cache=created.use_cache,
        cache=run_cache(state.served_from, state.cache_hits, state.saved_nanos, state.saved_ms),
        archived_at=_moment(state.archived_at),
        span=_span(state.span),
        review=said.review,
        score=said.score,
        review_comment=said.comment,
        evaluations=[_evaluation(one) for one in state.judgements.current()],
        is_evaluation_run=created.trigger == EVALUATION,
        evaluation_run_info=EvaluationRunInfo(
            evaluation_run_id=next(reversed(state.judgements.evaluations), None),
            evaluated_run_id=created.source_run_id if created.trigger == EVALUATION else None,
        ),
    )


def _evaluation(said: RunEvaluated) -> Evaluation:
    return Evaluation(
        evaluation_run_id=said.evaluation_run_id,
        evaluator_id=said.evaluator_id,
        evaluator=said.evaluator,
        turn=said.turn,
        score=said.score,
        review=said.review,
        comment=said.comment,
        error=said.error,
    )


def _step_view(step: StepState) -> StepView:
    return StepView(
        id=step.plan.id,
        path=step.path,
        type=step.plan.type,
        status=step.status,
        reason=step.reason,
        caused_by=step.caused_by,
        waiting_for=step.waiting_for,
        attempts=[_attempt(attempt) for attempt in step.attempts],
        started_at=_moment(step.started_at),
        ended_at=_moment(step.ended_at),
        duration_ms=_duration(step.started_at, step.ended_at),
        input=step.input,
        result=step.result,
        error=step.error,
        reused_from=step.reused_from,
        span=_span(step.span),
        cache=step_cache(step.cache),
    )


def _span(span: SpanRecorded | None) -> dict[str, Any] | None:
    return None if span is None else msgspec.to_builtins(span)


def _attempt(attempt: Attempt) -> Attempt:
    return Attempt(
        number=attempt.number,
        status=attempt.status,
        started_at=_moment(attempt.started_at),
        ended_at=_moment(attempt.ended_at),
        error=attempt.error,
        usage=attempt.usage,
    )


def _moment(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)


def _duration(start: int | None, end: int | None) -> int | None:
    return None if start is None or end is None else end - start


def run_row(state: RunState) -> RunRow:
    """Return the run's current-state row."""
    created = state.created
    return RunRow(
        run_id=state.run_id,
        org_id=created.org_id,
        project_id=created.project_id,
        workflow_id=created.workflow_id,
        workflow_slug=created.workflow_slug,
        workflow_name=created.workflow_name,
        version=created.version,
        version_hash=created.version_hash,
        use_cache=created.use_cache,
        cache_key=_cache_key(state),
        status=state.status,
        seq=state.seq,
        waiting_for=state.waiting_for,
        wake_at=next_alarm(state),
        idle=is_idle(state),
        failed_step=state.failed_step,
        trigger=created.trigger,
        environment=created.environment,
        parent_run_id=created.parent_run_id,
        source_run_id=created.source_run_id,
        created_at=state.created_at,
        started_at=state.started_at,
        ended_at=state.ended_at,
        duration_ms=_duration(state.started_at, state.ended_at),
        cost_nanos=state.usage.cost_nanos,
        saved_nanos=state.saved_nanos,
        archived_at=state.archived_at,
    )


def _cache_key(state: RunState) -> str:
    """Return under which key the run's result can be had again; none when it was had so itself, or is what a failure left."""
    return "" if state.served_from is not None or state.has_failures else state.created.cache_key


def is_idle(state: RunState) -> bool:
    """Whether only a command, a message or time can move the run: no attempt and no child is in flight."""
    if state.status not in (RunStatus.WAITING, RunStatus.PAUSED) or state.working:
        return False
    return all(state.steps[path].child_run_id is None for path in state.waiting)


def run_context(state: RunState) -> dict[str, Any]:
    """Return `{input, variables, steps: {path: {status, input, result, error}}}`."""
    steps = {step.path: _context(step) for step in state.steps.values() if step.iteration is None}
    return {"input": state.created.input, "variables": {}, "steps": steps}


def _context(step: StepState) -> dict[str, Any]:
    error: ErrorInfo | None = step.error
    return {"status": StepStatus(step.status), "input": step.input, "result": step.result, "error": error}
