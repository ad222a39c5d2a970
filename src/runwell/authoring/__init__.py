"""Workflows and agents written in Python: `@workflow` and `@agent` turn a function into a document, which runs here or on a server.

A `@workflow` function is called once, with stand-ins for its input. What it calls is taken down as steps; what those return are
stand-ins again, so the function's plain Python code says how values flow, and never sees one.
"""
