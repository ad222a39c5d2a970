"""Feedback by those for whom a run was made, who have no account: with a token that is good for one run."""

from typing import Literal

from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from runwell.api.answers import SecretAnswer, answers, no_content
from runwell.api.errors import Unauthenticated
from runwell.api.json_values import KeptText
from runwell.api.route import Caller, Server, needs, public, router
from runwell.api.routes.run_marks import Score
from runwell.api.routes.workflow_bodies import Body
from runwell.api.run_routes import FoundRun, on_run
from runwell.model.commands import ReviewRun
from runwell.model.errors import NotFound
from runwell.model.run_parts import FeedbackToken
from runwell.model.times import rfc3339
from runwell.ports.feedback import Leave

routes = router("feedback")

END_USER = "end-user"
"""Who said it, for the record: with the token's subject behind a colon."""


class TokenBody(Body):
    """For how long, and for whom."""

    expires_in_s: int = Field(default=604_800, ge=60, le=7_776_000, description="At most 90 days.")
    subject: KeptText = Field(default="", max_length=200, description="Who gets it, as you call them: kept with what they say.")


class FeedbackBody(Body):
    """What somebody thinks of what the run did for them, in place of what they said before."""

    token: str = Field(min_length=1, max_length=2_000)
    review: Literal["positive", "negative", ""] = Field(default="", description="Empty takes it back.", examples=["positive"])
    score: Score | None = None
    comment: KeptText | None = Field(default=None, max_length=10_000)


@on_run(routes, "/feedback-token", answers(FeedbackToken, "The token.", 201), method="POST", status=201)
@needs("workflow:run")
async def create_feedback_token(run: FoundRun, caller: Caller, server: Server, body: TokenBody | None = None) -> SecretAnswer:
    """Make a token for whom the run was made: with it they can review this run and do nothing else."""
    asked = body or TokenBody()
    until = server.now() + asked.expires_in_s * 1000
    leave = Leave(caller.scope.org_id, caller.scope.project_id, run.run_id, until, asked.subject)
    token = server.feedback_tokens.issue(leave)
    return SecretAnswer(FeedbackToken(token=token, run_id=run.run_id, expires_at=rfc3339(until)), 201)


@routes.post("/v1/feedback", status_code=204, responses=no_content("It is kept."))
@public
async def give_feedback(body: FeedbackBody, request: Request, server: Server) -> Response:
    """Say what one thinks of a run, with a feedback token and no key. Said twice it counts once; a colleague's review goes before it."""
    server.feedback_limits.take_address(request)
    leave = server.feedback_tokens.read(body.token)
    if leave is None or leave.expires_at <= server.now():
        raise _no_use()
    server.feedback_limits.take_run(leave.run_id)
    actor = f"{END_USER}:{leave.subject}" if leave.subject else END_USER
    said = ReviewRun(review=body.review, score=body.score, comment=body.comment, by_end_user=True, actor=actor)
    try:
        await server.runs.command(leave.scope, leave.run_id, said)
    except NotFound as exc:
        raise _no_use() from exc
    return Response(status_code=204)


def _no_use() -> Unauthenticated:
    return Unauthenticated("the feedback token is not valid, or not any more", hint="ask for a new one")
