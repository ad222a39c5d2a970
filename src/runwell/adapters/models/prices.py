"""What a call costs, by the price table of genai-prices."""

import math
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import Final, NamedTuple

from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import AbstractUsage, ConditionalPrice, ModelInfo

from runwell.adapters.models.connections import VENDOR_VARIABLES, Connection, Vendor


class Price(NamedTuple):
    """Billionths of a US dollar, by the table `snapshot`; None where no table knows the price."""

    nanos: int
    snapshot: str | None


UNKNOWN = Price(0, None)

_ELSEWHERE: Final = {
    **{
        "gcp.gemini": "google",
        "gcp.vertex_ai": "google",
        "gcp.gen_ai": "google",
        "vertex_ai": "google",
        "vertexai": "google",
        "gemini": "google",
    },
    **{
        "google-gla": "google",
        "google-vertex": "google",
        "azure.ai.openai": "azure",
        "azure.ai.inference": "azure",
        "az.ai.openai": "azure",
    },
    **{"az.ai.inference": "azure", "aws.bedrock": "aws", "bedrock": "aws", "mistral_ai": "mistral", "mistralai": "mistral", "x_ai": "x-ai"},
    **{"xai": "x-ai", "moonshot_ai": "moonshotai"},
}
"""Providers by the names of OpenTelemetry and of several instrumentations, as the price table calls them."""


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


def price_elsewhere(provider: str, usage: AbstractUsage, at: datetime, *models: str | None) -> Price:
    """Return the price of a call that another program made, at the prices of that moment; unknown where no table has it.

    `provider` is as OpenTelemetry's conventions name it. A name that no table has is left to the model's name.
    """
    table = _ELSEWHERE.get(provider, provider)
    for model in filter(None, models):
        for provider_id in dict.fromkeys((table, None)):
            try:
                price = calc_price(usage, model, provider_id=provider_id, genai_request_timestamp=at).total_price
            except (LookupError, ValueError):
                continue
            if math.isfinite(price):
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
