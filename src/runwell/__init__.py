"""Runwell runs AI workflows and agents durably, and keeps every run."""

__version__ = "0.1.0"
