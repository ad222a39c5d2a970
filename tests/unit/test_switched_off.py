"""Without a run store, questions are refused in words, and what is to be removed is not there."""

import pytest
from tests.contract.samples import run

from runwell.bootstrap import open_projection, run_store_of
from runwell.model.errors import InvalidInput, RunStoreUnavailable
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.projection import Projection
from runwell.ports.run_store import RunsAsked, RunStore
from runwell.runstore.switched_off import SwitchedOff
from runwell.settings import read_settings


def test_every_question_is_refused() -> None:
    async def main() -> None:
        store: RunStore = SwitchedOff()
        asked = RunsAsked(scope=DEFAULT_SCOPE)
        questions = [store.position(), store.keep([], 1), store.page(asked, 1), store.counts(asked), store.fields(asked, 0)]
        for question in questions:
            with pytest.raises(RunStoreUnavailable, match="no run store"):
                await question
        with pytest.raises(RunStoreUnavailable, match="no run store"):
            await anext(store.records(asked))
        await store.open()
        await store.remove_workflow("wf_1")
        await store.remove_runs(["run_1"])
        await store.clear()
        await store.close()
        assert store.trouble() is not None

    run(main())


def test_there_is_no_overlay() -> None:
    async def main() -> None:
        projection: Projection = SwitchedOff()
        await projection.catch_up()
        await projection.remove_deleted()
        assert not projection.removals()
        assert (projection.overlay(), projection.lag().complete) == ((), False)

    run(main())


def test_the_setting(tmp_path: object) -> None:
    settings = read_settings(environ={"RUNWELL_RUNSTORE_URL": "none", "RUNWELL_DATA_DIR": str(tmp_path)})
    assert run_store_of(settings) is None
    assert run_store_of(read_settings(environ={"RUNWELL_DATA_DIR": str(tmp_path)})) is not None
    with pytest.raises(InvalidInput, match="none of ClickHouse"):
        read_settings(environ={"RUNWELL_RUNSTORE_URL": "mysql://x"})

    async def main() -> None:
        with pytest.raises(InvalidInput, match="there is no run store"):
            async with open_projection(settings):
                pass

    run(main())
