"""Answers to questions about runs: what lists, pages and streams show."""
