"""Routes to which a workflow document may be sent as it was written: in YAML.

A body of `application/yaml` is the document itself and stands for `{"document": ...}` in JSON. Where each part
stood in the text goes along, so that problems can be told with their lines.
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any, ClassVar, Final

import msgspec
from fastapi import Depends, Request
from starlette.types import Message

from runwell.api.parts import parts_of
from runwell.api.route import GuardedRoute, Handler
from runwell.model.documents import Document, nearest_line
from runwell.model.errors import InvalidDocument, Problem

_YAML: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
_SCHEMA: Final = {"type": "string", "description": "The document itself, in YAML: the same as `{document: ...}` in JSON."}


class Source(msgspec.Struct, frozen=True):
    """How the request's document was written. `is_readable`: there is a document that can be looked at further."""

    document: Document = Document(None, {})
    is_readable: bool = True

    def located(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Return the problems of reading it, and these, with their lines."""
        found = (*self.document.problems, *self.document.beside(problems))
        places = ((problem, problem.line or nearest_line(self.document.lines, problem.pointer)) for problem in found)
        return tuple(msgspec.structs.replace(problem, line=line) for problem, line in places)


class DocumentRoute(GuardedRoute):
    """Takes YAML as well; what cannot be read is refused."""

    refuses: ClassVar[bool] = True

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if self.body_field is not None:
            body = {"requestBody": {"content": {"application/yaml": {"schema": _SCHEMA}}}}
            self.openapi_extra = {**body, **(self.openapi_extra or {})}

    def reading(self, handler: Handler) -> Handler:
        async def read(request: Request) -> Any:
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _YAML:
                return await handler(request)
            text = await request.body()
            try:
                source = Source(await asyncio.to_thread(_read, parts_of(request.app).document_text.read, text))
            except InvalidDocument as exc:
                source = Source(Document(None, {}, exc.problems), is_readable=False)
            if self.refuses and source.document.problems:
                raise InvalidDocument("the document cannot be read", problems=source.document.problems)
            request.state.document_source = source
            return await handler(_as_json(request, {"document": source.document.data}))

        return read


class CheckingRoute(DocumentRoute):
    """Takes what cannot be read, too: its problems are the answer."""

    refuses = False


def _read(read: Callable[[str], Document], body: bytes) -> Document:
    try:
        return read(body.decode())
    except UnicodeDecodeError as exc:
        problem = Problem(code="bad_encoding", message=f"not UTF-8 at byte {exc.start}", hint="send it as UTF-8")
        raise InvalidDocument("the document is not UTF-8", problems=(problem,)) from exc


def _as_json(request: Request, body: Any) -> Request:
    content = json.dumps(body).encode()
    kept = [(name, value) for name, value in request.scope["headers"] if name not in (b"content-type", b"content-length")]
    headers = [*kept, (b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    return Request({**request.scope, "headers": headers}, receive)


async def _source(request: Request) -> Source:
    source: Source = getattr(request.state, "document_source", Source())
    return source


DocumentSource = Annotated[Source, Depends(_source)]
"""How the request's document was written."""
