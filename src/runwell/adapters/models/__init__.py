"""Model providers behind the `Models` port: the built-in demo model, and the vendors through pydantic-ai."""
