"""The Python client of a Runwell server: `runwell.Client` and `runwell.AsyncClient`."""
