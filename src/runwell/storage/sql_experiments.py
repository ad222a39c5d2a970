"""Experiments and their cells in SQL."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from runwell.model.errors import NotFound, Refused
from runwell.model.experiments import MOST_EXPERIMENTS, Cell, Experiment, ExperimentPlan, ExperimentStatus, OpenExperiment
from runwell.model.ids import new_id
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.evaluations import Span
from runwell.storage.sql import Sql
from runwell.storage.sql_evaluators import now_ms, refuse_more, span_of
from runwell.storage.sql_secrets import mine
from runwell.storage.sql_versions import keep_variant
from runwell.storage.tables import experiment, experiment_cell

OPEN = ("running", "stopping")
PENDING = "pending"

_plan = msgspec.json.Decoder(ExperimentPlan)
_cell = msgspec.json.Decoder(Cell)


class SqlExperiments:
    """`Experiments` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def page(self, scope: Scope, span: Span) -> list[Experiment]:
        def work(connection: Connection) -> list[Experiment]:
            return [_shown(connection, row) for row in span_of(connection, experiment, "experiment_id", scope, span)]

        return await self._sql.read(work)

    async def get(self, scope: Scope, experiment_id: str) -> Experiment:
        return await self._sql.read(lambda connection: _shown(connection, _row(connection, scope, experiment_id)))

    async def create(self, scope: Scope, actor: str, plan: ExperimentPlan, cells: Sequence[Cell], documents: Sequence[bytes]) -> Experiment:
        experiment_id = new_id("exp")
        values = {
            "experiment_id": experiment_id,
            "org_id": scope.org_id,
            "project_id": scope.project_id,
            "workflow_id": plan.workflow_id,
            "dataset_id": plan.dataset_id,
            "plan": msgspec.json.encode(plan).decode(),
            "status": "running",
            "cells": len(cells),
            "created_by": actor,
            "created_at": now_ms(),
        }
        rows = [
            {"experiment_id": experiment_id, "place": _place(cell, len(plan.variants)), "status": cell.status, "body": _body(cell)}
            for cell in cells
        ]

        def work(connection: Connection) -> Experiment:
            refuse_more(connection, experiment, scope, MOST_EXPERIMENTS)
            for tried, document in zip(plan.variants, documents, strict=True):
                if tried.variant.changes:
                    keep_variant(connection, plan.workflow_id, tried.hash, document)
            connection.execute(experiment.insert().values(values))
            connection.execute(experiment_cell.insert(), rows)
            return _shown(connection, _row(connection, scope, experiment_id))

        return await self._sql.write(work)

    async def delete(self, scope: Scope, experiment_id: str) -> None:
        def work(connection: Connection) -> None:
            row = _row(connection, scope, experiment_id)
            if row.status in OPEN:
                raise Refused(f"the experiment {experiment_id!r} is {row.status}", hint="stop it first")
            delete_experiments(connection, [experiment_id])

        await self._sql.write(work)

    async def cells(self, experiment_id: str, *, open_only: bool = False) -> list[Cell]:
        wanted = select(experiment_cell.c.body).where(experiment_cell.c.experiment_id == experiment_id).order_by(experiment_cell.c.place)
        if open_only:
            wanted = wanted.where(experiment_cell.c.status == PENDING)
        found = await self._sql.read(lambda connection: connection.execute(wanted).scalars().all())
        return [_cell.decode(body) for body in found]

    async def finish_cell(self, experiment_id: str, variants: int, cell: Cell) -> None:
        one = (experiment_cell.c.experiment_id == experiment_id, experiment_cell.c.place == _place(cell, variants))
        changed = update(experiment_cell).where(*one, experiment_cell.c.status == PENDING).values(status=cell.status, body=_body(cell))
        await self._sql.write(lambda connection: connection.execute(changed).rowcount)

    async def set_status(self, experiment_id: str, status: ExperimentStatus) -> None:
        ended = {} if status in OPEN else {"ended_at": now_ms()}
        one = (experiment.c.experiment_id == experiment_id, experiment.c.status.in_(OPEN))
        changed = update(experiment).where(*one).values(status=status, **ended)
        await self._sql.write(lambda connection: connection.execute(changed).rowcount)

    async def open(self) -> list[OpenExperiment]:
        def work(connection: Connection) -> list[OpenExperiment]:
            rows = connection.execute(select(experiment).where(experiment.c.status.in_(OPEN)).order_by(experiment.c.experiment_id)).all()
            return [OpenExperiment(scope=Scope(row.org_id, row.project_id), experiment=_shown(connection, row)) for row in rows]

        return await self._sql.read(work)


def delete_experiments(connection: Connection, ids: Sequence[str]) -> None:
    """Delete experiments with their cells."""
    connection.execute(delete(experiment_cell).where(experiment_cell.c.experiment_id.in_(ids)))
    connection.execute(delete(experiment).where(experiment.c.experiment_id.in_(ids)))


def delete_experiments_of(connection: Connection, workflow_id: str) -> None:
    """Delete the experiments of a workflow."""
    wanted = select(experiment.c.experiment_id).where(experiment.c.workflow_id == workflow_id)
    delete_experiments(connection, list(connection.execute(wanted).scalars()))


def _place(cell: Cell, variants: int) -> int:
    return cell.row * variants + cell.variant


def _body(cell: Cell) -> str:
    return msgspec.json.encode(cell).decode()


def _row(connection: Connection, scope: Scope, experiment_id: str) -> Any:
    wanted = select(experiment).where(mine(experiment, scope), experiment.c.experiment_id == experiment_id)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    return row


def _shown(connection: Connection, row: Any) -> Experiment:
    still = select(func.count()).select_from(experiment_cell)
    still = still.where(experiment_cell.c.experiment_id == row.experiment_id, experiment_cell.c.status == PENDING)
    plan = msgspec.structs.asdict(_plan.decode(row.plan))
    return Experiment(
        **plan,
        id=row.experiment_id,
        status=row.status,
        cells=row.cells,
        open_cells=connection.execute(still).scalar_one() if row.status in OPEN else 0,
        created_by=row.created_by,
        created_at=rfc3339(row.created_at),
        ended_at=None if row.ended_at is None else rfc3339(row.ended_at),
    )
