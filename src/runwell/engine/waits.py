"""How waits begin: those of delays, approvals, waits for messages and child runs, and those of handlers (`suspend`)."""

import hashlib
from typing import Any

from runwell.engine.draft import Draft
from runwell.engine.state import StepState
from runwell.model.errors import InvalidInput
from runwell.model.events import StepCompleted, StepResumed, StepWaiting, TaskCreated
from runwell.model.ids import derived_id
from runwell.model.times import from_rfc3339
from runwell.model.waits import ChildWait, MessageWait, TaskWait, TimeWait, Wait


def begin_delay(draft: Draft, step: StepState, now: int) -> None:
    if "until" in step.input:
        wake_at = moment(step.input["until"])
    else:
        wake_at = now + seconds(step.input["for_s"], "for_s")
    draft.step(step, StepWaiting(waiting_for="delay", wake_at=wake_at))


def begin_approval(draft: Draft, step: StepState, now: int) -> None:
    given = step.input
    task_id = derived_id("task", draft.state.run_id, step.path)
    expires_at = now + seconds(given["expires_in_s"], "expires_in_s") if given.get("expires_in_s") is not None else None
    task = TaskCreated(
        task_id=task_id,
        task_type="approval",
        title=_text(given["title"], "title"),
        description=given.get("description"),
        payload=given.get("payload"),
        assignees=tuple(str(who) for who in given.get("assignees", ())),
        expires_at=expires_at,
    )
    draft.step(step, task)
    draft.step(step, StepWaiting(waiting_for="approval", wake_at=expires_at, task_id=task_id))


def begin_wait(draft: Draft, step: StepState, now: int) -> None:
    name = _text(step.input["message"], "message")
    wake_at = now + seconds(step.input["expires_in_s"], "expires_in_s") if step.input.get("expires_in_s") is not None else None
    draft.step(step, StepWaiting(waiting_for="message", message=name, wake_at=wake_at))
    early = draft.state.messages.get(name)
    if early:
        draft.step(step, StepResumed(by="message"))
        draft.end(step, StepCompleted(result=early[0]))


def begin_child(draft: Draft, step: StepState, now: int) -> None:
    draft.step(step, StepWaiting(waiting_for="child_run", child_run_id=child_run_id(draft.state.run_id, step.path, now)))


def suspend(draft: Draft, step: StepState, wait: Wait, now: int) -> None:
    """Let the step wait, in the middle of an attempt, for what its handler needs to go on."""
    if isinstance(wait, TaskWait):
        _await_task(draft, step, wait, now)
    elif isinstance(wait, MessageWait):
        wake_at = _after(wait.expires_in_s, now)
        draft.step(step, StepWaiting(waiting_for="message", message=wait.name, wake_at=wake_at, key=wait.key))
        if draft.state.messages.get(wait.name):
            draft.step(step, StepResumed(by="message", key=wait.key))
    elif isinstance(wait, ChildWait):
        run_id = child_run_id(draft.state.run_id, f"{step.path}/{wait.key}", now)
        wanted = {"workflow": wait.workflow, "version": wait.version, "input": wait.input}
        draft.step(step, StepWaiting(waiting_for="child_run", child_run_id=run_id, key=wait.key, **wanted))
    else:
        assert isinstance(wait, TimeWait)
        draft.step(step, StepWaiting(waiting_for="delay", wake_at=now + round(wait.for_s * 1000), key=wait.key))


def _await_task(draft: Draft, step: StepState, wait: TaskWait, now: int) -> None:
    task_id = derived_id("task", draft.state.run_id, step.path, wait.key)
    expires_at = _after(wait.expires_in_s, now)
    task = TaskCreated(
        task_id=task_id,
        task_type=wait.task_type,
        title=wait.title,
        description=wait.description,
        payload=wait.payload,
        assignees=wait.assignees,
        expires_at=expires_at,
        result_schema=wait.result_schema,
    )
    waiting = StepWaiting(waiting_for="approval", wake_at=expires_at, task_id=task_id, key=wait.key)
    if task_id in draft.state.decisions:  # the handler asks again what was decided
        draft.step(step, waiting)
        draft.step(step, StepResumed(by="task", key=wait.key))
        return
    draft.step(step, task)
    draft.step(step, waiting)


def _after(for_s: float | None, now: int) -> int | None:
    return None if for_s is None else now + round(for_s * 1000)


def child_run_id(run_id: str, path: str, now: int) -> str:
    """Return the UUIDv7 of the child run that this step starts at `now` (ms): the same each time it is asked."""
    digest = hashlib.sha256(f"{run_id}/{path}".encode()).digest()
    bits = now << 80 | 0x7 << 76 | int.from_bytes(digest[:2]) >> 4 << 64 | 0b10 << 62 | int.from_bytes(digest[2:10]) >> 2
    return f"run_{bits:032x}"


def seconds(value: Any, field: str) -> int:
    """Return a duration given in seconds (number or text) as ms. Raises `InvalidInput`."""
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 315_360_000:
        raise InvalidInput(f"{field} gave {value!r}, which is no number of seconds from 0 to ten years", hint="write seconds, as in 3600")
    return round(number * 1000)


def moment(value: Any) -> int:
    """Return a moment given as RFC 3339 text as ms since 1970. Raises `InvalidInput`."""
    return from_rfc3339(_text(value, "until"))


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{field} gave {type(value).__name__}, not text")
    return value
