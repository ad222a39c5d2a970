"""The HTTP interface: routes, sign-in, streams, problems."""
