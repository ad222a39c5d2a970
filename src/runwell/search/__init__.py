"""The search language: from text to a query, and what a query says of one run. Pure."""
