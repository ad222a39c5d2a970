"""Traces that other programs send: taken in span by span, kept until they are whole, then recorded as runs."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from runwell.model.scope import Scope
from runwell.model.traces import Span, TraceReading
from runwell.ports.journal import Version


class Traces(Protocol):
    async def take(self, scope: Scope, actor: str, spans: Sequence[Span]) -> None:
        """Keep the spans, durably, until they become runs. A span that is kept already counts once."""
        ...


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What a request holds: its good spans, how many others, and what was wrong with some of these.

    `broken`: why the request could not be read to its end; the spans before that are there.
    """

    spans: tuple[Span, ...]
    rejected: int = 0
    faults: tuple[str, ...] = ()
    broken: str | None = None


class OtlpForm(Protocol):
    """A form in which traces are sent and answered."""

    def read(self, body: bytes) -> Batch:
        """Return what the request holds. It raises nothing, and may take long."""
        ...

    def success(self, rejected: int, message: str) -> bytes:
        """Return the answer to a request whose good spans are kept; `message` says what was wrong with others, if any."""
        ...

    def failure(self, message: str) -> bytes | None:
        """Return the answer to a request that could not be read; None where it is one as for any other problem."""
        ...


class PendingTrace(msgspec.Struct, frozen=True, kw_only=True):
    """The spans of one trace that are in no run yet. `first_at` and `last_at`: when the first and the last came (ms since 1970)."""

    scope: Scope
    trace_id: str
    count: int
    first_at: int
    last_at: int
    has_root: bool


class PendingSpans(Protocol):
    """What was sent and is in no run yet."""

    async def keep(self, scope: Scope, actor: str, spans: Sequence[Span], now: int) -> None:
        """Make the spans durable; one whose id is there already in the scope and trace is passed over."""
        ...

    async def traces(self) -> list[PendingTrace]:
        """Return the traces that have spans here."""
        ...

    async def spans(self, trace: PendingTrace, limit: int) -> tuple[str, list[Span]]:
        """Return who sent the first of the trace's spans, and spans in the order in which they came."""
        ...

    async def done(self, trace: PendingTrace, span_ids: Sequence[str]) -> None:
        """Forget spans, which are in a run now."""
        ...

    async def workflow(self, scope: Scope, slug: str, name: str, document_hash: str, document: bytes) -> Version:
        """Return the version with this document of the slug's workflow of kind `trace`, which is made when missing.

        Where a workflow of another kind has the slug, it is the one with `-traces` behind it.
        """
        ...


ReadTrace = Callable[[Sequence[Span], int, bool], TraceReading]
"""From spans of one trace and the present (ms since 1970) to what they say; True: their run has ended, and they come late."""
