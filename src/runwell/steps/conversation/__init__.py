"""The step `conversation`: turns between a person and nodes that answer."""
