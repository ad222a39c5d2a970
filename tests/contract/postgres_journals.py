"""Journals in PostgreSQL as their own tests want them."""

from tests.contract.samples import logs, row

from runwell.model.statuses import RunStatus
from runwell.ports.journal import Journal
from runwell.ports.probe import Probe, no_probe
from runwell.storage.postgres_journal import PostgresJournal
from runwell.storage.postgres_url import DatabaseUrl

ENDED = RunStatus.SUCCEEDED


def journal_at(url: DatabaseUrl, probe: Probe = no_probe, patience_s: float = 5.0) -> PostgresJournal:
    return PostgresJournal(url, blobs=None, probe=probe, patience_s=patience_s)


async def put(journal: Journal, run_id: str, expected: int, status: RunStatus = RunStatus.RUNNING) -> int:
    """Append one event."""
    return await journal.append(expected, logs(run_id, expected + 1, 1), row(run_id, expected + 1, status))
