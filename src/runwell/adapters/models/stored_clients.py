"""Clients of stored connections: guarded, and bound to the connection's origins, whatever the vendors' libraries make of it.

All share one pool of connections, so that a client whose connection was changed can simply be dropped.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import httpx2

from runwell.adapters.addresses import AddressPolicy
from runwell.adapters.guarded_transport import AddressRefused, GuardedTransport
from runwell.adapters.models.connections import Connection
from runwell.adapters.models.vendor_clients import VendorClient
from runwell.model.origins import permits

MOST: Final = 500


class StoredClients:
    """One client for each stored connection, as it is now; the longest unused are dropped."""

    def __init__(self, http_allow: Sequence[str]) -> None:
        self._http_allow = http_allow
        self._transport: GuardedTransport | None = None
        self._clients: OrderedDict[str, tuple[Connection, VendorClient]] = OrderedDict()

    def client(self, connection: Connection) -> VendorClient:
        assert connection.stored_id is not None
        known, client = self._clients.pop(connection.stored_id, (None, None))
        if client is None or known != connection:
            client = VendorClient(connection, _Bound(self._guarded(), connection.origins))
        self._clients[connection.stored_id] = (connection, client)
        if len(self._clients) > MOST:
            self._clients.popitem(last=False)
        return client

    async def aclose(self) -> None:
        self._clients.clear()
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    def _guarded(self) -> GuardedTransport:
        if self._transport is None:
            self._transport = GuardedTransport(AddressPolicy(self._http_allow), max_connections=1_000)
        return self._transport


class _Bound(httpx2.AsyncBaseTransport):
    """Sends to the origins only. The transport below is not its own to close."""

    def __init__(self, below: httpx2.AsyncBaseTransport, origins: tuple[str, ...]) -> None:
        self._below, self._origins = below, origins

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not permits(self._origins, str(request.url)):
            raise AddressRefused(f"{request.url.host!r} is not at an allowed origin of the connection ({', '.join(self._origins)})")
        return await self._below.handle_async_request(request)
