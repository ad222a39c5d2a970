"""Routes that nobody passes unknown: each operation says what it asks for, or it cannot be declared.

    @router.get("/v1/runs/{run_id}")
    @needs("workflow:read")
    async def get_run(...): ...

A request is authenticated and checked for the permission before its body is read.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from runwell.api.errors import Forbidden, Unauthenticated
from runwell.api.parts import Parts, parts_of
from runwell.model.principal import Permission, Principal

F = TypeVar("F", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_MARK: Final = "__runwell_permission__"
PUBLIC: Final = "public"
SIGNED_IN: Final = "signed-in"


def needs(permission: Permission, *others: Permission) -> Callable[[F], F]:
    """Let only principals with the permission pass; with `others`, those who have any of them."""
    return _marked("|".join((permission, *others)))


def public(function: F) -> F:
    """Let everybody pass, signed in or not."""
    return _marked(PUBLIC)(function)


def signed_in(function: F) -> F:
    """Let every known caller pass, whatever they may do."""
    return _marked(SIGNED_IN)(function)


def _marked(mark: str) -> Callable[[F], F]:
    def mark_it(function: F) -> F:
        setattr(function, _MARK, mark)
        return function

    return mark_it


def permission_of(function: Callable[..., Any]) -> str:
    """Return what the operation asks for. Raises `TypeError` when it does not say."""
    mark = getattr(function, _MARK, None)
    if mark is None:
        raise TypeError(f"{function.__qualname__} does not say what it asks for: add @needs(...), @signed_in or @public")
    return str(mark)


class GuardedRoute(APIRoute):
    """A route behind its permission."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.permission = permission_of(endpoint)
        options["openapi_extra"] = {**(options.get("openapi_extra") or {}), "x-permission": self.permission}
        if self.permission == PUBLIC:
            options["openapi_extra"]["security"] = []
        options["operation_id"] = options.get("operation_id") or endpoint.__name__
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        handler = self.reading(super().get_route_handler())

        async def guarded(request: Request) -> Response:
            parts = parts_of(request.app)
            if self.permission != PUBLIC:
                principal = await parts.authenticate(request)
                if principal is None:
                    raise Unauthenticated(
                        "this needs an API key or a session",
                        hint="send `Authorization: Bearer rw_...`, or sign in",
                        headers={"WWW-Authenticate": 'Bearer realm="runwell"'},
                    )
                if self.permission != SIGNED_IN:
                    check(principal, self.permission)
                request.state.principal = principal
            return await parts.around(request, handler)

        return guarded

    def reading(self, handler: Handler) -> Handler:
        """Return the handler with what is done to a request of a known caller before it: nothing here."""
        return handler


def check(principal: Principal, permission: str) -> None:
    """Raise `Forbidden` when the principal lacks the permission, or each of several that are joined by `|`."""
    if principal.permissions.isdisjoint(permission.split("|")):
        raise Forbidden(f"this needs the permission {permission!r}", hint="ask an admin of the project for a key or a role that has it")


def router(tag: str, kind: type[GuardedRoute] = GuardedRoute) -> APIRouter:
    """Return a router whose routes are all guarded."""
    return APIRouter(tags=[tag], route_class=kind)


# Asynchronous, as FastAPI calls other functions in a thread, which takes longer than all that they do.


async def _principal(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


async def _parts(request: Request) -> Parts:
    return parts_of(request.app)


Caller = Annotated[Principal, Depends(_principal)]
"""The principal of the request."""

Server = Annotated[Parts, Depends(_parts)]
"""What the server is made of."""
