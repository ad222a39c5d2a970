"""Experiments as they are asked for: checked, planned, and with all that they need in place before anything runs."""

from collections.abc import Sequence

import msgspec

from runwell.model.errors import InvalidDocument, InvalidInput, Problem, Refused
from runwell.model.experiments import Cell, Experiment, ExperimentPlan, NamedEvaluator, OpenExperiment, TriedVariant
from runwell.model.ids import new_id
from runwell.model.scope import Scope
from runwell.model.variant import Variant, varied
from runwell.ports.evaluations import Evaluation
from runwell.ports.publishing import Publishing
from runwell.ports.workflows import Workflows


class ExperimentAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`workflow`, `dataset` and `evaluators` are ids or names. `baseline` None: the first variant."""

    name: str
    workflow: str
    dataset: str
    dataset_version: int | None = None
    variants: tuple[Variant, ...]
    evaluators: tuple[str, ...] = ()
    baseline: str | None = None
    concurrency: int = 4


class Planner(msgspec.Struct, frozen=True):
    """What experiments are planned with."""

    evaluation: Evaluation
    workflows: Workflows
    publishing: Publishing

    async def start(self, scope: Scope, actor: str, asked: ExperimentAsked) -> Experiment:
        """Keep the experiment and begin it. Raises `InvalidInput`, `InvalidDocument`, `NotFound` and `Refused`; then nothing was begun."""
        names = [variant.name for variant in asked.variants]
        if len(set(names)) < len(names):
            raise _wrong("two variants have the same name", "/variants", "give each a name of its own")
        if asked.baseline is not None and asked.baseline not in names:
            raise _wrong(f"there is no variant {asked.baseline!r}", "/baseline", f"name one of {', '.join(names)}")
        workflow = await self.workflows.get(scope, asked.workflow)
        dataset = await self.evaluation.datasets.get(scope, asked.dataset)
        number, rows = await self.evaluation.datasets.rows(scope, dataset.id, asked.dataset_version)
        if not rows:
            raise Refused(f"the dataset {dataset.name!r} has no rows", hint="add a version with rows")
        tried, documents = await self._variants(scope, workflow.id, asked.variants)
        found = [await self.evaluation.evaluators.get(scope, key) for key in asked.evaluators]
        evaluators = tuple(NamedEvaluator(id, name) for id, name in {one.id: one.name for one in found}.items())
        plan = ExperimentPlan(
            name=asked.name,
            workflow_id=workflow.id,
            dataset_id=dataset.id,
            dataset_version=number,
            variants=tried,
            evaluators=evaluators,
            baseline=asked.baseline or names[0],
            concurrency=asked.concurrency,
        )
        made = await self.evaluation.experiments.create(scope, actor, plan, _cells(plan, len(rows)), documents)
        self.evaluation.carry_on(OpenExperiment(scope=scope, experiment=made))
        return made

    async def _variants(self, scope: Scope, workflow_id: str, variants: Sequence[Variant]) -> tuple[tuple[TriedVariant, ...], list[bytes]]:
        tried, documents = list[TriedVariant](), list[bytes]()
        for place, variant in enumerate(variants):
            version = await self.workflows.startable(scope, workflow_id, variant.version)
            _, document = await self.workflows.version(scope, workflow_id, version.number)
            hashed = version.hash
            if variant.changes:
                try:
                    made = await self.publishing.prepare(scope, varied(msgspec.json.decode(document), variant), version.slug)
                except InvalidDocument as exc:
                    problems = tuple(msgspec.structs.replace(one, pointer=f"/variants/{place}") for one in exc.problems)
                    raise InvalidDocument(f"the variant {variant.name!r} is not valid", hint=exc.hint, problems=problems) from exc
                document, hashed = made.body, made.hash
            tried.append(TriedVariant(variant=variant, version=version.number, hash=hashed))
            documents.append(document)
        return tuple(tried), documents


def _cells(plan: ExperimentPlan, rows: int) -> list[Cell]:
    return [
        Cell(row=row, variant=variant, run_id=new_id("run"), evaluation_run_ids={one.id: new_id("run") for one in plan.evaluators})
        for row in range(rows)
        for variant in range(len(plan.variants))
    ]


def _wrong(message: str, pointer: str, hint: str) -> InvalidInput:
    return InvalidInput(message, hint=hint, problems=(Problem(code="invalid", message=message, pointer=pointer, hint=hint),))
