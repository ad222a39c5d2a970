"""What is read from the journal in PostgreSQL. Each takes a connection; records are JSON text, to be decoded by the caller."""

from typing import Any, Final

from runwell.model.errors import NotFound
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.ports.journal import EventFilter, RunFilter
from runwell.storage.postgres_claims import Claim
from runwell.storage.postgres_session import original, stored

RUN_IS: Final = "substr(run_id, 5, 24) = substr($1, 5, 24) AND run_id = $1"
"""The run whose whole id is the first parameter, found by its 24-hex id."""


async def is_made(connection: Any) -> bool:
    """Return whether there is a journal."""
    found: bool = await connection.fetchval("SELECT to_regclass(quote_ident(current_schema()) || '.journal_owner') IS NOT NULL")
    return found


async def live_claims(connection: Any) -> tuple[int, list[Claim]]:
    """Return the last rid, and where the runs that have not ended are."""
    tasks: dict[int, dict[str, str]] = {}
    for rid, task_id, step_id in await connection.fetch("SELECT rid, task_id, step_id FROM task WHERE open"):
        tasks.setdefault(rid, {})[original(task_id)] = original(step_id)
    last: int = await connection.fetchval("SELECT greatest(max(rid), (SELECT last_rid FROM journal_owner), 0) FROM run")
    rows = await connection.fetch("SELECT run_id, rid, seq FROM run WHERE live")
    return last, [Claim(original(run_id), rid, seq, tasks.get(rid, {}), checked=True) for run_id, rid, seq in rows]


async def records(connection: Any, run_id: str, after: int, limit: int | None) -> list[str]:
    """Return the run's event records with `seq > after`, in order."""
    sql = f"SELECT body FROM event WHERE rid = (SELECT rid FROM run WHERE {RUN_IS}) AND seq > $2 ORDER BY seq LIMIT $3"
    return _column(await connection.fetch(sql, stored(run_id), after, _limit(limit)))


async def some_records(connection: Any, run_id: str, wanted: EventFilter, limit: int, after: int, before: int | None) -> list[str]:
    """Return records of the wanted events in order: the first after `after`, or the last under `before`."""
    search = _Search(stored(run_id))
    search.add(f"rid = (SELECT rid FROM run WHERE {RUN_IS}) AND seq > {{}}", after)
    if before is not None:
        search.add("seq < {}", before)
    if wanted.types:
        search.add("type = ANY({}::text[])", [stored(name) for name in wanted.types])
    if wanted.step_id is not None:
        search.add("step_id = {}", stored(wanted.step_id))
    sql = f"SELECT body FROM event WHERE {search} ORDER BY seq {'ASC' if before is None else 'DESC'} LIMIT {max(limit, 0)}"
    found = _column(await connection.fetch(sql, *search.values))
    return found if before is None else found[::-1]


async def row(connection: Any, run_id: str) -> str | None:
    found: str | None = await connection.fetchval(f"SELECT body FROM run WHERE {RUN_IS}", stored(run_id))
    return found


async def cached(connection: Any, key: bytes) -> tuple[str, str] | None:
    """Return the records of the newest run under the key of the cache, and of its end."""
    sql = """
        SELECT run.body AS row, event.body AS end FROM run JOIN event USING (rid) WHERE cache_key = $1 AND event.type = 'run_succeeded'
        ORDER BY rid DESC, event.seq DESC LIMIT 1
    """
    found = await connection.fetchrow(sql, key)
    return None if found is None else (found[0], found[1])


async def cached_step(connection: Any, key: bytes) -> str | None:
    """Return the record of the event with the step's result that is kept under the key."""
    found: str | None = await connection.fetchval("SELECT body FROM step_result JOIN event USING (rid, seq) WHERE cache_key = $1", key)
    return found


async def live(connection: Any) -> list[str]:
    return _column(await connection.fetch("SELECT body FROM run WHERE live ORDER BY rid"))


async def last_position(connection: Any) -> int:
    """Return the position of the last append; 0 when there is none."""
    found: int = await connection.fetchval("SELECT greatest(max(position), (SELECT last_position FROM journal_owner), 0) FROM appended")
    return found


async def removals(connection: Any) -> list[str]:
    """Return what was deleted and may still be kept elsewhere."""
    return [original(one) for one in _column(await connection.fetch("SELECT id FROM removal"))]


async def tail(connection: Any, after: int, workflow_id: str | None, limit: int) -> list[tuple[int, str]]:
    """Return position and record of the events after a position; whole appends, at least `limit` events if there are.

    Runs that were deleted are passed over, for which entries may be left.
    """
    mine = f"JOIN run ON run.rid = appended.rid{'' if workflow_id is None else ' AND run.workflow_id = $3'}"
    sql = f"""
        SELECT position, body FROM (SELECT position, appended.rid, first_seq, last_seq FROM appended {mine}
                                    WHERE position > $1 ORDER BY position LIMIT $2) AS part
        JOIN event ON event.rid = part.rid AND event.seq BETWEEN first_seq AND last_seq ORDER BY position, event.seq
    """
    values = [] if workflow_id is None else [stored(workflow_id)]
    return [(position, body) for position, body in await connection.fetch(sql, after, max(limit, 0), *values)]


