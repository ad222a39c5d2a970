"""Many runs as a file: one file here a format, each a `Writer`."""
