"""What is thought of a run: by colleagues, by whom it was for, by evaluators. And what of it shows.

Colleagues go before the end user, and both before evaluators: a verdict is the first that one of them gives, and so is a score.
The score of several evaluators, or of several turns, is their mean; their verdict is negative when one is.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from runwell.model.errors import ErrorInfo
from runwell.model.generation import EventData

Verdict = Literal["positive", "negative", ""]
"""What somebody thinks of a run; empty takes an earlier verdict back."""


class RunReviewed(EventData, frozen=True, kw_only=True):
    """What a person thinks of the run. The last review counts whole, in place of what was said before.

    `by_end_user`: said with a feedback token, by whom the run was for.
    """

    review: Verdict = ""
    score: float | None = None
    comment: str | None = None
    by_end_user: bool = False


class RunEvaluated(EventData, frozen=True, kw_only=True):
    """The run `evaluation_run_id` judged this one, or its `turn` (1 is the first). The last that an evaluator says of either counts.

    `workflow_id` and `version` are what the evaluator ran. With an `error` there is no judgement.
    """

    evaluation_run_id: str
    evaluator_id: str
    evaluator: str
    workflow_id: str
    version: int
    turn: int | None = None
    score: float | None = None
    review: Verdict = ""
    comment: str | None = None
    error: ErrorInfo | None = None


Said = RunReviewed | RunEvaluated


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What shows of all that was said. `comment` is by whoever gave the verdict; without one, the first that there is."""

    review: Verdict = ""
    score: float | None = None
    comment: str | None = None


class Judgements(msgspec.Struct, kw_only=True):
    """All that was said of one run, as it counts."""

    review: RunReviewed = RunReviewed()
    feedback: RunReviewed = RunReviewed(by_end_user=True)
    evaluations: dict[str, RunEvaluated] = {}

    def add(self, said: Said) -> None:
        if isinstance(said, RunEvaluated):
            self.evaluations[said.evaluation_run_id] = said
        elif said.by_end_user:
            self.feedback = said
        else:
            self.review = said

    def knows(self, said: Said) -> bool:
        """Return whether it was said already, so that saying it again changes nothing."""
        if isinstance(said, RunEvaluated):
            return said.evaluation_run_id in self.evaluations
        return said == (self.feedback if said.by_end_user else self.review)

    def current(self) -> list[RunEvaluated]:
        """Return the last evaluation by each evaluator, of the run and of each turn."""
        return list({(said.evaluator_id, said.turn): said for said in self.evaluations.values()}.values())

    def shown(self) -> Shown:
        said = list(self._by_rank())
        verdict = next((one for one in said if one.review), None)
        score = next((one.score for one in said if one.score is not None), None)
        if verdict is not None:
            return Shown(review=verdict.review, score=score, comment=verdict.comment)
        return Shown(score=score, comment=next((one.comment for one in said if one.comment is not None), None))

    def _by_rank(self) -> Iterator[Shown]:
        for person in (self.review, self.feedback):
            yield Shown(review=person.review, score=person.score, comment=person.comment)
        made = [one for one in self.current() if one.error is None]
        scores = [one.score for one in made if one.score is not None]
        decisive = sorted((one for one in made if one.review), key=lambda one: one.review)  # negative first
        first = next(iter([*decisive, *made]), None)
        if first is not None:
            score = sum(scores) / len(scores) if scores else None
            yield Shown(review=first.review, score=score, comment=first.comment)
