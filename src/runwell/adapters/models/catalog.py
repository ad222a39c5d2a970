"""Which models a project can name, as far as that is known without asking anybody.

A provider's models are those of the price table that answer with text. What a server at another address offers, only it knows: such
models can be named all the same.
"""

import asyncio
import importlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from runwell.adapters.models.connections import VENDOR_VARIABLES, Connection
from runwell.adapters.models.reach import ModelReach
from runwell.adapters.models.sources import ModelSources
from runwell.model.errors import StepError
from runwell.model.ids import DEFAULT_ORG
from runwell.model.scope import Scope
from runwell.ports.models import NamedModel, Refusal
from runwell.ports.vault import ConnectionStore

_DEMO: Final = (NamedModel("demo:large", "runwell"), NamedModel("demo:small", "runwell"))


class ModelCatalog:
    """`ModelNames` of an installation."""

    def __init__(self, sources: ModelSources, store: ConnectionStore) -> None:
        self._sources, self._store = sources, store

    async def listed(self, scope: Scope) -> list[NamedModel]:
        stored = await self._store.types(scope)
        connections = [found for name in stored if (found := await self._stored(scope, name)) is not None]
        connections += self._environment(scope, set(stored))
        prices: Any = await asyncio.to_thread(importlib.import_module, "runwell.adapters.models.prices")  # takes long the first time
        own = ((one.name or one.provider, one.vendor) for one in connections if not one.foreign)
        named = {f"{name}:{model}": vendor for name, vendor in own for model in prices.models_of(vendor)}
        return [*_DEMO, *(NamedModel(name, vendor) for name, vendor in named.items())]

    async def refusal(self, scope: Scope, name: str) -> Refusal | None:
        reach = ModelReach(self._sources.environment(scope), await self._store.types(scope), tenant=scope.org_id != DEFAULT_ORG)
        return reach.model(name, None)

    async def _stored(self, scope: Scope, name: str) -> Connection | None:
        with suppress(StepError):  # one that cannot be opened, or is not for models
            return await self._sources.stored(scope, name)
        return None

    def _environment(self, scope: Scope, taken: set[str]) -> Iterator[Connection]:
        """Yield the connections that work; a stored one goes before those of its name."""
        environment = self._sources.environment(scope)
        for name in environment.names:
            if name not in taken:
                with suppress(StepError):
                    yield environment.named(name)
        for vendor in VENDOR_VARIABLES:
            if vendor not in taken and not environment.knows(vendor):
                with suppress(StepError):
                    yield environment.usual(vendor)
