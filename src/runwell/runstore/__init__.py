"""The run store: every run in ClickHouse tables, in this process (chdb) or on a server."""
