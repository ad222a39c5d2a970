"""What Prometheus collects, without the name of any organization, workflow or run."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runwell.model.events import GenerationCompleted
from runwell.model.text_delta import Delta
from runwell.ports.feed import Feed
from runwell.ports.journal import Kept


class Metrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Counter("runwell_http_requests", "Requests answered.", ["method", "operation", "status"], registry=self.registry)
        self.seconds = Histogram("runwell_http_request_seconds", "Time to the answer's first byte.", ["operation"], registry=self.registry)
        self._events = Counter("runwell_events", "Events made durable.", ["type"], registry=self.registry)
        self._calls = Counter("runwell_model_calls", "Model calls that ended.", ["provider", "outcome"], registry=self.registry)
        self._tokens = Counter("runwell_model_tokens", "Tokens of model calls.", ["direction"], registry=self.registry)
        self._cost = Counter("runwell_model_cost_usd", "What model calls cost, in US dollars.", registry=self.registry)

    def watch(self, feed: Feed) -> Callable[[], None]:
        """Count what is told; return what ends that."""
        return feed.listen(self._hear)

    def _hear(self, item: Kept | Delta) -> None:
        if isinstance(item, Kept):
            self._events.labels(item.event.type).inc()
            if isinstance(item.event.data, GenerationCompleted):
                self._count(item.event.data)

    def _count(self, call: GenerationCompleted) -> None:
        self._calls.labels(call.provider, "ok" if call.ok else "failed").inc()
        self._tokens.labels("input").inc(call.usage.input_tokens)
        self._tokens.labels("output").inc(call.usage.output_tokens)
        self._cost.inc(call.usage.cost_nanos / 1e9)

    def gauge(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Collect a number that is asked for when Prometheus asks."""
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        """Return all numbers in Prometheus' text format."""
        return generate_latest(self.registry)


class CountRequests:
    """Counts and times the requests, by operation."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                operation = getattr(scope.get("route"), "operation_id", None) or "none"
                self._metrics.seconds.labels(operation).observe(time.perf_counter() - began)
                self._metrics.requests.labels(scope["method"] if operation != "none" else "any", operation, str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, sending)
