"""What can be asked about runs, for whoever helps people to write a search."""

from typing import Final

from runwell.model.run import SET_APART
from runwell.model.run_search import RunField, RunFields
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus, StepStatus
from runwell.ports.run_store import FieldSeen
from runwell.query.run_search import RunIndex, telling
from runwell.search.fields import CATALOGUE, Field, field_named
from runwell.search.structured import OPERATORS_OF

SEEN_DAYS: Final = 90

_DAY_MS: Final = 86_400_000
_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "status": tuple(RunStatus),
    "step.<id>.status": tuple(StepStatus),
    "archived": ("true", "false"),
    "environment": ("production", *SET_APART),
}


async def list_fields(index: RunIndex, scope: Scope, now: int) -> RunFields:
    """Return the catalogue, and which steps and places within inputs, outputs and metadata runs of late have.

    Raises `RunStoreUnavailable`.
    """
    asked = await index.asked_all(scope)
    with telling():
        seen = {field.name: field for field in await index.store.fields(asked, now - SEEN_DAYS * _DAY_MS)}
    data = [_shown(field, seen.pop(field.name, None)) for field in CATALOGUE]
    return RunFields(data=data, seen=[_shown_seen(field) for field in seen.values()])


def _shown(field: Field, seen: FieldSeen | None) -> RunField:
    known = field.choices or _VALUES.get(field.name, ())
    return RunField(
        name=field.name,
        types=(field.type,),
        operators=field.operators,
        description=field.description,
        example=field.example,
        aliases=field.aliases,
        values=tuple(dict.fromkeys((*known, *(seen.values if seen else ())))),
    )


def _shown_seen(seen: FieldSeen) -> RunField:
    field = field_named(seen.name)
    fitting = {operator for type_ in seen.types for operator in OPERATORS_OF[type_]} | {"empty", "not_empty"}
    return RunField(
        name=seen.name, types=seen.types, operators=tuple(each for each in field.operators if each in fitting), values=seen.values
    )
