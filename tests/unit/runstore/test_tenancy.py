"""Whose runs a question is about is said in one place; without it, tests fail."""

from pathlib import Path

import pytest
from tests.contract.run_store_contract import RunStoreContract, opening

from runwell.model.scope import Scope
from runwell.runstore import asking, fields_seen, reading
from runwell.runstore.asking import Condition
from runwell.runstore.store import open_run_store

_FOLDER = Path(asking.__file__).parent


def test_one_place_names_the_table_for_reading() -> None:
    found = {path.name for path in _FOLDER.glob("*.py") if "FROM runs" in path.read_text()}
    assert found <= {"asking.py", "schema.py"}
    assert [line for line in (_FOLDER / "schema.py").read_text().splitlines() if "FROM runs" in line and "SELECT 1 " not in line] == []


@pytest.mark.parametrize("missing", ["org_id", "project_id"])
def test_a_planted_missing_predicate_is_seen(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"org_id": "scope_org", "project_id": "scope_project"}

    def planted(scope: Scope) -> Condition:
        there = next(name for name in names if name != missing)
        return Condition(f"FROM runs FINAL WHERE {there} = {{{names[there]}:String}}", {names[there]: getattr(scope, there)})

    for module in (asking, fields_seen):
        monkeypatch.setattr(module, "runs_of", planted)
    with pytest.raises(AssertionError):
        RunStoreContract().test_nothing_of_another_project_is_ever_seen(lambda: opening(open_run_store(tmp_path / "runs")))


def test_groups_are_bounded() -> None:
    sizes = [5, reading.BLOCK_BYTES, 1, 2, reading.BLOCK_BYTES * 3, 4]
    found = list(reading.groups([(-at, "run", size) for at, size in enumerate(sizes)]))
    assert [[size for _, _, size in group] for group in found] == [[5], [reading.BLOCK_BYTES], [1, 2], [reading.BLOCK_BYTES * 3], [4]]
