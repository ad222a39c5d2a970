"""Evaluators, what they are attached to, and evaluations under way, in SQL."""

import time
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, or_, select, update

from runwell.model.errors import NotFound, Refused
from runwell.model.evaluation import MOST_EVALUATORS, Attachment, EvaluationAsked, Evaluator, Occasion
from runwell.model.ids import Prefix, id_in
from runwell.model.scope import Scope
from runwell.model.times import rfc3339
from runwell.ports.evaluations import NewEvaluator, Span, Watched
from runwell.storage.sql import Sql, insert_ignoring
from runwell.storage.sql_secrets import mine
from runwell.storage.tables import evaluator, pending_evaluation
from runwell.storage.tables import evaluator_attachment as attachment

MOST_ATTACHED: Final = 10
"""So many evaluators judge the runs of one workflow at most."""

_decoder = msgspec.json.Decoder(EvaluationAsked)


def now_ms() -> int:
    return int(time.time() * 1000)


def span_of(connection: Connection, table: Table, key: str, scope: Scope, span: Span) -> list[Any]:
    """Return the rows of a stretch, newest first."""
    column, found = table.c[key], select(table).where(mine(table, scope)).limit(span.limit)
    if span.after is not None:
        return list(connection.execute(found.where(column > span.after).order_by(column)))[::-1]
    if span.before is not None:
        found = found.where(column < span.before)
    return list(connection.execute(found.order_by(column.desc())))


def named(table: Table, column: str, prefix: Prefix, scope: Scope, key: str) -> ColumnElement[bool]:
    """The condition for what has this id or this name."""
    own = id_in(prefix, key)
    return and_(mine(table, scope), table.c.name == key if own is None else or_(table.c[column] == own, table.c.name == key))


def refuse_more(connection: Connection, table: Table, scope: Scope, most: int) -> None:
    if connection.execute(select(func.count()).select_from(table).where(mine(table, scope))).scalar_one() >= most:
        raise Refused(f"this project has {most} {table.name}s already", hint="delete one that is not needed any more")


