"""What a run was given and what it gave, in pairs, in the words of seed 004.

A pair begins with the run itself, with a decision of a person, with a message, and with each turn of a conversation: mostly that
is when its message comes, but one that comes while a turn is under way waits for its own.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from runwell.model.events import Event, MessageReceived, StepCompleted, StepStarted, TaskCompleted, TurnEnded, TurnStarted, event_json
from runwell.model.ids import short_id
from runwell.model.run import RunView
from runwell.model.run_document import InputOutputPair, RunInput, RunOutput
from runwell.model.scope import Scope
from runwell.query.conversation_config import node_key
from runwell.query.evaluated import turn_evaluation

Json = dict[str, Any]

THREAD: Final = "main"
"""The thread of all steps that are no conversations. A conversation is a thread of its own, named by its step's path."""

WHOLE: Final = "run"
"""Beside the threads: what the run as a whole was given, and gave."""


class Part(NamedTuple):
    """The events of a pair. `given` is what began it; `turn` the turn of a conversation that began, if one did."""

    given: Event
    events: Sequence[Event]
    turn: Event | None = None


def input_output_pairs(run: RunView, events: Sequence[Event], scope: Scope) -> list[InputOutputPair]:
    variables = run.input if isinstance(run.input, dict) else {}
    parts = _parts(events)
    return [
        InputOutputPair(
            run_input=_input(run, part, scope, dynamic, runtime),
            run_output=_output(run, part),
            evaluation=turn_evaluation(run, turn, len(parts)),
        )
        for turn, (part, dynamic, runtime) in enumerate(_with_variables(parts, variables), 1)
    ]


# Where pairs begin


def _parts(events: Sequence[Event]) -> list[Part]:
    """Return the run's parts in order; together they are all of its events."""
    begins = {0: Part(events[0], ())} | {at: part for at, part in _inputs(events) if at}
    places = sorted(begins)
    ends = [*places[1:], len(events)]
    parts = [begins[at]._replace(events=events[at:end]) for at, end in zip(places, ends, strict=True)]
    return [parts[0]._replace(turn=_turn(parts[0].events)), *parts[1:]]


def _turn(events: Sequence[Event]) -> Event | None:
    return next((event for event in events if isinstance(event.data, TurnStarted)), None)


def _inputs(events: Sequence[Event]) -> Iterator[tuple[int, Part]]:
    """Yield what was given, each with the place at which its pair begins."""
    turns: dict[str, list[int]] = {}
    for at, event in enumerate(events):
        if isinstance(event.data, TurnStarted) and event.data.turn > 1:
            turns.setdefault(str(event.step_id), []).append(at)
    for at, event in enumerate(events):
        if isinstance(event.data, TaskCompleted) and not event.data.expired:
            yield at, Part(event, ())
        elif isinstance(event.data, MessageReceived):
            own = turns.get(event.data.name)
            turn = own.pop(0) if own else None
            busy = turn is not None and any(isinstance(one.data, TurnEnded) and one.step_id == event.data.name for one in events[at:turn])
            yield (turn if busy and turn is not None else at), Part(event, (), None if turn is None else events[turn])


def _with_variables(parts: Sequence[Part], variables: Json) -> Iterator[tuple[Part, Json, Json]]:
    """Yield each part with the variables that were given until then, and those that conversations had when it began."""
    dynamic, runtime = variables, dict[str, Any]()
    for part in parts:
        given = part.turn.data.variables if part.turn is not None and isinstance(part.turn.data, TurnStarted) else {}
        dynamic = {**dynamic, **given}
        runtime = {**runtime, **_first_variables(part.events), **given}
        yield part, dynamic, runtime
        for event in part.events:
            if isinstance(event.data, TurnEnded):
                runtime = {**runtime, **event.data.variables}


def _first_variables(events: Sequence[Event]) -> Json:
    """Return the variables with which conversations began."""
    found: Json = {}
    for event in events:
        if isinstance(event.data, StepStarted) and event.data.step_type == "conversation" and isinstance(event.data.input, dict):
            found |= event.data.input.get("variables") or {}
    return found


