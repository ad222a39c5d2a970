"""What people mark a run with once they have looked at it: archived, good, bad."""

from runwell.model.commands import ArchiveRun, ReviewRun, UnarchiveRun
from runwell.model.run_parts import RunMarks
from runwell.model.scope import Scope
from runwell.ports.runs import Runs


async def mark_run(runs: Runs, scope: Scope, run_id: str, mark: ArchiveRun | UnarchiveRun | ReviewRun) -> RunMarks:
    """Mark the run and return all its marks. Raises `CommandRefused` when a run that has not ended is to be archived."""
    await runs.command(scope, run_id, mark)
    run = await runs.view(scope, run_id)
    return RunMarks(run_id=run.id, archived_at=run.archived_at, review=run.review, score=run.score, review_comment=run.review_comment)
