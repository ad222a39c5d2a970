"""Vendors behind our ports: models, HTTP, sandbox, secrets, documents."""
