"""Tools outside of documents: MCP servers."""
