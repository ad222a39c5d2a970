"""What a call costs, by the price table of genai-prices."""

import math
from decimal import Decimal

from genai_prices import calc_price
from genai_prices.types import AbstractUsage

from runwell.adapters.models.connections import Connection


def cost_nanos(connection: Connection, usage: AbstractUsage, *models: str | None) -> int:
    """Return the price in billionths of a US dollar, by the first of `models` that the table knows.

    0 when it knows none, and at a foreign address, whose owner sets other prices or none.
    """
    if connection.foreign:
        return 0
    for model in models:
        price = _price(connection, usage, model) if model else None
        if price is not None:
            return max(0, round(price * 1_000_000_000)) if math.isfinite(price) else 0
    return 0


def _price(connection: Connection, usage: AbstractUsage, model: str) -> Decimal | None:
    try:
        return calc_price(usage, model, provider_id=connection.vendor).total_price
    except (LookupError, ValueError):  # no such model; counts that contradict each other
        return None
