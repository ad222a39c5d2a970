"""A turn of a conversation: the events `turn_started` and `turn_ended`."""

from typing import Any

from runwell.model.errors import ErrorInfo
from runwell.model.generation import EventData


class TurnStarted(EventData, frozen=True, kw_only=True):
    """A turn of a conversation began, where it stood (`node`), with what the person said and the variables given along."""

    turn: int
    node: str
    message: str | None = None
    variables: dict[str, Any] = {}


class TurnEnded(EventData, frozen=True, kw_only=True):
    """A turn ended, at `node`. `path` are the nodes carried out, each `{node, via}`, and `output` what they said, each `{node, text}`.

    `variables` are those that the turn set, `value` the last node's result. `again`: the node failed (`error`) and is carried out
    again after the next message. `ended`: the conversation is over, as nothing led on (`node`), or it went round (`looping_risk`).
    """

    turn: int
    node: str
    path: list[dict[str, str]] = []
    output: list[dict[str, str]] = []
    variables: dict[str, Any] = {}
    value: Any = None
    error: ErrorInfo | None = None
    again: bool = False
    ended: str | None = None
