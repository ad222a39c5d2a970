"""What evaluators said of a run, in the words of seed 004."""

from collections.abc import Sequence
from typing import Any

from runwell.model.events import Event, RunEvaluated
from runwell.model.ids import short_id
from runwell.model.run import RunView
from runwell.model.run_document import EvaluationConfig


def turn_evaluation(run: RunView, turn: int, turns: int) -> dict[str, Any]:
    """Return what evaluators said of the turn (1 is the first), by their names. A run of one turn is that turn."""
    mine = (turn, None) if turns == 1 else (turn,)
    return {
        said.evaluator: {
            "evaluation_workflow_run_id": short_id(said.evaluation_run_id),
            "score": said.score,
            "review": said.review,
            "comment": said.comment,
        }
        for said in run.evaluations
        if said.turn in mine and said.error is None
    }


def evaluation_config(events: Sequence[Event]) -> EvaluationConfig:
    """Return the evaluator that judged the run last."""
    said = [event.data for event in events if isinstance(event.data, RunEvaluated)]
    if not said:
        return EvaluationConfig()
    return EvaluationConfig(
        evaluator_workflow_id=said[-1].workflow_id,
        evaluator_workflow_version_number=said[-1].version,
        enable_turn_by_turn_evaluation=any(one.turn is not None for one in said),
    )
