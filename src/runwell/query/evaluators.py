"""Evaluators made: of a workflow that is there, of a rubric for a model, or of a piece of code."""

from typing import Any

import msgspec

from runwell.model.errors import InvalidDocument
from runwell.model.evaluation import Evaluator, EvaluatorKind, code_document, judge_document
from runwell.model.ids import new_id
from runwell.model.scope import Scope
from runwell.ports.evaluations import Evaluators, NewEvaluator
from runwell.ports.publishing import Publishing
from runwell.ports.workflows import NewWorkflow, Workflows


class JudgeAsked(msgspec.Struct, frozen=True, kw_only=True):
    models: tuple[str, ...]
    rubric: str
    params: dict[str, Any] = {}
    connection: str | None = None


class EvaluatorAsked(msgspec.Struct, frozen=True, kw_only=True):
    """One of `workflow` (id or slug), `judge` and `code` is set. `version` goes with `workflow`."""

    name: str
    workflow: str | None = None
    version: int | None = None
    judge: JudgeAsked | None = None
    code: str | None = None
    pass_score: float | None = None


class EvaluatorMaker(msgspec.Struct, frozen=True):
    """What evaluators are made with."""

    evaluators: Evaluators
    workflows: Workflows
    publishing: Publishing

    async def make(self, scope: Scope, actor: str, asked: EvaluatorAsked) -> Evaluator:
        """Keep the evaluator and, of a judge or code, the workflow that it is. Raises `InvalidDocument`, `NotFound` and `Refused`."""
        evaluator_id, title = new_id("evl"), f"Evaluator {asked.name}"
        if asked.workflow is not None:
            found = await self.workflows.startable(scope, asked.workflow, asked.version)
            return await self._keep(scope, actor, asked, evaluator_id, "workflow", found.workflow_id, asked.version)
        if asked.judge is not None:
            judge = asked.judge
            document = judge_document(title, judge.rubric, judge.models, judge.params, judge.connection)
        else:
            document = code_document(title, asked.code or "")
        try:
            publishable = await self.publishing.prepare(scope, document)
        except InvalidDocument as exc:
            raise InvalidDocument(f"the evaluator is not valid: {exc.message}", hint=exc.hint, problems=exc.problems) from exc
        slug = f"evaluator-{evaluator_id[-12:]}"
        made = await self._keep_new(scope, actor, slug, title)
        await self.workflows.publish(scope, made, publishable, activate=True, actor=actor)
        try:
            return await self._keep(scope, actor, asked, evaluator_id, "code" if asked.judge is None else "judge", made, 1)
        except BaseException:
            await self.workflows.delete(scope, made)
            raise

    async def _keep_new(self, scope: Scope, actor: str, slug: str, title: str) -> str:
        return (await self.workflows.create(scope, NewWorkflow(slug=slug, name=title, actor=actor))).id

    async def _keep(
        self, scope: Scope, actor: str, asked: EvaluatorAsked, evaluator_id: str, kind: EvaluatorKind, workflow_id: str, version: int | None
    ) -> Evaluator:
        new = NewEvaluator(
            id=evaluator_id, name=asked.name, kind=kind, workflow_id=workflow_id, version=version, pass_score=asked.pass_score
        )
        return await self.evaluators.create(scope, actor, new)
