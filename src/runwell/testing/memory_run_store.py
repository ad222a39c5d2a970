"""The run store in memory: for tests of what stands on it. It judges every run as a server judges those that are newer."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from runwell.model.errors import RunStoreUnavailable
from runwell.model.listed_run import ListedRun, listed
from runwell.model.run_record import RunRecord
from runwell.model.run_search import WorkflowNames
from runwell.ports.analytics import Analytics
from runwell.ports.run_store import FieldSeen, Place, RunCounts, RunsAsked
from runwell.search.matches import matches
from runwell.search.paths import segment
from runwell.search.values import number_text
from runwell.testing.memory_analytics import MemoryAnalytics

MOST_WORKFLOWS: Final = 100
MOST_VALUES: Final = 20


class MemoryRunStore:
    """`RunStore` that lasts as long as the object: closing and opening it again keeps everything.

    `fail` is a switch: while it is a text, every call is refused as by a server that is away. `kept` holds the records
    by run id, `kept_at` the position, `batches` how many records each `keep` brought.
    """

    def __init__(self) -> None:
        self.fail: str | None = None
        self.kept: dict[str, RunRecord] = {}
        self.kept_at = 0
        self.batches: list[int] = []
        self.analytics: Analytics = MemoryAnalytics(self._counted)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def trouble(self) -> str | None:
        return self.fail

    async def position(self) -> int:
        self._check()
        return self.kept_at

    async def keep(self, records: Sequence[RunRecord], position: int) -> None:
        self._check()
        for record in records:
            held = self.kept.get(record.run_id)
            if held is None or held.rev <= record.rev:
                self.kept[record.run_id] = record
        self.batches.append(len(records))
        self.kept_at = position

    async def page(self, asked: RunsAsked, limit: int, *, before: Place | None = None, after: Place | None = None) -> list[ListedRun]:
        found = [
            record
            for record in self._asked(asked)
            if (before is None or _key(record) < _place(before)) and (after is None or _key(record) > _place(after))
        ]
        shown = found[max(len(found) - limit, 0) :] if after is not None else found[:limit]
        return [listed(record) for record in shown]

    async def counts(self, asked: RunsAsked) -> RunCounts:
        found = self._asked(asked)
        workflows = dict(Counter(record.workflow_id for record in found).most_common(MOST_WORKFLOWS))
        called = {record.workflow_id: record for record in reversed(found) if record.workflow_id in workflows}
        names = {key: WorkflowNames(slug=newest.workflow_slug, name=newest.workflow_name) for key, newest in called.items()}
        statuses = dict(Counter(record.status.value for record in found))
        return RunCounts(count=len(found), statuses=statuses, workflows=workflows, names=names)

    async def records(self, asked: RunsAsked, before: Place | None = None) -> AsyncIterator[RunRecord]:
        for record in self._asked(asked):
            if before is None or _key(record) < _place(before):
                yield record

    async def fields(self, asked: RunsAsked, since: int) -> list[FieldSeen]:
        self._check()
        types: dict[str, set[str]] = {}
        values: dict[str, Counter[str]] = {}
        for record in self.kept.values():
            if record.scope == asked.scope and record.created_at >= since and not asked.removals.has(record):
                for name, value in _seen(record):
                    types.setdefault(name, set()).add(_type(value))
                    values.setdefault(name, Counter()).update([] if isinstance(value, list) or value == "" else [_text(value)])
        return [
            FieldSeen(
                name=name, types=tuple(sorted(types[name])), values=tuple(value for value, _ in values[name].most_common(MOST_VALUES))
            )
            for name in sorted(types)
        ]

    async def remove_workflow(self, workflow_id: str) -> None:
        self._check()
        self.kept = {run_id: record for run_id, record in self.kept.items() if record.workflow_id != workflow_id}

    async def remove_runs(self, run_ids: Collection[str]) -> None:
        self._check()
        for run_id in run_ids:
            self.kept.pop(run_id, None)

    async def clear(self) -> None:
        self._check()
        self.kept, self.kept_at = {}, 0

    def _counted(self) -> Iterable[RunRecord]:
        self._check()
        return self.kept.values()

    def _check(self) -> None:
        if self.fail is not None:
            raise RunStoreUnavailable(self.fail)

    def _asked(self, asked: RunsAsked) -> list[RunRecord]:
        """Return what is asked for, newest first."""
        self._check()
        runs = self.kept | {record.run_id: record for record in asked.newer}
        mine = (record for record in runs.values() if record.scope == asked.scope and not asked.removals.has(record))
        listed = (record for record in mine if asked.newest is None or _key(record) <= _place(asked.newest))
        found = [record for record in listed if matches(asked.query, record)]
        return sorted(found, key=_key, reverse=True)


def _key(record: RunRecord) -> tuple[int, str]:
    return record.created_at, record.run_id


def _place(place: Place) -> tuple[int, str]:
    return place.created_at, place.run_id


def _seen(record: RunRecord) -> Iterator[tuple[str, Any]]:
    """Yield what can be asked about the run and has few values, and the places within it."""
    own: dict[str, Iterable[Any]] = {
        "workflow": [record.workflow_slug],
        "version": [record.version],
        "model": [made.model for made in record.generations],
        "provider": [made.provider for made in record.generations],
        "trigger": [record.trigger],
        "environment": [record.environment],
        "tag": record.tags,
        "step_type": [step.type for step in record.steps],
        "failed_step": [record.failed_step],
        "failure_code": [record.failure_code],
    }
    yield from ((name, value) for name, values in own.items() for value in values if value)
    yield from ((f"step.{segment(step.id)}.status", step.status) for step in record.steps)
    yield from _fields({"input": record.input, "output": record.output, "metadata": record.metadata})


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each place with a value, and each list, by its name: `input.items[].name`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(inner, f"{name}.{segment(key)}" if name else key)
    elif isinstance(value, list):
        yield name, value
        for inner in value:
            yield from _fields(inner, f"{name}[]")
    elif value is not None:
        yield name, value


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, list):
        return "array_length"
    return "integer" if isinstance(value, int) else "number" if isinstance(value, float) else "string"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else number_text(value)