class SqlEvaluators:
    """`Evaluators` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def page(self, scope: Scope, span: Span) -> list[Evaluator]:
        return await self._sql.read(lambda connection: [_shown(row) for row in span_of(connection, evaluator, "evaluator_id", scope, span)])

    async def get(self, scope: Scope, key: str) -> Evaluator:
        return await self._sql.read(lambda connection: _shown(_row(connection, scope, key)))

    async def create(self, scope: Scope, actor: str, new: NewEvaluator) -> Evaluator:
        rest = {name: value for name, value in msgspec.structs.asdict(new).items() if name != "id"}
        values = {"evaluator_id": new.id, **rest}
        owner = {"org_id": scope.org_id, "project_id": scope.project_id, "created_by": actor, "created_at": now_ms()}

        def work(connection: Connection) -> Evaluator:
            refuse_more(connection, evaluator, scope, MOST_EVALUATORS)
            if not insert_ignoring(connection, evaluator, **values, **owner):
                raise Refused(f"there is an evaluator {new.name!r} already", hint="choose another name; an evaluator does not change")
            return _shown(_row(connection, scope, new.id))

        return await self._sql.write(work)

    async def delete(self, scope: Scope, key: str) -> None:
        def work(connection: Connection) -> None:
            found = _row(connection, scope, key).evaluator_id
            connection.execute(delete(attachment).where(attachment.c.evaluator_id == found))
            connection.execute(delete(evaluator).where(evaluator.c.evaluator_id == found))

        await self._sql.write(work)

    async def attach(self, scope: Scope, workflow_id: str, key: str, sample_rate: float, position: int, on: Occasion = "run") -> Attachment:
        def work(connection: Connection) -> Attachment:
            found = _row(connection, scope, key)
            one = (attachment.c.workflow_id == workflow_id, attachment.c.evaluator_id == found.evaluator_id)
            terms = {"sample_rate": sample_rate, "judges": on}
            changed = connection.execute(update(attachment).where(*one).values(**terms)).rowcount
            if not changed:
                _refuse_more_attached(connection, workflow_id)
                owner = {"org_id": scope.org_id, "project_id": scope.project_id, "created_at": now_ms()}
                ids = {"workflow_id": workflow_id, "evaluator_id": found.evaluator_id}
                insert_ignoring(connection, attachment, **ids, **terms, position=position, **owner)
            return _attached(connection.execute(select(attachment).where(*one)).one(), found.name)

        return await self._sql.write(work)

    async def detach(self, scope: Scope, workflow_id: str, key: str) -> None:
        def work(connection: Connection) -> None:
            found = _row(connection, scope, key).evaluator_id
            gone = delete(attachment).where(attachment.c.workflow_id == workflow_id, attachment.c.evaluator_id == found)
            connection.execute(gone)

        await self._sql.write(work)

    async def attachments(self, scope: Scope, workflow_id: str) -> list[Attachment]:
        wanted = select(attachment, evaluator.c.name).join_from(attachment, evaluator).where(mine(attachment, scope))
        ordered = wanted.where(attachment.c.workflow_id == workflow_id).order_by(evaluator.c.name)
        return await self._sql.read(lambda connection: [_attached(row, row.name) for row in connection.execute(ordered)])

    async def watched(self) -> list[Watched]:
        def work(connection: Connection) -> list[Watched]:
            return [
                Watched(
                    scope=Scope(row.org_id, row.project_id),
                    workflow_id=row.workflow_id,
                    evaluator_id=row.evaluator_id,
                    on=row.judges,
                    sample_rate=row.sample_rate,
                    position=row.position,
                )
                for row in connection.execute(select(attachment))
            ]

        return await self._sql.read(work)

    async def looked_at(self, one: Watched, position: int) -> None:
        where = (attachment.c.workflow_id == one.workflow_id, attachment.c.evaluator_id == one.evaluator_id)
        changed = update(attachment).where(*where, attachment.c.position < position).values(position=position)
        await self._sql.write(lambda connection: connection.execute(changed).rowcount)


class SqlPendingEvaluations:
    """`PendingEvaluations` on SQLite and PostgreSQL."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def add(self, asked: EvaluationAsked) -> None:
        values = {"evaluation_run_id": asked.evaluation_run_id, "asked": msgspec.json.encode(asked).decode(), "created_at": now_ms()}
        await self._sql.write(lambda connection: insert_ignoring(connection, pending_evaluation, **values))

    async def all(self) -> list[EvaluationAsked]:
        wanted = select(pending_evaluation.c.asked).order_by(pending_evaluation.c.created_at)
        found = await self._sql.read(lambda connection: connection.execute(wanted).scalars().all())
        return [_decoder.decode(text) for text in found]

    async def remove(self, evaluation_run_id: str) -> None:
        gone = delete(pending_evaluation).where(pending_evaluation.c.evaluation_run_id == evaluation_run_id)
        await self._sql.write(lambda connection: connection.execute(gone).rowcount)


def _refuse_more_attached(connection: Connection, workflow_id: str) -> None:
    held = select(func.count()).select_from(attachment).where(attachment.c.workflow_id == workflow_id)
    if connection.execute(held).scalar_one() >= MOST_ATTACHED:
        raise Refused(f"{MOST_ATTACHED} evaluators judge this workflow's runs already", hint="take one off first")


def _row(connection: Connection, scope: Scope, key: str) -> Any:
    wanted = select(evaluator).where(named(evaluator, "evaluator_id", "evl", scope, key)).limit(1)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFound(f"there is no evaluator {key!r}")
    return row


def _attached(row: Any, name: str) -> Attachment:
    return Attachment(
        workflow_id=row.workflow_id,
        evaluator_id=row.evaluator_id,
        evaluator=name,
        on=row.judges,
        sample_rate=row.sample_rate,
        created_at=rfc3339(row.created_at),
    )


def _shown(row: Any) -> Evaluator:
    return Evaluator(
        id=row.evaluator_id,
        name=row.name,
        kind=row.kind,
        workflow_id=row.workflow_id,
        version=row.version,
        pass_score=row.pass_score,
        created_by=row.created_by,
        created_at=rfc3339(row.created_at),
    )
