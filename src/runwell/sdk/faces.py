"""From operations, each written once, to methods that wait and methods that are awaited.

An operation is a function that returns a `Flow`; as an attribute of a `Waiting` resource it is a method that
returns the result, of an `Awaiting` one a method whose result is awaited. Type checkers see both.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import msgspec

from runwell.sdk.connection import Connection
from runwell.sdk.driving import AsyncDriver, Driver
from runwell.sdk.flow import Emit, Flow, ask
from runwell.sdk.request import Request, with_body

P = ParamSpec("P")
T = TypeVar("T")


class Resource:
    """What the operations of a kind of thing need."""

    _connection: Connection


class Waiting(Resource):
    """Operations that return when they are done."""

    def __init__(self, connection: Connection, driver: Driver) -> None:
        self._connection = connection
        self._driver = driver


class Awaiting(Resource):
    """Operations that are awaited."""

    def __init__(self, connection: Connection, driver: AsyncDriver) -> None:
        self._connection = connection
        self._driver = driver


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A part of a list. The cursors lead to the parts after and before it; None where there is none."""

    data: list[T]
    next_cursor: str | None = None
    prev_cursor: str | None = None


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """A list on the server, as the request for its first page and the type of its entries."""

    request: Request
    kind: type[T]

    def at(self, connection: Connection, cursor: str | None) -> Flow[Page[T]]:
        wanted = self.request if cursor is None else self._onwards(cursor)
        page: Page[T] = yield from ask(connection, wanted, Page[self.kind])  # type: ignore[name-defined]
        return page

    def _onwards(self, cursor: str) -> Request:
        """Return the request for the page at a cursor, which belongs where the other parameters are."""
        if self.request.body is None:
            query = tuple(pair for pair in self.request.query if pair[0] != "cursor")
            return msgspec.structs.replace(self.request, query=(*query, ("cursor", cursor)))
        return with_body(self.request, {**msgspec.json.decode(self.request.body), "cursor": cursor})

    def all(self, connection: Connection) -> Flow[None]:
        cursor = None
        while True:
            page = yield from self.at(connection, cursor)
            for item in page.data:
                yield Emit(item)
            cursor = page.next_cursor
            if cursor is None:
                return


class Pages(Generic[T]):
    """A list. Iterated, it fetches page after page; each iteration begins anew."""

    def __init__(self, listing: Listing[T], connection: Connection, driver: Driver) -> None:
        self._listing, self._connection, self._driver = listing, connection, driver

    def __iter__(self) -> Iterator[T]:
        return self._driver.items(self._listing.all(self._connection))

    def page(self, cursor: str | None = None) -> Page[T]:
        """Return the first page, or the one at a cursor."""
        return self._driver.run(self._listing.at(self._connection, cursor))


class AsyncPages(Generic[T]):
    """A list. Iterated with `async for`, it fetches page after page; each iteration begins anew."""

    def __init__(self, listing: Listing[T], connection: Connection, driver: AsyncDriver) -> None:
        self._listing, self._connection, self._driver = listing, connection, driver

    def __aiter__(self) -> AsyncIterator[T]:
        return self._driver.items(self._listing.all(self._connection))

    async def page(self, cursor: str | None = None) -> Page[T]:
        """Return the first page, or the one at a cursor."""
        return await self._driver.run(self._listing.at(self._connection, cursor))


class operation(Generic[P, T]):
    """A method that does something and returns what came of it."""

    def __init__(self, function: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self._function = function
        update_wrapper(self, function)  # type: ignore[arg-type]

    @overload
    def __get__(self, resource: Waiting, owner: Any = None) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: Awaiting, owner: Any = None) -> Callable[P, Awaitable[T]]: ...
    @overload
    def __get__(self, resource: None, owner: Any = None) -> "operation[P, T]": ...
    def __get__(self, resource: Any, owner: Any = None) -> Any:
        return self if resource is None else _bound(self._function, resource, lambda flow: resource._driver.run(flow))


class listing(Generic[P, T]):
    """A method that returns a list in pages."""

    def __init__(self, function: Callable[Concatenate[Any, P], Listing[T]]) -> None:
        self._function = function
        update_wrapper(self, function)  # type: ignore[arg-type]

    @overload
    def __get__(self, resource: Waiting, owner: Any = None) -> Callable[P, Pages[T]]: ...
    @overload
    def __get__(self, resource: Awaiting, owner: Any = None) -> Callable[P, AsyncPages[T]]: ...
    @overload
    def __get__(self, resource: None, owner: Any = None) -> "listing[P, T]": ...
    def __get__(self, resource: Any, owner: Any = None) -> Any:
        if resource is None:
            return self
        kind: Any = Pages if isinstance(resource, Waiting) else AsyncPages
        return _bound(self._function, resource, lambda found: kind(found, resource._connection, resource._driver))


class streaming(Generic[P, T]):
    """A method that returns an iterator over what comes live. Its function says by its type what is handed out."""

    def __init__(self, function: Callable[Concatenate[Any, P], "Stream[T]"]) -> None:
        self._function = function
        update_wrapper(self, function)  # type: ignore[arg-type]

    @overload
    def __get__(self, resource: Waiting, owner: Any = None) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, resource: Awaiting, owner: Any = None) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, resource: None, owner: Any = None) -> "streaming[P, T]": ...
    def __get__(self, resource: Any, owner: Any = None) -> Any:
        return self if resource is None else _bound(self._function, resource, lambda found: resource._driver.items(found.flow))


class Stream(msgspec.Struct, Generic[T], frozen=True):
    """A flow that hands out `T`."""

    flow: Flow[None]


def _bound(function: Callable[..., Any], resource: Resource, through: Callable[[Any], Any]) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        return through(function(resource, *args, **kwargs))

    return update_wrapper(method, function)
