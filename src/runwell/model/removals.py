"""What was deleted for good, and may still be kept elsewhere than in the journal."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from runwell.model.run_record import RunRecord

Stage = Literal["deleting", "cut_off", "deleted"]
"""How far the deletion of a workflow's runs from the journal itself is. One that was cut off has to be done again."""


class Removals(msgspec.Struct, frozen=True, kw_only=True):
    """Workflows whose runs were deleted, and further runs. `everything`: so many runs that they are not named."""

    workflows: Mapping[str, Stage] = MappingProxyType({})
    runs: frozenset[str] = frozenset()
    everything: bool = False

    def __len__(self) -> int:
        return len(self.workflows) + len(self.runs) + self.everything

    def has(self, record: RunRecord) -> bool:
        """Whether the run was deleted."""
        return record.workflow_id in self.workflows or record.run_id in self.runs

    def of(self, stage: Stage) -> list[str]:
        """Return the workflows at this stage."""
        return [workflow_id for workflow_id, at in self.workflows.items() if at == stage]


NO_REMOVALS = Removals()
