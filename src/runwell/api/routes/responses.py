"""OpenAI's responses, as far as they are text and function calls: each call is a run."""

import time
from typing import Annotated, Any, Final

from fastapi import Body, Request
from starlette.responses import Response

from runwell.api.answers import answers_or_streams
from runwell.api.openai.calls import streamed_answer, whole_answer
from runwell.api.openai.errors import OpenAIRoute
from runwell.api.openai.response_answer import OpenAIResponse, ResponseEvents, ResponseFrame
from runwell.api.openai.response_request import CreateResponse
from runwell.api.openai.runs import called
from runwell.api.route import Caller, Server, needs, router

routes = router("openai", OpenAIRoute)

_ANSWER: Final[dict[int | str, dict[str, Any]]] = answers_or_streams(
    OpenAIResponse, "The answer; with `stream` its events, as server-sent events."
)


@routes.post("/v1/responses", responses=_ANSWER)
@needs("workflow:run")
async def create_response(body: Annotated[CreateResponse, Body()], request: Request, caller: Caller, server: Server) -> Response:
    """Ask a model as a client of OpenAI's does, and keep the call as a run, as with chat completions.

    What was said before is sent along: nothing is looked up by `previous_response_id`.
    """
    run = await called(request, caller, server, body.chat_request(), body.run_metadata)
    frame = ResponseFrame(run.run_id, int(time.time()), body)
    if body.stream:
        return await streamed_answer(request, run, ResponseEvents(frame))
    return await whole_answer(request, run, frame.whole)
