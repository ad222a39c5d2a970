"""What a call costs, by the price table of genai-prices."""

import math
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import NamedTuple

from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import AbstractUsage, ConditionalPrice, ModelInfo

from runwell.adapters.models.connections import VENDOR_VARIABLES, Connection, Vendor


class Price(NamedTuple):
    """Billionths of a US dollar, by the table `snapshot`; None where no table knows the price."""

    nanos: int
    snapshot: str | None


UNKNOWN = Price(0, None)


def price_of(connection: Connection, usage: AbstractUsage, *models: str | None) -> Price:
    """Return the price by the first of `models` that the table knows.

    Unknown when it knows none, and at a foreign address, whose owner sets other prices or none.
    """
    if connection.foreign:
        return UNKNOWN
    for model in models:
        price = _price(connection, usage, model) if model else None
        if price is not None and math.isfinite(price):
            return Price(max(0, round(price * 1_000_000_000)), snapshot_id())
    return UNKNOWN


@cache
def models_of(vendor: Vendor) -> tuple[str, ...]:
    """Return the models of a vendor that are paid for what they write by the token."""
    table = VENDOR_VARIABLES[vendor].prices
    provider = next((one for one in get_snapshot().providers if one.id == table), None)
    return () if provider is None else tuple(model.id for model in provider.models if _says_text(model))


def _says_text(model: ModelInfo) -> bool:
    """Half a name, of models that customers tune, is no model."""
    prices = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
    return not model.deprecated and not model.id.endswith("-") and any(price.prices.output_mtok is not None for price in prices)


def snapshot_id() -> str:
    """Return what names the table: that of the installed release, or the moment at which a newer one was fetched."""
    snapshot = get_snapshot()
    if not snapshot.from_auto_update:
        return _released()
    return f"{_released()}+{snapshot.timestamp.isoformat(timespec='seconds')}"


@cache
def _released() -> str:
    return f"genai-prices-{version('genai-prices')}"


def _price(connection: Connection, usage: AbstractUsage, model: str) -> Decimal | None:
    table = VENDOR_VARIABLES[connection.vendor].prices
    if table is None:
        return None
    try:
        return calc_price(usage, model, provider_id=table).total_price
    except (LookupError, ValueError):  # no such model; counts that contradict each other
        return None
