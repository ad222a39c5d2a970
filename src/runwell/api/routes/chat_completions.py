"""OpenAI's chat completions: each call is a run."""

import time
from typing import Annotated, Any, Final

from fastapi import Body, Request
from starlette.responses import Response

from runwell.api.answers import answers_or_streams
from runwell.api.openai.calls import streamed_answer, whole_answer
from runwell.api.openai.chat_answer import ChatChunks, ChatCompletion, completion
from runwell.api.openai.chat_request import CreateChatCompletion
from runwell.api.openai.errors import OpenAIRoute
from runwell.api.openai.runs import called
from runwell.api.route import Caller, Server, needs, router

routes = router("openai", OpenAIRoute)

_ANSWER: Final[dict[int | str, dict[str, Any]]] = answers_or_streams(
    ChatCompletion, "The answer; with `stream` its pieces, as server-sent events."
)


@routes.post("/v1/chat/completions", responses=_ANSWER)
@needs("workflow:run")
async def create_chat_completion(
    body: Annotated[CreateChatCompletion, Body()], request: Request, caller: Caller, server: Server
) -> Response:
    """Ask a model as a client of OpenAI's does, and keep the call as a run: its id is the answer's `id`.

    Point the client's base URL at this server's `/v1` and give it a key of Runwell's. A client that hangs up stops the run.
    """
    run = await called(request, caller, server, body.chat_request(), body.run_metadata)
    created = int(time.time())
    if body.stream:
        return await streamed_answer(request, run, ChatChunks(run.run_id, body.model, created, told_usage=body.told_usage))
    return await whole_answer(request, run, lambda ending: completion(ending, body.model, created))
