"""What time does to steps, and how waits for people and messages end."""

from typing import Any

from runwell.engine.draft import Draft
from runwell.engine.endings import fail_step
from runwell.engine.state import StepState, due_steps
from runwell.model.commands import CompleteTask
from runwell.model.errors import ErrorInfo
from runwell.model.events import StepCompleted, StepResumed, StepWaiting, TaskCompleted
from runwell.model.step import Approval


def fire_first_due(draft: Draft, now: int) -> None:
    """Add what happens to the first step whose moment has come; the caller asks again for the next."""
    for step in due_steps(draft.state, now):
        if step.deadline is not None and step.deadline <= now and not step.is_leaf:
            _time_out(draft, step)
        elif step.suspended is not None:
            _wake(draft, step, step.suspended)
        elif step.waiting_for == "delay":
            draft.step(step, StepResumed(by="timer"))
            draft.end(step, StepCompleted(result={"waited_ms": now - (step.started_at or now)}))
        elif step.waiting_for == "approval":
            _expire_task(draft, step)
        elif step.waiting_for == "message":
            fail_step(
                draft, step, ErrorInfo(code="MESSAGE_EXPIRED", message=f"no message {step.message!r} came in time", step_id=step.path)
            )
        if draft.facts:
            return


def _wake(draft: Draft, step: StepState, suspended: StepWaiting) -> None:
    """Let the handler go on, for whom time is over or nobody answered."""
    if suspended.task_id is not None:
        draft.step(step, TaskCompleted(task_id=suspended.task_id, approved=False, expired=True))
    draft.step(step, StepResumed(by="timer", key=suspended.key))


def _time_out(draft: Draft, step: StepState) -> None:
    if step.task_id is not None:
        draft.step(step, TaskCompleted(task_id=step.task_id, approved=False, expired=True))
    message = f"the step took longer than its timeout_s of {step.plan.spec.timeout_s:g}"
    fail_step(draft, step, ErrorInfo(code="STEP_TIMED_OUT", message=message, step_id=step.path))


def _expire_task(draft: Draft, step: StepState) -> None:
    task_id = step.task_id or ""
    draft.step(step, TaskCompleted(task_id=task_id, approved=False, expired=True))
    if isinstance(step.plan.spec, Approval) and step.plan.spec.on_expire == "fail":
        fail_step(draft, step, ErrorInfo(code="TASK_EXPIRED", message="nobody decided in time", step_id=step.path))
        return
    draft.step(step, StepResumed(by="timer"))
    draft.end(step, StepCompleted(result={"approved": False, "by": None, "comment": None, "expired": True}))


def decide_task(draft: Draft, step: StepState, command: CompleteTask) -> None:
    """Add a person's decision and what the step makes of it."""
    edits: dict[str, Any] = command.result or {}
    draft.step(
        step,
        TaskCompleted(task_id=command.task_id, approved=command.approved, by=command.actor, comment=command.comment, result=command.result),
    )
    if step.suspended is not None:
        draft.step(step, StepResumed(by="task", key=step.suspended.key))
        return
    draft.step(step, StepResumed(by="task"))
    decision = {"approved": command.approved, "by": command.actor, "comment": command.comment, **edits}
    draft.end(step, StepCompleted(result=decision))
