"""A program of its own, instrumented with the real OpenTelemetry SDK, that knows of Runwell no more than an address.

python -m tests.acceptance.otel_script ENDPOINT
"""

import json
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

ASKED = [{"role": "user", "parts": [{"type": "text", "content": "Which parcels are late?"}]}]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "Parcel 4711 is late."}], "finish_reason": "stop"}]


def main(endpoint: str) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "parcel-watch", "deployment.environment.name": "production"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, compression=Compression.Gzip), max_export_batch_size=2))
    trace.set_tracer_provider(provider)
    tracer = trace.get_tracer("parcel.agent")
    with tracer.start_as_current_span("watch parcels", attributes={"session.id": "night-shift", "warehouse.dock": 7}) as run:
        with tracer.start_as_current_span("execute_tool list_parcels") as tool:
            tool.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "list_parcels"})
            tool.set_attribute("gen_ai.tool.call.result", json.dumps(["4711", "4712"]))
        with tracer.start_as_current_span("chat gpt-4o-mini", kind=trace.SpanKind.CLIENT) as call:
            call.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini"})
            call.set_attributes({"gen_ai.usage.input_tokens": 4_000, "gen_ai.usage.output_tokens": 50})
            call.set_attributes({"gen_ai.input.messages": json.dumps(ASKED), "gen_ai.output.messages": json.dumps(ANSWERED)})
        try:
            with tracer.start_as_current_span("call carrier"):
                raise TimeoutError("the carrier did not answer")
        except TimeoutError:
            run.add_event("carrier given up")
        print(f"{run.get_span_context().trace_id:032x}")
    provider.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
