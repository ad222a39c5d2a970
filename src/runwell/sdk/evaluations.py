"""`client.evaluators`, `client.datasets` and `client.experiments`."""

from collections.abc import Mapping, Sequence
from typing import Any

from runwell.model.datasets import Dataset, DatasetRow, DatasetVersion
from runwell.model.evaluation import Attachment, Evaluator, Occasion
from runwell.model.experiments import ComparedRow, Comparison, Experiment
from runwell.sdk.faces import Awaiting, Listing, Resource, Waiting, listing, operation
from runwell.sdk.flow import Flow, ask, tell
from runwell.sdk.request import request

Rows = Sequence[Mapping[str, Any]]
"""Of each `input`, and perhaps `expected` and `metadata`."""


class _OfEvaluators(Resource):
    @operation
    def create(
        self,
        name: str,
        *,
        workflow: Mapping[str, Any] | None = None,
        judge: Mapping[str, Any] | None = None,
        code: str | None = None,
        pass_score: float | None = None,
    ) -> Flow[Evaluator]:
        """Make an evaluator: of `workflow` ({workflow, version}), `judge` ({model, rubric, ...}) or `code`."""
        body = {"name": name, "workflow": workflow, "judge": judge, "code": None if code is None else {"code": code}}
        return ask(self._connection, request("POST", "evaluators", body={**body, "pass_score": pass_score}), Evaluator)

    @listing
    def list(self, *, limit: int = 50) -> Listing[Evaluator]:
        """Return the project's evaluators, newest first."""
        return Listing(request("GET", "evaluators", query={"limit": limit}), Evaluator)

    @operation
    def get(self, evaluator: str) -> Flow[Evaluator]:
        """Return one evaluator, by its id or name."""
        return ask(self._connection, request("GET", "evaluators", evaluator), Evaluator)

    @operation
    def delete(self, evaluator: str) -> Flow[None]:
        """Delete an evaluator, and take it off all workflows."""
        return tell(self._connection, request("DELETE", "evaluators", evaluator))

    @operation
    def attach(self, evaluator: str, workflow: str, *, sample_rate: float = 1.0, on: Occasion = "run") -> Flow[Attachment]:
        """Let it judge a share of the workflow's runs, as they succeed, or each turn of their conversations, as it ends."""
        body = {"sample_rate": sample_rate, "on": on}
        return ask(self._connection, request("PUT", "workflows", workflow, "evaluators", evaluator, body=body), Attachment)

    @operation
    def detach(self, evaluator: str, workflow: str) -> Flow[None]:
        """Let it judge the workflow's runs no more."""
        return tell(self._connection, request("DELETE", "workflows", workflow, "evaluators", evaluator))

    @listing
    def attached(self, workflow: str) -> Listing[Attachment]:
        """Return what judges the workflow's runs."""
        return Listing(request("GET", "workflows", workflow, "evaluators"), Attachment)


class _OfDatasets(Resource):
    @operation
    def create(self, name: str, *, description: str = "", rows: Rows | None = None, runs: Mapping[str, Any] | None = None) -> Flow[Dataset]:
        """Make a dataset of `rows`, or of `runs` ({query, limit, expected}), or without any."""
        body = {"name": name, "description": description, "rows": rows, "runs": runs}
        return ask(self._connection, request("POST", "datasets", body=body), Dataset)

    @listing
    def list(self, *, limit: int = 50) -> Listing[Dataset]:
        """Return the project's datasets, newest first."""
        return Listing(request("GET", "datasets", query={"limit": limit}), Dataset)

    @operation
    def get(self, dataset: str) -> Flow[Dataset]:
        """Return one dataset, by its id or name, without its rows."""
        return ask(self._connection, request("GET", "datasets", dataset), Dataset)

    @operation
    def add_version(
        self,
        dataset: str,
        *,
        rows: Rows | None = None,
        runs: Mapping[str, Any] | None = None,
        append: bool = False,
        note: str | None = None,
    ) -> Flow[DatasetVersion]:
        """Keep rows as the next version: in the place of those before, or behind them."""
        body = {"rows": rows, "runs": runs, "append": append, "note": note}
        return ask(self._connection, request("POST", "datasets", dataset, "versions", body=body), DatasetVersion)

    @listing
    def versions(self, dataset: str) -> Listing[DatasetVersion]:
        """Return the dataset's versions, newest first."""
        return Listing(request("GET", "datasets", dataset, "versions"), DatasetVersion)

    @listing
    def rows(self, dataset: str, *, version: int | None = None, limit: int = 200) -> Listing[DatasetRow]:
        """Return the rows of a version, or of the newest."""
        return Listing(request("GET", "datasets", dataset, "rows", query={"version": version, "limit": limit}), DatasetRow)

    @operation
    def delete(self, dataset: str) -> Flow[None]:
        """Delete a dataset. Raises `Refused` while an experiment works on it."""
        return tell(self._connection, request("DELETE", "datasets", dataset))


class _OfExperiments(Resource):
    @operation
    def start(
        self,
        name: str,
        workflow: str,
        dataset: str,
        variants: Sequence[Mapping[str, Any]],
        *,
        dataset_version: int | None = None,
        evaluators: Sequence[str] = (),
        baseline: str | None = None,
        concurrency: int = 4,
    ) -> Flow[Experiment]:
        """Give each row of the dataset to each variant ({name, version, step, model, models, instructions, prompt, params})."""
        body = {"name": name, "workflow": workflow, "dataset": dataset, "dataset_version": dataset_version, "variants": list(variants)}
        more = {"evaluators": list(evaluators), "baseline": baseline, "concurrency": concurrency}
        return ask(self._connection, request("POST", "experiments", body={**body, **more}), Experiment)

    @listing
    def list(self, *, limit: int = 50) -> Listing[Experiment]:
        """Return the project's experiments, newest first."""
        return Listing(request("GET", "experiments", query={"limit": limit}), Experiment)

    @operation
    def get(self, experiment_id: str) -> Flow[Comparison]:
        """Return the experiment and how its variants did so far."""
        return ask(self._connection, request("GET", "experiments", experiment_id), Comparison)

    @listing
    def rows(self, experiment_id: str, *, limit: int = 50) -> Listing[ComparedRow]:
        """Return what each variant made of each row."""
        return Listing(request("GET", "experiments", experiment_id, "rows", query={"limit": limit}), ComparedRow)

    @operation
    def stop(self, experiment_id: str) -> Flow[Experiment]:
        """Stop what runs of the experiment, and start no more of it."""
        return ask(self._connection, request("POST", "experiments", experiment_id, "stop"), Experiment)

    @operation
    def delete(self, experiment_id: str) -> Flow[None]:
        """Delete the experiment's figures. Raises `Refused` while it runs."""
        return tell(self._connection, request("DELETE", "experiments", experiment_id))


class Evaluators(_OfEvaluators, Waiting):
    """What judges runs."""


class AsyncEvaluators(_OfEvaluators, Awaiting):
    """What judges runs."""


class Datasets(_OfDatasets, Waiting):
    """Inputs to try workflows with."""


class AsyncDatasets(_OfDatasets, Awaiting):
    """Inputs to try workflows with."""


class Experiments(_OfExperiments, Waiting):
    """Variants of workflows, compared."""


class AsyncExperiments(_OfExperiments, Awaiting):
    """Variants of workflows, compared."""
