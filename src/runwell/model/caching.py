"""Results that are had again: when that is allowed, and what is said of it.

A result is kept under a key, which is made of all that it follows from. The theory is in docs/decisions/0032.
"""

from typing import Final, Literal

import msgspec

from runwell.model.usage import usd

CacheUse = Literal["auto", "always", "never"]
"""Whether a result may be one that was had before. `auto`: where that cannot be told from having it anew."""

MOST_KEYED: Final = 4_000_000
"""An input with more bytes of JSON is not cached: its key would take longer than the rest of a small run."""


class CacheHit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a result was had before, and what that saved: billionths of a US dollar, and ms."""

    source_run_id: str
    source_step_id: str | None = None
    saved_nanos: int = 0
    saved_ms: int = 0


class KeptResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Under which key a step's result may be had again, and what it took to have it."""

    key: str
    cost_nanos: int = 0
    duration_ms: int = 0


class StepCache(msgspec.Struct, frozen=True, kw_only=True):
    """Where a step's result was had before, and what that saved."""

    source_run_id: str
    source_step_id: str | None
    saved_cost_usd: str
    saved_ms: int


class RunCache(msgspec.Struct, frozen=True, kw_only=True):
    """What a run had from the cache: its output, which was `source_run_id`'s, or the results of some steps. `hits` counts both."""

    source_run_id: str | None
    hits: int
    saved_cost_usd: str
    saved_ms: int


def allows(use: CacheUse, least: CacheUse) -> bool:
    """Whether `use` lets a result be had again that `least` describes: `auto` is so of itself, `always` when asked, `never` not at all."""
    return least == "auto" if use == "auto" else use == "always" and least != "never"


def is_zero(temperature: object) -> bool:
    """Whether a model at this temperature is asked for the same answer each time. Text that is still to be filled in is not."""
    return isinstance(temperature, int | float) and not isinstance(temperature, bool) and temperature == 0


def step_cache(hit: CacheHit | None) -> StepCache | None:
    if hit is None:
        return None
    return StepCache(
        source_run_id=hit.source_run_id,
        source_step_id=hit.source_step_id,
        saved_cost_usd=usd(hit.saved_nanos),
        saved_ms=hit.saved_ms,
    )


def run_cache(source_run_id: str | None, hits: int, saved_nanos: int, saved_ms: int) -> RunCache | None:
    """Return None for a run that had nothing from the cache."""
    if not hits:
        return None
    return RunCache(source_run_id=source_run_id, hits=hits, saved_cost_usd=usd(saved_nanos), saved_ms=saved_ms)
