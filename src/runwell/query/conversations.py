"""Conversations under way in a run."""

from runwell.model.errors import CommandRefused, InvalidInput
from runwell.model.run import StepView
from runwell.model.scope import Scope
from runwell.model.statuses import RESOLVED, TERMINAL
from runwell.ports.runs import Runs


async def conversation_of(runs: Runs, scope: Scope, run_id: str, path: str | None) -> str:
    """Return the path of the conversation step that is told something: the one of this path or, without one, the only one.

    Raises `NotFound`, `CommandRefused` when no conversation goes on, and `InvalidInput` when it has to be said which.
    """
    run = await runs.view(scope, run_id)
    if run.status in TERMINAL:
        raise CommandRefused(f"{run.id} has ended ({run.status}): nothing can be said any more", hint="start a new run")
    steps = [step for step in run.steps if step.type == "conversation" and step.status not in RESOLVED]
    if path is not None:
        steps = [step for step in steps if step.path == path]
    steps = _asking(steps) or steps
    if not steps:
        which = "has no conversation that goes on" if path is None else f"has no conversation {path!r} that goes on"
        raise CommandRefused(f"{run.id} {which}", hint="GET /v1/runs/{id}/steps tells its steps; send_message reaches wait steps")
    if len(steps) > 1:
        paths = ", ".join(step.path for step in steps[:20])
        raise InvalidInput(f"{run.id} has several conversations: {paths}", hint="name one of them in params.step")
    return steps[0].path


def _asking(steps: list[StepView]) -> list[StepView]:
    """Return those that wait for the person."""
    return [step for step in steps if step.waiting_for == "message"]
