"""Commands: said twice they count once, and where they make no sense they are refused."""

from tests.unit.engine.driver import Driver, workflow

from runwell.model.commands import AddComment


def test_a_comment_with_the_same_id_counts_once() -> None:
    run = Driver(workflow({"id": "a"}))
    run.do(AddComment(comment_id="c1", content="look"))
    assert run.do(AddComment(comment_id="c1", content="look")).events == []
    run.complete("a")
    assert [event.type for event in run.do(AddComment(comment_id="c2", content="done")).events] == ["comment_added"]
