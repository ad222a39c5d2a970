"""What the client and the local mode need of a workflow that is written in Python."""

from typing import Any, Protocol, runtime_checkable

from runwell.model.workflow_views import Kind
from runwell.sdk.tool import Tool


@runtime_checkable
class Authored(Protocol):
    """A workflow or agent that is written in Python. Raises `InvalidDocument` when it makes no valid document."""

    @property
    def slug(self) -> str:
        """What it is published as."""
        ...

    @property
    def kind(self) -> Kind: ...

    def document(self) -> dict[str, Any]:
        """Return its document, which is its caller's to change."""
        ...

    def tools(self) -> tuple[Tool[..., Any], ...]:
        """Return the functions that its steps call."""
        ...

    def needs(self) -> tuple["Authored", ...]:
        """Return the workflows and agents that it runs, which have to be published before it."""
        ...
