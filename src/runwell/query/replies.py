"""What was said in an agent's run, for a run that goes on from there."""

from typing import Any, Final

import msgspec

from runwell.model.errors import Refused
from runwell.model.events import Event, EventData, GenerationCompleted, RunCreated, RunServedFromCache, RunSucceeded
from runwell.model.run import RunRow
from runwell.model.statuses import RunStatus
from runwell.ports.journal import EventFilter, Journal
from runwell.query.events import all_events

_WANTED: Final = EventFilter(types=("run_created", "generation_completed", "run_succeeded", "run_served_from_cache"), lean=True)

Messages = list[dict[str, Any]]


class Said(msgspec.Struct, frozen=True):
    """How the run began, and its messages without the instructions, the answer at the end."""

    created: RunCreated
    messages: Messages


async def what_was_said(journal: Journal, run: RunRow) -> Said:
    """Raises `Refused` for a run to which nobody can reply."""
    events = [event async for event in all_events(journal, run.run_id, _WANTED)]
    created = events[0].of(RunCreated)
    if created.kind != "agent":
        raise Refused(f"{run.run_id} is no run of an agent", hint="only what an agent said can be replied to; start another run")
    if run.status is not RunStatus.SUCCEEDED:
        raise Refused(
            f"{run.run_id} is {run.status}: it has no answer to reply to", hint="reply once it has succeeded, or start another run"
        )
    return Said(created, _messages(created, events))


def _messages(created: RunCreated, events: list[Event]) -> Messages:
    answers = [event.data for event in events if isinstance(event.data, GenerationCompleted) and event.data.ok]
    if answers and answers[-1].messages is not None:
        last = answers[-1]
        asked = [message for message in last.messages or () if message["role"] != "system"]
        return [*asked, {"role": "assistant", "content": last.response or "", **_thoughts(last)}]
    said = created.history or [{"role": "user", "content": _text(created.input)}]  # nobody was asked: it was served from the cache
    return [*said, {"role": "assistant", "content": _text(_output(events[-1].data))}]


def _thoughts(answer: GenerationCompleted) -> dict[str, Any]:
    return {"thoughts": answer.thoughts} if answer.thoughts else {}


def _output(data: EventData) -> Any:
    return data.output if isinstance(data, RunSucceeded | RunServedFromCache) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
