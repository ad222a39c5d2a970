"""What people and other products call a run's status, and which statuses that means."""

from typing import Final

from runwell.model.errors import InvalidInput
from runwell.model.statuses import RUN_LABELS, RunStatus

_OTHER_WORDS: Final[dict[str, tuple[RunStatus, ...]]] = {
    "pending": (RunStatus.QUEUED,),
    "starting": (RunStatus.QUEUED,),
    "not_started": (RunStatus.QUEUED,),
    "waiting_for_user_input": (RunStatus.WAITING,),
    "Paused": (RunStatus.WAITING, RunStatus.PAUSED),
    "completed": (RunStatus.SUCCEEDED,),
    "cancelled": (RunStatus.STOPPED,),
    "insufficient_credits": (RunStatus.QUOTA_EXCEEDED,),
}

STATUS_WORDS: Final[dict[str, tuple[RunStatus, ...]]] = {
    **{label: (status,) for status, label in RUN_LABELS.items()},
    **{status.value: (status,) for status in RunStatus},
    **_OTHER_WORDS,
}
"""From word to statuses. `Paused` is a label that covers waiting runs too; `paused` is the status alone."""

_ANY_CASE: Final = {word.lower(): statuses for word, statuses in {**STATUS_WORDS, "paused": (RunStatus.PAUSED,)}.items()}


def statuses_of(word: str) -> tuple[RunStatus, ...]:
    """Return the statuses that a word means: a status, its label, or another product's word. Raises `InvalidInput`."""
    found = STATUS_WORDS.get(word) or _ANY_CASE.get(word.lower())
    if found is None:
        raise InvalidInput(f"{word!r} is no status of a run", hint=f"statuses are {', '.join(RunStatus)}")
    return found