def runtime_variables(events: Sequence[Event]) -> Json:
    """Return the variables that the run's conversations have at the end."""
    found = _first_variables(events)
    for event in events:
        if isinstance(event.data, TurnStarted | TurnEnded):
            found |= event.data.variables
    return found


# Inputs


def _input(run: RunView, part: Part, scope: Scope, dynamic: Json, runtime: Json) -> RunInput:
    event, replace = part.given, msgspec.structs.replace
    given = RunInput(
        workflow_id=run.workflow.id,
        version_number=run.workflow.version,
        run_by=event.actor,
        workflow_run_id=short_id(run.id),
        team_id=scope.project_id,
        runtime_variables=runtime,
    )
    data = event.data
    if isinstance(data, TaskCompleted):
        asked: Json = {"task_id": data.task_id}
        answer: Json = {THREAD: {str(event.step_id): {"approved": data.approved, "comment": data.comment, "result": data.result}}}
        by = event.actor or data.by
        return replace(given, command="complete_task", run_by=by, miscellaneous=asked, thread_to_node_inputs=answer)
    if isinstance(data, MessageReceived):
        return _message(given, part, data, dynamic)
    return replace(given, dynamic_variables=dynamic, miscellaneous=_circumstances(run), thread_to_node_inputs=_start(run, part))


def _message(given: RunInput, part: Part, data: MessageReceived, dynamic: Json) -> RunInput:
    replace = msgspec.structs.replace
    if part.turn is None:
        message: Json = {WHOLE: {"message": data.name, "body": data.body}}
        return replace(given, command="send_message", miscellaneous={"message_id": data.message_id}, thread_to_node_inputs=message)
    about = {"message_id": data.message_id, "step": data.name, "turn": part.turn.of(TurnStarted).turn}
    return replace(given, command="data", dynamic_variables=dynamic, miscellaneous=about, thread_to_node_inputs=_turn_input(part.turn))


def _turn_input(turn: Event) -> Json:
    """Return what the person said, at the node at which the conversation stood."""
    data, path = turn.of(TurnStarted), str(turn.step_id)
    return {path: {node_key(path, data.node): {"message": data.message, "variables": data.variables}}}


def _circumstances(run: RunView) -> Json:
    return {"trigger": run.trigger, "tags": list(run.tags), "metadata": run.metadata, "environment": run.environment}


def _start(run: RunView, part: Part) -> Json:
    """Return the run's input, those of the steps that began, and what conversations began with."""
    steps = {str(event.step_id): event.data.input for event in part.events if isinstance(event.data, StepStarted)}
    turns: Json = {}
    for event in part.events:
        if isinstance(event.data, TurnStarted):
            turns |= _turn_input(event)
    return {WHOLE: {"input": run.input}, THREAD: steps, **turns}


# Outputs


def _output(run: RunView, part: Part) -> RunOutput:
    """Return what happened, what the steps and nodes gave meanwhile, and the run's output if it ended meanwhile."""
    outputs: Json = {
        THREAD: {
            str(event.step_id): event.data.result
            for event in part.events
            if isinstance(event.data, StepCompleted) and not event.data.skipped
        }
    }
    for event in part.events:
        if isinstance(event.data, TurnEnded):
            outputs.setdefault(str(event.step_id), {}).update(_turn_output(str(event.step_id), event.data))
    if any(event.type in ("run_succeeded", "run_served_from_cache") for event in part.events):
        outputs[WHOLE] = {"output": run.output}
    return RunOutput(events=[msgspec.Raw(event_json(event)) for event in part.events], thread_to_node_outputs=outputs)


def _turn_output(path: str, turn: TurnEnded) -> Json:
    """Return, for each node that was carried out, how it was reached and what it said, and of the last one its result."""
    nodes: dict[str, Json] = {}
    for step in turn.path:
        nodes.setdefault(step["node"], {"via": step["via"], "messages": []})
    for told in turn.output:
        nodes.setdefault(told["node"], {"messages": []})["messages"].append(told["text"])
    if turn.path:
        nodes[turn.path[-1]["node"]]["value"] = turn.value
    return {node_key(path, node): given for node, given in nodes.items()}
