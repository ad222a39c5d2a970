"""A run's steps as lines for people: what a live display and a final table show alike.

A loop is one line that counts its iterations; below it stand the steps that made iterations fail, the first
few of them, and the steps of a few iterations, those under way before those that are done. A child run's
steps stand below the step that waits for it, as far as they are known.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Final

import msgspec

from runwell.cli.formatting import clock_time, duration
from runwell.engine.state import Loop, RunState, StepState, below
from runwell.model.statuses import RESOLVED, StepStatus, step_badge

MAX_FAILURES: Final = 5
"""As many failed steps are shown below a loop."""

MAX_ITERATIONS: Final = 3
"""Of as many iterations of a loop the steps are shown."""

MAX_ROWS: Final = 12
"""As many steps of these are shown below the outermost loop, the last ones."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One step. `note` says what else matters now: what it waits for, why it failed, how far a loop is.

    Without a status it stands for the iterations of a loop that have begun and are not shown.
    """

    depth: int
    path: str
    label: str
    type: str
    status: StepStatus | None
    badge: str
    time: str
    note: str = ""


Children = Mapping[str, RunState]
"""The states of child runs, by run id."""


def tree_lines(state: RunState, now: int, children: Children | None = None, depth: int = 0) -> list[Line]:
    """Return a line for each step of the document, in its order, at the moment `now` (ms since 1970)."""
    lines = []
    for step in state.root.steps.values():
        lines.append(_line(state, step, now, depth))
        lines += _inside(state, step, _shown(state, step), now, depth + 1)
        child = (children or {}).get(step.child_run_id or "")
        if child is not None:
            lines += tree_lines(child, now, children, depth + 1)
    return lines


def _line(state: RunState, step: StepState, now: int, depth: int) -> Line:
    return Line(
        depth=depth,
        path=step.path,
        label=step.plan.spec.name or step.plan.id if depth == 0 else step.path,
        type=step.plan.type,
        status=step.status,
        badge=step_badge(step.status, step.reason),
        time=_time(step, now),
        note=_note(state, step, now),
    )


def _time(step: StepState, now: int) -> str:
    if step.started_at is None or step.status is StepStatus.SKIPPED:
        return ""
    return duration((step.ended_at if step.ended_at is not None else now) - step.started_at)


def _note(state: RunState, step: StepState, now: int) -> str:
    if step.status is StepStatus.WAITING:
        return waiting_text(step, now)
    if step.error is not None and step.caused_by is None:
        handled = ", handled" if step.handled else ""
        return f"{step.error.code}{handled}: {step.error.message}"
    if step.loop is not None:
        return _progress(state, step, step.loop)
    if step.reason == "dependency_skipped":
        return f"because {step.caused_by} was skipped"
    if step.caused_by is not None:
        return f"because of {step.caused_by}"
    if step.reason == "condition_false":
        return "its condition is false"
    if step.reason == "disabled":
        return "switched off"
    if step.reason == "cached":
        return "the run's output is an earlier one's"
    if step.cache is not None:
        return f"from the cache: {step.cache.source_run_id}"
    return "taken over" if step.reused_from else _attempts(step)


def _attempts(step: StepState) -> str:
    return f"attempt {step.attempt}" if step.attempt > 1 else ""


def waiting_text(step: StepState, now: int) -> str:
    """Return what a waiting step waits for, in words."""
    until = step.wake_at
    match step.waiting_for:
        case "delay":
            return f"until {clock_time(until)}, in {duration(until - now)}" if until is not None else "a delay"
        case "retry":
            soon = f"in {duration(until - now)}" if until is not None and until > now else "now"
            reason = step.attempts[-1].error if step.attempts else None
            return f"attempt {step.attempt + 1} {soon}" + (f" after {reason.code}: {reason.message}" if reason else "")
        case "approval":
            return f"for a decision: {step.input.get('title', step.path)}" + _limit(until, now)
        case "message":
            return f"for the message {step.message!r}" + _limit(until, now)
        case "child_run":
            return f"for the child run {step.child_run_id}"
    return ""


def _limit(until: int | None, now: int) -> str:
    return "" if until is None else f", {duration(until - now)} left"


def _progress(state: RunState, step: StepState, loop: Loop) -> str:
    """Return `7 of 10 done, 2 under way, 1 failed` for a loop."""
    done = loop.next - loop.open
    parts = [f"{done} of {len(loop.items)} done" if loop.items is not None else f"{done} {'iteration' if done == 1 else 'iterations'} done"]
    if loop.open and step.status not in RESOLVED:
        parts.append(f"{loop.open} under way")
    failed = sum(1 for i in range(loop.next) if state.steps[f"{step.path}[{i}]"].status is StepStatus.FAILED)
    return ", ".join([*parts, f"{failed} failed"] if failed else parts)


def _shown(state: RunState, step: StepState) -> set[str]:
    """Return the paths of what is shown below a loop."""
    if step.loop is None:
        return set()
    return {inner.path for inner in [*_culprits(state, step), *_samples(state, step)[-MAX_ROWS:]]}


def _inside(state: RunState, step: StepState, shown: set[str], now: int, depth: int) -> list[Line]:
    """Return the lines below a loop, in the order of the run, and how many iterations have none."""
    lines, hidden = [], 0
    for i in range(step.loop.next) if step.loop is not None and shown else ():
        iteration = state.steps[f"{step.path}[{i}]"]
        found = [_line(state, iteration, now, depth)] if iteration.path in shown else []
        for inner in iteration.inner.steps.values() if iteration.inner is not None else ():
            found += [_line(state, inner, now, depth)] if inner.path in shown else []
            found += _inside(state, inner, shown, now, depth)
        lines += found
        hidden += not found
    if lines and hidden:
        lines.append(Line(depth=depth, path="", label=f"... {hidden:,} more", type="", status=None, badge="", time=""))
    return lines


def _samples(state: RunState, step: StepState) -> list[StepState]:
    """Return the steps that have begun in a few iterations of a loop, and of the loops in them."""
    found = []
    for iteration in _few_iterations(state, step):
        for inner in iteration.inner.steps.values() if iteration.inner is not None else ():
            if inner.status is not StepStatus.PENDING:
                found += [inner, *_samples(state, inner)]
    return found


def _few_iterations(state: RunState, step: StepState) -> list[StepState]:
    """Return the last iterations that are under way, and the last ones that are done where those are fewer."""
    begun = [state.steps[f"{step.path}[{i}]"] for i in range(step.loop.next)] if step.loop is not None else []
    chosen = sorted(begun, key=lambda iteration: (iteration.status not in RESOLVED, iteration.iteration or 0))[-MAX_ITERATIONS:]
    return sorted(chosen, key=lambda iteration: iteration.iteration or 0)


def _culprits(state: RunState, step: StepState) -> list[StepState]:
    """Return the steps inside a loop that failed of themselves, at most `MAX_FAILURES`."""
    failed = (inner for inner in below(state, step) if inner.status is StepStatus.FAILED and inner.caused_by is None)
    return list(islice(failed, MAX_FAILURES))
