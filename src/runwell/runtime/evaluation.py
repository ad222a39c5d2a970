"""All that evaluates: single runs, runs as they succeed, and experiments."""

from runwell.model.evaluation import EvaluationAsked
from runwell.model.experiments import OpenExperiment
from runwell.ports.evaluations import Datasets, Evaluators, Experiments, PendingEvaluations
from runwell.runtime.automatic_evaluation import AutomaticEvaluation
from runwell.runtime.evaluating import Evaluating, Startable
from runwell.runtime.experimenting import Experimenting
from runwell.runtime.runtime import Runtime


class HostedEvaluation:
    """`Evaluation` of this process. `start` it once the runtime is open, `close` it before that is closed.

    What is asked for is done without a start, too: that is for what an earlier process left.
    """

    def __init__(
        self,
        runtime: Runtime,
        workflows: Startable,
        *,
        evaluators: Evaluators,
        pending: PendingEvaluations,
        datasets: Datasets,
        experiments: Experiments,
    ) -> None:
        self.evaluators, self.datasets, self.experiments = evaluators, datasets, experiments
        self._evaluating = Evaluating(runtime, evaluators, pending, workflows)
        self._automatic = AutomaticEvaluation(runtime.journal, evaluators, self._evaluating, runtime.feed)
        self._experimenting = Experimenting(runtime, experiments, datasets, self._evaluating, workflows)

    async def start(self) -> None:
        """Go on with what an earlier process left. Raises `JournalUnavailable`."""
        await self._evaluating.resume()
        await self._experimenting.resume()
        await self._automatic.load()

    async def close(self) -> None:
        await self._automatic.close()
        await self._experimenting.close()
        await self._evaluating.close()

    async def evaluate(self, asked: EvaluationAsked) -> None:
        await self._evaluating.evaluate(asked)

    async def attached(self) -> None:
        await self._automatic.load()

    def carry_on(self, one: OpenExperiment) -> None:
        self._experimenting.carry_on(one)

    async def stop(self, one: OpenExperiment) -> None:
        await self._experimenting.stop(one)
