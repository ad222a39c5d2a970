"""What evaluators give, read; and which runs they judge."""

from typing import Any

import pytest

from runwell.model.evaluation import is_sampled, points, read_verdict
from runwell.model.events import RunEvaluated
from runwell.model.ids import new_id


@pytest.mark.parametrize(
    ("output", "pass_score", "score", "review"),
    [
        (0.7, None, 0.7, ""),
        (0.7, 0.7, 0.7, "positive"),
        (0.69, 0.7, 0.69, "negative"),
        (True, None, 1.0, "positive"),
        (False, None, 0.0, "negative"),
        ({"score": 3}, None, 3.0, ""),
        ({"score": True}, None, 1.0, "positive"),
        ({"passed": False}, None, 0.0, "negative"),
        ({"passed": True, "score": 0.2}, None, 0.2, "positive"),
        ({"score": 0.9, "review": "negative"}, 0.5, 0.9, "negative"),
        ({"review": "positive"}, None, None, "positive"),
    ],
)
def test_a_judgement_is_read(output: Any, pass_score: float | None, score: float | None, review: str) -> None:
    read = read_verdict(output, pass_score)
    assert (read.score, read.review, read.error) == (score, review, None)


@pytest.mark.parametrize(
    "output", [None, "good", [], [1], {}, {"score": "1"}, {"score": 1e308}, {"score": 1, "review": "fine"}, {"comment": "hm"}]
)
def test_what_is_no_judgement_is_told_as_such(output: Any) -> None:
    read = read_verdict(output, 0.5)
    assert read.error is not None
    assert (read.error.code, read.score, read.review) == ("EVALUATION_UNREADABLE", None, "")


def test_comments_are_kept_within_bounds() -> None:
    assert read_verdict({"score": 1, "comment": "x" * 20_000}, None).comment == "x" * 10_000
    assert read_verdict({"score": 1, "comment": 5}, None).comment is None


def test_the_same_share_of_the_runs_is_chosen_each_time() -> None:
    runs = [new_id("run") for _ in range(4_000)]
    chosen = [run for run in runs if is_sampled("evl_1", run, 0.25)]
    assert 800 < len(chosen) < 1_200
    assert chosen == [run for run in runs if is_sampled("evl_1", run, 0.25)]
    assert set(chosen) <= {run for run in runs if is_sampled("evl_1", run, 0.5)}
    assert all(is_sampled("evl_1", run, 1.0) for run in runs)
    assert set(chosen) != {run for run in runs if is_sampled("evl_2", run, 0.25)}


def test_a_verdict_alone_counts_as_one_or_zero() -> None:
    def said(**fields: Any) -> RunEvaluated:
        return RunEvaluated(evaluation_run_id="run_1", evaluator_id="evl_1", evaluator="e", workflow_id="wf_1", version=1, **fields)

    assert [points(said(review=review)) for review in ("positive", "negative", "")] == [1.0, 0.0, None]
    assert points(said(score=0.25, review="positive")) == 0.25
