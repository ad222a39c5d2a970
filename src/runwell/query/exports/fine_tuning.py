"""Conversations to train a chat model with, a line each: `{"messages": [{"role": "user", "content": ...}, ...]}`.

Each model call that succeeded gives one: the messages as they were sent, and the raw answer. The same conversation comes once.
With a split each conversation belongs to one side for good, by the hash of what was asked: the same question is never on both.
"""

import hashlib
from typing import Any, Final, Literal

import msgspec

from runwell.model.canonical import canonical_json
from runwell.model.errors import InvalidInput
from runwell.model.run_record import GenerationRecord, RunRecord

Side = Literal["train", "validation"]

ROLES: Final = frozenset({"system", "developer", "user", "assistant"})


class FineTuning:
    """`split`: the part that is for training, from 0 to 1; `side`: which side is written, None for both.

    `seen` are the conversations that are elsewhere already (`conversation_mark`).
    """

    media_type = "application/x-ndjson"
    extension = "jsonl"

    def __init__(self, split: float | None = None, side: Side | None = None, seen: set[int] | None = None) -> None:
        if split is not None and not 0 < split < 1:
            raise InvalidInput(f"a split of {split:g} leaves one side empty", hint="give the part that is for training, such as 0.9")
        if side is not None and split is None:
            raise InvalidInput(f"there is no {side} side without a split", hint="give split, such as 0.9")
        self._split, self._side = split, side
        self._seen = set[int]() if seen is None else seen

    def begin(self) -> bytes:
        return b""

    def add(self, record: RunRecord) -> bytes:
        return b"".join(line for side, line in self.lines(record) if self._side in (None, side))

    def lines(self, record: RunRecord) -> list[tuple[Side, bytes]]:
        """Return the run's conversations that did not come before, each with its side."""
        found: list[tuple[Side, bytes]] = []
        for call in record.generations:
            messages = conversation(call)
            if messages is None or (mark := conversation_mark(messages)) in self._seen:
                continue
            self._seen.add(mark)
            found.append((self._side_of(messages), msgspec.json.encode({"messages": messages}) + b"\n"))
        return found

    def _side_of(self, messages: list[dict[str, str]]) -> Side:
        place = _hash(messages[:-1]) / 2**64
        return "train" if self._split is None or place < self._split else "validation"

    def end(self) -> bytes:
        return b""


def conversation(call: GenerationRecord) -> list[dict[str, str]] | None:
    """Return the messages of a call with its answer; None when it cannot be learned from."""
    if not call.ok or not call.messages or call.response in (None, "", [], {}):
        return None
    messages = [{"role": str(message.get("role")), "content": _text(message.get("content"))} for message in call.messages]
    if not any(message["role"] == "user" for message in messages) or not all(message["role"] in ROLES for message in messages):
        return None
    return [*messages, {"role": "assistant", "content": _text(call.response)}]


def conversation_mark(messages: list[dict[str, str]]) -> int:
    """Return what stands for a conversation: the same for the same messages."""
    return _hash(messages)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else msgspec.json.encode(content).decode()


def _hash(messages: list[dict[str, str]]) -> int:
    return int.from_bytes(hashlib.sha256(canonical_json(messages)).digest()[:8])
