"""From what a person wrote to a document that can run: read, checked, written again."""

from typing import Any, Protocol

import msgspec

from runwell.model.documents import Document
from runwell.model.errors import Problem
from runwell.model.scope import Scope
from runwell.model.workflow_views import Kind


class Publishable(msgspec.Struct, frozen=True, kw_only=True):
    """A document that was found fit to run. `body` is its canonical JSON, `hash` the hash of that, `slug` what its name suggests."""

    name: str
    slug: str
    hash: str
    body: bytes


class Publishing(Protocol):
    """Checks documents against what is installed here. Nothing of a document is carried out."""

    async def prepare(self, scope: Scope, document: Any, slug: str | None = None, kind: Kind = "workflow") -> Publishable:
        """Return what to publish. Raises `InvalidDocument` with every problem.

        The document of the kind `agent` is one agent. `slug` is that of the workflow whose version it is to be, which it may
        call; None: the one that its name suggests.
        """
        ...

    async def problems(self, scope: Scope, document: Any, slug: str | None = None, kind: Kind = "workflow") -> tuple[Problem, ...]:
        """Return every problem of the document; none when it can be published."""
        ...

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of documents with the step types that are installed here."""
        ...


class DocumentText(Protocol):
    """Documents as YAML. Both may take long for a large one, and block."""

    def read(self, text: str) -> Document:
        """Return the document with the problems of its parts. Raises `InvalidDocument` when it cannot be read at all."""
        ...

    def write(self, document: Any) -> str:
        """Return the document as text, the same for the same data."""
        ...
