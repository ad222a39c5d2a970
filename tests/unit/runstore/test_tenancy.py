"""Whose runs a question is about is said in one place; without it, tests fail."""

from pathlib import Path

import pytest
from tests.contract.run_samples import OURS
from tests.contract.run_store_contract import RunStoreContract, opening

from runwell.runstore import asking, reading, tenancy
from runwell.runstore.store import open_run_store

_FOLDER = Path(asking.__file__).parent


def test_one_place_names_the_table_for_reading() -> None:
    found = {path.name for path in _FOLDER.glob("*.py") if "FROM runs" in path.read_text()}
    assert found <= {"asking.py", "schema.py"}
    assert [line for line in (_FOLDER / "schema.py").read_text().splitlines() if "FROM runs" in line and "SELECT 1 " not in line] == []


@pytest.mark.parametrize("missing", ["org_id", "project_id"])
def test_a_planted_missing_predicate_is_seen(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    within = tenancy.within
    condition, _ = within(OURS)
    planted = condition.replace(f"{missing} = ", "'' != ")
    assert planted != condition
    monkeypatch.setattr(tenancy, "within", lambda scope: (planted, within(scope)[1]))
    with pytest.raises(AssertionError):
        RunStoreContract().test_nothing_of_another_project_is_ever_seen(lambda: opening(open_run_store(tmp_path / "runs")))


def test_groups_are_bounded() -> None:
    sizes = [5, reading.BLOCK_BYTES, 1, 2, reading.BLOCK_BYTES * 3, 4]
    found = list(reading.groups([(-at, "run", size) for at, size in enumerate(sizes)]))
    assert [[size for _, _, size in group] for group in found] == [[5], [reading.BLOCK_BYTES], [1, 2], [reading.BLOCK_BYTES * 3], [4]]
