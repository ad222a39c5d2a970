"""A run's model calls, and what they used by model and in total."""

from typing import Any

import msgspec

from runwell.model.errors import NotFound
from runwell.model.events import Event, GenerationCompleted
from runwell.model.run_parts import Generation, WholeGeneration
from runwell.model.times import rfc3339
from runwell.model.usage import NO_USAGE, Usage, usd
from runwell.ports.journal import EventFilter, Journal
from runwell.query.events import EventBounds, all_events, gather

_GENERATIONS = EventFilter(types=("generation_completed",))


class CallTotal(msgspec.Struct, kw_only=True):
    """Model calls taken together. Latencies are in ms, of calls that succeeded and failed alike.

    `with_own_keys` and `with_fallback_keys` count those that the organization's key paid, and the operator's that serves every
    organization; a call without a key is in neither. `errors` counts calls by `error_class`.
    """

    generations: int = 0
    failed: int = 0
    with_own_keys: int = 0
    with_fallback_keys: int = 0
    errors: dict[str, int] = {}
    usage: Usage = NO_USAGE
    cost_usd: str = "0"
    mean_latency_ms: float = 0.0
    max_latency_ms: float = 0.0

    def add(self, call: GenerationCompleted) -> None:
        self.generations += 1
        self.failed += not call.ok
        self.with_own_keys += call.key in ("own", None)
        self.with_fallback_keys += call.key == "fallback"
        if call.error_class is not None:
            self.errors[call.error_class] = self.errors.get(call.error_class, 0) + 1
        self.usage = self.usage + call.usage
        self.cost_usd = usd(self.usage.cost_nanos)
        self.mean_latency_ms += (call.latency_ms - self.mean_latency_ms) / self.generations
        self.max_latency_ms = max(self.max_latency_ms, call.latency_ms)


class ModelTotal(CallTotal, kw_only=True):
    """All calls of one model by the run."""

    provider: str
    model: str


class GenerationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Model calls in order of their ends. `totals` and `total` are over all calls of the run (and step) so far, not only this page's."""

    data: list[Generation]
    totals: list[ModelTotal]
    total: CallTotal
    next_cursor: str | None = None
    prev_cursor: str | None = None


async def list_generations(journal: Journal, run_id: str, step_id: str | None, limit: int, cursor: str | None) -> GenerationPage:
    """Return a page of model calls. Raises `InvalidInput` for a cursor of another list."""
    wanted = msgspec.structs.replace(_GENERATIONS, step_id=step_id)
    page = await gather(journal, run_id, wanted, EventBounds(limit=limit), cursor)
    totals, total = await _totals(journal, run_id, wanted)
    return GenerationPage(
        data=[_generation(event) for event in page.events],
        totals=totals,
        total=total,
        next_cursor=page.next_cursor,
        prev_cursor=page.prev_cursor,
    )


async def find_generation(journal: Journal, run_id: str, seq: int) -> WholeGeneration:
    """Return one model call with its raw bodies. Raises `NotFound`."""
    for event in await journal.events(run_id, _GENERATIONS, limit=1, after=seq - 1):
        if event.seq == seq:
            told = _told(event)
            return WholeGeneration(**{name: told[name] for name in WholeGeneration.__struct_fields__})
    raise NotFound(f"the run has no model call with seq {seq}", hint="GET /v1/runs/{id}/generations lists them")


def _generation(event: Event) -> Generation:
    told = _told(event)
    return Generation(**{name: told[name] for name in Generation.__struct_fields__})


def _told(event: Event) -> dict[str, Any]:
    data = event.of(GenerationCompleted)
    fields = msgspec.structs.asdict(data)
    del fields["thoughts"]  # for the provider alone
    return {
        "seq": event.seq,
        "at": rfc3339(event.ts),
        "step_id": event.step_id,
        "attempt": event.attempt,
        "cost_usd": usd(data.usage.cost_nanos),
        **fields,
    }


async def _totals(journal: Journal, run_id: str, wanted: EventFilter) -> tuple[list[ModelTotal], CallTotal]:
    by_model: dict[tuple[str, str], ModelTotal] = {}
    total = CallTotal()
    async for event in all_events(journal, run_id, msgspec.structs.replace(wanted, lean=True)):
        call = event.of(GenerationCompleted)
        total.add(call)
        by_model.setdefault((call.provider, call.model), ModelTotal(provider=call.provider, model=call.model)).add(call)
    return list(by_model.values()), total
