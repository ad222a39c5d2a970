"""Looking at what is kept, without what it takes to carry runs on: quick to import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from runwell.ports.journal import JournalReader
from runwell.runtime.plans import Plans
from runwell.runtime.publisher import Publisher
from runwell.settings import Settings
from runwell.steps.registry import step_types
from runwell.storage.homes import view
from runwell.storage.memory_journal import MemoryDefinitions


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What a data directory holds, for reading."""

    journal: JournalReader
    plans: Plans


@asynccontextmanager
async def open_view(settings: Settings) -> AsyncIterator[View]:
    """Look into the data directory or database, whoever owns it; one that does not exist is empty, and is not made."""
    async with view(settings.data_dir, settings.database_url) as (journal, documents):
        yield View(journal=journal, plans=Plans(documents, Publisher(MemoryDefinitions(), step_types()).compile))
