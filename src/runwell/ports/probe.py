"""Named points in the runtime and the journal at which a test may end the process."""

from collections.abc import Callable

Probe = Callable[[str], None]


def no_probe(point: str) -> None:
    """Do nothing: the probe of every process that is not under test."""
