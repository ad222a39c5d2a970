"""Which rule is about a run, and when its time is over."""

import msgspec
import pytest
from tests.contract.samples import new_run, row

from runwell.model.errors import InvalidInput
from runwell.model.retention import DAY_MS, KEEP_EVERYTHING, Keeping, Retention, RetentionRule, checked
from runwell.model.statuses import TERMINAL, RunStatus

RULES = Retention(
    keep_days=30,
    rules=(
        RetentionRule(workflow_id="wf_1", statuses=(RunStatus.FAILED,), keep_days=90),
        RetentionRule(workflow_id="wf_1", keep_days=None),
        RetentionRule(statuses=(RunStatus.FAILED, RunStatus.STOPPED), keep_days=7),
    ),
)


def test_the_most_particular_rule_holds() -> None:
    keeping = Keeping(RULES)
    assert keeping.days("wf_1", RunStatus.FAILED) == 90
    assert keeping.days("wf_1", RunStatus.STOPPED) is None
    assert keeping.days("wf_2", RunStatus.STOPPED) == 7
    assert keeping.days("wf_2", RunStatus.SUCCEEDED) == 30
    assert keeping.shortest_ms == 7 * DAY_MS
    assert Keeping(KEEP_EVERYTHING).shortest_ms is None


def test_only_what_has_ended_and_is_past_its_days_is_over() -> None:
    keeping, end = Keeping(RULES), 1_000
    for status in RunStatus:
        its = msgspec.structs.replace(row(new_run(), 1, status), workflow_id="wf_2", ended_at=end if status in TERMINAL else None)
        days = 7 if status in (RunStatus.FAILED, RunStatus.STOPPED) else 30
        assert not keeping.is_over(its, end + days * DAY_MS - 1)
        assert keeping.is_over(its, end + days * DAY_MS) == (status in TERMINAL)


@pytest.mark.parametrize(
    "rules",
    [
        (RetentionRule(statuses=(RunStatus.RUNNING,), keep_days=1),),
        (RetentionRule(statuses=(RunStatus.FAILED,), keep_days=1), RetentionRule(statuses=(RunStatus.FAILED,), keep_days=2)),
        (RetentionRule(workflow_id="wf_1"), RetentionRule(workflow_id="wf_1", keep_days=2)),
    ],
)
def test_rules_that_contradict_each_other_are_refused(rules: tuple[RetentionRule, ...]) -> None:
    with pytest.raises(InvalidInput):
        checked(Retention(rules=rules))
    assert checked(RULES) == RULES