async def rows(connection: Any, wanted: RunFilter, limit: int, before: str | None, after: str | None) -> list[str]:
    """Return row records newest first. Raises `NotFound` when there is no run `before` or `after`."""
    search = _Search()
    search.add_filter(wanted)
    for sign, run_id in (("<", before), (">", after)):
        if run_id is not None:
            search.add(f"rid {sign} {{}}", await _rid(connection, run_id))
    order = "DESC" if after is None else "ASC"
    sql = f"SELECT body FROM run WHERE {search} ORDER BY rid {order} LIMIT {max(limit, 0)}"
    found = _column(await connection.fetch(sql, *search.values))
    return found if after is None else found[::-1]


async def status_counts(connection: Any, wanted: RunFilter) -> dict[RunStatus, int]:
    search = _Search()
    search.add_filter(wanted)
    found = await connection.fetch(f"SELECT status, count(*) FROM run WHERE {search} GROUP BY status", *search.values)
    return {RunStatus(status): count for status, count in found}


async def oldest(connection: Any, wanted: RunFilter, limit: int, after: str | None) -> list[str]:
    """Return row records in the order of creation. Raises `NotFound` when there is no run `after`."""
    search = _Search()
    search.add_filter(wanted)
    if after is not None:
        search.add("rid > {}", await _rid(connection, after))
    return _column(await connection.fetch(f"SELECT body FROM run WHERE {search} ORDER BY rid LIMIT {max(limit, 0)}", *search.values))


async def find(connection: Any, prefix: str) -> list[str]:
    short = stored(prefix[4:28])
    sql = "SELECT run_id FROM run WHERE substr(run_id, 5, 24) >= $1 AND substr(run_id, 5, 24) < $2 ORDER BY substr(run_id, 5, 24) LIMIT 3"
    found = [original(run_id) for run_id in _column(await connection.fetch(sql, short, short + "\U0010ffff"))]
    return [run_id for run_id in found if run_id.startswith(prefix)][:2]


async def task_records(
    connection: Any, wanted: RunFilter, run_id: str | None, task_id: str | None, limit: int | None, after: tuple[str, int] | None
) -> list[tuple[str, str]]:
    """Return record of `task_created` and workflow slug of each undecided task, oldest first. Raises `NotFound`: no task `after`."""
    search = _Search()
    search.add_filter(wanted)
    if run_id is not None:
        search.add("run.run_id = {}", stored(run_id))
    if task_id is not None:
        search.add("task.task_id = {}", stored(task_id))
    if after is not None:
        search.add("(task.created_at, task.rid, task.seq) > ({}, {}, {})", *await _task_key(connection, *after))
    sql = f"""
        SELECT event.body, run.workflow_slug FROM task JOIN event USING (rid, seq) JOIN run USING (rid)
        WHERE task.open AND {search} ORDER BY task.created_at, task.rid, task.seq LIMIT {search.number(_limit(limit))}
    """
    return [(body, original(slug)) for body, slug in await connection.fetch(sql, *search.values)]


async def run_of_task(connection: Any, task_id: str) -> str | None:
    """Return the id of the run that asked the task."""
    found = await connection.fetchval("SELECT run_id FROM task JOIN run USING (rid) WHERE task_id = $1", stored(task_id))
    return None if found is None else original(found)


async def document(connection: Any, document_hash: str) -> bytes | None:
    found: bytes | None = await connection.fetchval("SELECT body FROM document WHERE hash = $1", stored(document_hash))
    return found


class _Search:
    """Conditions and the values of their parameters. As text it is the condition of a WHERE."""

    def __init__(self, *values: Any) -> None:
        self._conditions: list[str] = ["true"]
        self.values = list(values)

    def __str__(self) -> str:
        return " AND ".join(self._conditions)

    def number(self, value: Any) -> str:
        """Return the parameter that stands for the value."""
        self.values.append(value)
        return f"${len(self.values)}"

    def add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition.format(*map(self.number, values)))

    def add_filter(self, wanted: RunFilter) -> None:
        if wanted.scope is not None:
            self.add("project_id = {} AND org_id = {}", stored(wanted.scope.project_id), stored(wanted.scope.org_id))
        if wanted.workflow_id is not None:
            self.add("workflow_id = {}", stored(wanted.workflow_id))
        if wanted.slug is not None:
            self.add("workflow_slug = {}", stored(wanted.slug))
        if wanted.statuses:
            lives = {status not in TERMINAL for status in wanted.statuses}
            if len(lives) == 1:
                self.add("live" if lives == {True} else "NOT live")
            self.add("status = ANY({}::text[])", [status.value for status in wanted.statuses])
        if not wanted.testing:
            self.add("environment NOT IN ('testing', 'evaluation')")
        if wanted.environment is not None:
            self.add("environment = {}", stored(wanted.environment))
            if wanted.environment != "production":
                self.add("environment <> 'production'")  # says no more, but lets the index be used


async def _rid(connection: Any, run_id: str) -> int:
    found: int | None = await connection.fetchval(f"SELECT rid FROM run WHERE {RUN_IS}", stored(run_id))
    if found is None:
        raise NotFound(f"there is no run {run_id!r} to go on after", hint="list the runs again from the start")
    return found


async def _task_key(connection: Any, run_id: str, seq: int) -> tuple[int, int, int]:
    sql = f"SELECT created_at, rid, seq FROM task WHERE rid = (SELECT rid FROM run WHERE {RUN_IS}) AND seq = $2"
    found = await connection.fetchrow(sql, stored(run_id), seq)
    if found is None:
        raise NotFound(f"{run_id} asked no task at event {seq} to go on after", hint="list the tasks again from the start")
    created_at, rid, seq = found
    return created_at, rid, seq


def _column(found: Any) -> list[str]:
    return [value for (value,) in found]


def _limit(limit: int | None) -> int | None:
    return None if limit is None else max(limit, 0)
