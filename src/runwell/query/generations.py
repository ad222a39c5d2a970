"""A run's model calls, and what they used by model."""

import msgspec

from runwell.model.events import Event, GenerationCompleted
from runwell.model.run_parts import Generation
from runwell.model.times import rfc3339
from runwell.model.usage import NO_USAGE, Usage, usd
from runwell.ports.journal import EventFilter, Journal
from runwell.query.events import EventBounds, all_events, gather

_GENERATIONS = "generation_completed"


class ModelTotal(msgspec.Struct, kw_only=True):
    """All calls of one model by the run. Latencies are in ms, of calls that succeeded and failed alike."""

    provider: str
    model: str
    generations: int = 0
    failed: int = 0
    usage: Usage = NO_USAGE
    cost_usd: str = "0"
    mean_latency_ms: float = 0.0
    max_latency_ms: float = 0.0


class GenerationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Model calls in order of their ends. `totals` are over all calls of the run (and step) so far, not only this page's."""

    data: list[Generation]
    totals: list[ModelTotal]
    next_cursor: str | None = None
    prev_cursor: str | None = None


async def list_generations(journal: Journal, run_id: str, step_id: str | None, limit: int, cursor: str | None) -> GenerationPage:
    """Return a page of model calls. Raises `InvalidInput` for a cursor of another list."""
    wanted = EventFilter(types=(_GENERATIONS,), step_id=step_id)
    page = await gather(journal, run_id, wanted, EventBounds(limit=limit), cursor)
    return GenerationPage(
        data=[_generation(event) for event in page.events],
        totals=await _totals(journal, run_id, wanted),
        next_cursor=page.next_cursor,
        prev_cursor=page.prev_cursor,
    )


def _generation(event: Event) -> Generation:
    data = event.of(GenerationCompleted)
    return Generation(
        seq=event.seq,
        at=rfc3339(event.ts),
        step_id=event.step_id,
        attempt=event.attempt,
        cost_usd=usd(data.usage.cost_nanos),
        **msgspec.structs.asdict(data),
    )


async def _totals(journal: Journal, run_id: str, wanted: EventFilter) -> list[ModelTotal]:
    totals: dict[tuple[str, str], ModelTotal] = {}
    async for event in all_events(journal, run_id, wanted):
        data = event.of(GenerationCompleted)
        total = totals.setdefault((data.provider, data.model), ModelTotal(provider=data.provider, model=data.model))
        total.generations += 1
        total.failed += not data.ok
        total.usage = total.usage + data.usage
        total.cost_usd = usd(total.usage.cost_nanos)
        total.mean_latency_ms += (data.latency_ms - total.mean_latency_ms) / total.generations
        total.max_latency_ms = max(total.max_latency_ms, data.latency_ms)
    return list(totals.values())
