"""OpenTelemetry's traces: how they come over the wire, and what their conventions say of model calls and tools."""
