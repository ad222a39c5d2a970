"""What can be asked about runs, for whoever helps people to write a search."""

from typing import Final

from runwell.model.run import SET_APART
from runwell.model.run_search import RunField, RunFields
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus, StepStatus
from runwell.ports.run_store import FieldSeen
from runwell.query.run_search import RunIndex, telling
from runwell.search.fields import CATALOGUE, OPERATORS, Field

SEEN_DAYS: Final = 90

_DAY_MS: Final = 86_400_000
_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "status": tuple(RunStatus),
    "step.<id>.status": tuple(StepStatus),
    "review": ("positive", "negative"),
    "archived": ("true", "false"),
    "environment": ("production", *SET_APART),
    "kind": ("workflow", "agent"),
}


async def list_fields(index: RunIndex, scope: Scope, now: int) -> RunFields:
    """Return the catalogue, and what inputs, outputs and metadata of late have. Raises `RunStoreUnavailable`."""
    with telling():
        seen = await index.store.fields(scope, now - SEEN_DAYS * _DAY_MS)
    return RunFields(data=[_shown(field) for field in CATALOGUE], seen=[_shown_seen(field) for field in seen])


def _shown(field: Field) -> RunField:
    return RunField(
        name=field.name,
        types=(field.type,),
        operators=field.operators,
        description=field.description,
        example=field.example,
        aliases=field.aliases,
        values=_VALUES.get(field.name, ()),
    )


def _shown_seen(field: FieldSeen) -> RunField:
    return RunField(name=field.name, types=field.types, operators=OPERATORS["json"], values=field.values)
