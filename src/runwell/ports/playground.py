"""The playground: documents carried out as runs are, of which nothing is kept."""

from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple, Protocol

from runwell.ports.journal import Journal
from runwell.ports.publishing import Publishable
from runwell.ports.runs import Runs, StartRequest

TRIED: Final = frozenset({"llm", "chat", "agent", "transform", "python", "for_each", "while"})
"""The step types that can be tried: those that reach nothing but models."""


class Table(NamedTuple):
    """Where one run is carried out. What its journal says is gone when the run is."""

    runs: Runs
    journal: Journal


class Playground(Protocol):
    def table(self, document: Publishable, request: StartRequest) -> AbstractAsyncContextManager[Table]:
        """Wait for a place among the runs of the project, and give it to one run of the document, whose steps are all of `TRIED`.

        The request's version has the document's hash. An agent gives its first answer, and no tool is called. What the project does not
        want to be kept is taken out as of any run. Raises `QueueFull`.
        """
        ...
