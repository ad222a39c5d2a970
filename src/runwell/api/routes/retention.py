"""How long the project's runs are kept."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from runwell.api.answers import Answer, answers
from runwell.api.etags import IfMatch, etag_of, required_revisions
from runwell.api.json_values import KeptText
from runwell.api.route import Caller, Server, needs, router
from runwell.model.errors import InvalidInput, NotFound, Problem
from runwell.model.retention import Retention, RetentionRule, checked
from runwell.model.scope import Scope
from runwell.model.status_words import statuses_of
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.ports.journal import Definitions
from runwell.query.finding import find_workflow

routes = router("settings")

_PATH = "/v1/settings/retention"
Days = Annotated[int, Field(ge=1, le=36_500, strict=True)]


class RuleBody(BaseModel):
    """How long some runs are kept."""

    model_config = ConfigDict(extra="forbid")

    workflow_id: KeptText | None = Field(default=None, max_length=100, description="A workflow's id or slug; null: of any workflow.")
    statuses: list[Annotated[str, Field(max_length=100)]] = Field(
        default=[], max_length=20, description="How they ended; empty: in any way.", examples=[["failed", "timed_out"]]
    )
    keep_days: Days | None = Field(default=None, description="Days from the run's end; null: for ever.", examples=[30])


class RetentionBody(BaseModel):
    """How long runs are kept."""

    model_config = ConfigDict(extra="forbid")

    keep_days: Days | None = Field(default=None, description="For runs of which no rule speaks; null: for ever.", examples=[90])
    rules: list[RuleBody] = Field(default=[], max_length=500, description="The most particular one holds: a workflow goes before a status.")


@routes.get(_PATH, responses=answers(Retention, "The rules. Their `ETag` is what a change asks for."))
@needs("admin")
async def get_retention(caller: Caller, server: Server) -> Answer:
    """Return how long the project's runs are kept once they have ended."""
    found = await server.retention.get(caller.scope)
    return Answer(found.value, headers={"ETag": etag_of(found.revision)})


@routes.put(_PATH, responses=answers(Retention, "The rules as they are now."))
@needs("admin")
async def put_retention(retention: RetentionBody, caller: Caller, server: Server, if_match: IfMatch = None) -> Answer:
    """Set all rules of the project. What is over is deleted for good within an hour; held runs and those under way stay."""
    allowed = required_revisions(if_match, _PATH)
    rules = [await _rule(server.definitions, caller.scope, number, rule) for number, rule in enumerate(retention.rules)]
    kept = await server.retention.put(caller.scope, checked(Retention(keep_days=retention.keep_days, rules=tuple(rules))), allowed)
    return Answer(kept.value, headers={"ETag": etag_of(kept.revision)})


async def _rule(definitions: Definitions, scope: Scope, number: int, rule: RuleBody) -> RetentionRule:
    try:
        workflow_id = None if rule.workflow_id is None else await find_workflow(definitions, scope, rule.workflow_id)
    except NotFound as exc:
        problem = Problem(code="not_found", message=exc.message, pointer=f"/rules/{number}/workflow_id")
        raise InvalidInput(exc.message, hint="give the id or slug of a workflow that is there", problems=(problem,)) from exc
    statuses = {status for word in rule.statuses for status in _ended(word)}
    if workflow_id is None and not statuses:
        message, hint = "a rule needs a workflow, statuses, or both", "for all other runs there is `keep_days` beside `rules`"
        raise InvalidInput(
            message, hint=hint, problems=(Problem(code="empty_rule", message=message, pointer=f"/rules/{number}", hint=hint),)
        )
    return RetentionRule(workflow_id=workflow_id, statuses=tuple(sorted(statuses)), keep_days=rule.keep_days)


def _ended(word: str) -> set[RunStatus]:
    """Return the statuses that the word means. Raises `InvalidInput` when none of them is of a run that has ended."""
    statuses = set(statuses_of(word))
    return statuses & TERMINAL or statuses
