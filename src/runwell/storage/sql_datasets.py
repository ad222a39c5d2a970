"""Datasets in SQL. The rows of a version are one value: they are written once and read together."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select, update

from runwell.model.datasets import MOST_BYTES, MOST_DATASETS, MOST_ROWS, MOST_VERSIONS, Dataset, DatasetRow, DatasetVersion
from runwell.model.errors import InvalidInput, NotFound, Refused
from runwell.model.ids import new_id
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.evaluations import Span
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.sql_evaluators import named, now_ms, refuse_more, span_of
from runwell.storage.sql_experiments import OPEN
from runwell.storage.tables import dataset, dataset_version, experiment

_rows = msgspec.json.Decoder(list[DatasetRow])


class SqlDatasets:
    """`Datasets` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def page(self, scope: Scope, span: Span) -> list[Dataset]:
        return await self._sql.read(lambda connection: [_shown(row) for row in span_of(connection, dataset, "dataset_id", scope, span)])

    async def get(self, scope: Scope, key: str) -> Dataset:
        return await self._sql.read(lambda connection: _shown(_row(connection, scope, key)))

    async def create(self, scope: Scope, actor: str, name: str, description: str) -> Dataset:
        dataset_id, now = new_id("dset"), now_ms()
        owner = {"org_id": scope.org_id, "project_id": scope.project_id, "created_by": actor, "created_at": now, "updated_at": now}
        values = {"dataset_id": dataset_id, "name": name, "description": description, "version": 0, "rows": 0}

        def work(connection: Connection) -> Dataset:
            refuse_more(connection, dataset, scope, MOST_DATASETS)
            if not insert_ignoring(connection, dataset, **values, **owner):
                raise Refused(f"there is a dataset {name!r} already", hint="add a version to it, or choose another name")
            return _shown(_row(connection, scope, dataset_id))

        return await self._sql.write(work)

    async def delete(self, scope: Scope, key: str) -> None:
        def work(connection: Connection) -> None:
            found = _row(connection, scope, key, lock=True).dataset_id
            working = select(experiment.c.experiment_id).where(experiment.c.dataset_id == found, experiment.c.status.in_(OPEN)).limit(1)
            used_by = connection.execute(working).scalar_one_or_none()
            if used_by is not None:
                raise Refused(f"the experiment {used_by!r} works on the dataset", hint="wait for its end, or stop it")
            connection.execute(delete(dataset_version).where(dataset_version.c.dataset_id == found))
            connection.execute(delete(dataset).where(dataset.c.dataset_id == found))

        await self._sql.write(work)

    async def versions(self, scope: Scope, key: str) -> list[DatasetVersion]:
        def work(connection: Connection) -> list[DatasetVersion]:
            found = _row(connection, scope, key).dataset_id
            columns = [column for column in dataset_version.c if column.name != "body"]
            wanted = select(*columns).where(dataset_version.c.dataset_id == found).order_by(dataset_version.c.number.desc())
            return [_version(row) for row in connection.execute(wanted)]

        return await self._sql.read(work)

    async def add_version(
        self, scope: Scope, actor: str, key: str, rows: Sequence[DatasetRow], *, append: bool, note: str | None
    ) -> DatasetVersion:
        def work(connection: Connection) -> DatasetVersion:
            found = _row(connection, scope, key, lock=True)
            if found.version >= MOST_VERSIONS:
                raise Refused(f"the dataset {found.name!r} has {MOST_VERSIONS} versions already", hint="make another dataset")
            before = _held(connection, found, found.version) if append and found.version else []
            every = [*before, *rows]
            number, body, now = found.version + 1, _body(every), now_ms()
            values = {"number": number, "rows": len(every), "body": body, "note": note, "created_by": actor, "created_at": now}
            connection.execute(dataset_version.insert().values(dataset_id=found.dataset_id, **values))
            changed = {"version": number, "rows": len(every), "updated_at": now}
            connection.execute(update(dataset).where(dataset.c.dataset_id == found.dataset_id).values(changed))
            return DatasetVersion(
                dataset_id=found.dataset_id, number=number, rows=len(every), note=note, created_by=actor, created_at=rfc3339(now)
            )

        return await self._sql.write(work)

    async def rows(self, scope: Scope, key: str, number: int | None = None) -> tuple[int, list[DatasetRow]]:
        def work(connection: Connection) -> tuple[int, list[DatasetRow]]:
            found = _row(connection, scope, key)
            wanted = found.version if number is None else number
            return wanted, [] if wanted == 0 and number is None else _held(connection, found, wanted)

        return await self._sql.read(work)


def _body(rows: Sequence[DatasetRow]) -> bytes:
    """Return the rows as they are kept. Raises `InvalidInput` for too many."""
    if len(rows) > MOST_ROWS:
        raise InvalidInput(f"{len(rows)} rows, and a version of a dataset has at most {MOST_ROWS}", hint="make several datasets")
    body = msgspec.json.encode(rows)
    if len(body) > MOST_BYTES:
        raise InvalidInput(f"the rows are {len(body)} bytes of JSON, more than {MOST_BYTES}", hint="make several datasets")
    return body


def _held(connection: Connection, found: Any, number: int) -> list[DatasetRow]:
    wanted = select(dataset_version.c.body).where(dataset_version.c.dataset_id == found.dataset_id, dataset_version.c.number == number)
    body = connection.execute(wanted).scalar_one_or_none()
    if body is None:
        raise NotFound(f"the dataset {found.name!r} has no version {number}")
    return _rows.decode(body)


def _row(connection: Connection, scope: Scope, key: str, *, lock: bool = False) -> Any:
    wanted = select(dataset).where(named(dataset, "dataset_id", "dset", scope, key)).limit(1)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise NotFound(f"there is no dataset {key!r}")
    return row


def _shown(row: Any) -> Dataset:
    return Dataset(
        id=row.dataset_id,
        name=row.name,
        description=row.description,
        version=row.version,
        rows=row.rows,
        created_by=row.created_by,
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


def _version(row: Any) -> DatasetVersion:
    return DatasetVersion(
        dataset_id=row.dataset_id,
        number=row.number,
        rows=row.rows,
        note=row.note,
        created_by=row.created_by,
        created_at=rfc3339(row.created_at),
    )
