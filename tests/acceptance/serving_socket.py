"""An application on a real loopback socket, in this event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


@asynccontextmanager
async def on_socket(app: Any) -> AsyncIterator[int]:
    """Serve with the limits of `runwell serve`; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    options: dict[str, Any] = {"lifespan": "off", "log_config": None, "access_log": False, "server_header": False}
    limits: dict[str, Any] = {"ws_max_size": 65_536, "h11_max_incomplete_event_size": 65_536, "timeout_graceful_shutdown": 1}
    server = uvicorn.Server(uvicorn.Config(app, **options, **limits))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110 - uvicorn tells by this alone
                await asyncio.sleep(0.005)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
