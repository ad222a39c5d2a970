"""How often those who have no account may say what they think of runs."""

from starlette.requests import HTTPConnection

from runwell.api.rate_limit import RateLimit


class FeedbackLimits:
    """How often feedback may be sent: from one address, and about one run."""

    def __init__(self, per_address: str = "120/minute", per_run: str = "20/hour") -> None:
        self._addresses, self._runs = RateLimit(per_address), RateLimit(per_run)

    def take_address(self, connection: HTTPConnection) -> None:
        """Raises `TooManyRequests`."""
        self._addresses.take(connection.client.host if connection.client else "")

    def take_run(self, run_id: str) -> None:
        """Raises `TooManyRequests`."""
        self._runs.take(run_id)
