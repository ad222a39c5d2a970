"""What the exit code of a command tells."""

from enum import IntEnum

from runwell.model.statuses import TERMINAL, RunStatus


class Exit(IntEnum):
    SUCCEEDED = 0
    ENDED_OTHERWISE = 1
    """A run ended and did not succeed; a check of `runwell doctor` failed."""
    REFUSED = 2
    """Nothing was done: a bad document, input, id or command, or another process owns the data directory."""
    NOT_ENDED = 3
    """The run waits for a person or a message, and nobody is there to ask; or this process was told to go, or its disk is full."""
    OUTPUT_LOST = 74
    """What the command printed could not be written (`EX_IOERR`)."""
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    """Whoever read the output went away, as `head` does: what a shell tells of a program that SIGPIPE ends."""


def exit_of(status: RunStatus) -> Exit:
    """Return the exit code for a run that is left in this status."""
    if status is RunStatus.SUCCEEDED:
        return Exit.SUCCEEDED
    return Exit.ENDED_OTHERWISE if status in TERMINAL else Exit.NOT_ENDED
