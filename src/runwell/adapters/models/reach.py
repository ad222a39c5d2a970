"""Which models and connections a document can name here: what the router would refuse, known without a call."""

from difflib import get_close_matches

from runwell.adapters.models.connections import PROVIDERS, Connections
from runwell.ports.models import Refusal


class ModelReach:
    """Answers for one environment. A missing key is not its business: it may come until the run is started."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def connection(self, name: str) -> Refusal | None:
        """Return why no model can be asked by way of the connection."""
        if "{{" in name:
            return Refusal("no_template_here", f"connection is no template: {name!r}", "name one connection, as in connection: my-gateway")
        if not self._connections.knows(name):
            known = ", ".join(self._connections.names)
            cure = f"{_like(name, self._connections.names)}set {self._connections.variable(name, 'PROVIDER')} and ..._API_KEY"
            there_are = f"; there are {known}" if known else ""
            return Refusal("missing_connection", f"the connection {name!r} is not configured{there_are}", cure)
        provider = self._connections.provider(name)
        if provider not in PROVIDERS:
            variable = self._connections.variable(name, "PROVIDER")
            return Refusal(
                "missing_connection", f"{variable} is {provider!r}, which is no provider", f"set it to one of {', '.join(PROVIDERS)}"
            )
        return None

    def model(self, name: str, connection: str | None) -> Refusal | None:
        """Return why nobody here answers for the model; with a `connection`, which must be sound, why that does not."""
        prefix, colon, model = name.partition(":")
        if connection is not None:
            return self._by(connection, prefix if model else "", name)
        if colon and model and (prefix in ("demo", *PROVIDERS) or self._connections.knows(prefix)):
            return None
        if colon and not model:
            return Refusal("unknown_model", f"{name!r} names no model", f"write it behind the colon, as in {prefix or 'openai'}:gpt-5-mini")
        known = ("demo", *PROVIDERS, *self._connections.names)
        said = f"no provider {prefix!r}" if colon else f"the model {name!r} names no provider"
        likely = _like(prefix, known) if colon else ""
        return Refusal("unknown_model", said, f"{likely}begin the model with one of {', '.join(f'{one}:' for one in known)}")

    def _by(self, connection: str, prefix: str, name: str) -> Refusal | None:
        provider = self._connections.provider(connection)
        if not name:
            return Refusal("unknown_model", "the model has no name", f"write a model of the connection {connection!r}")
        own = self._connections.knows(prefix) and self._connections.same(prefix, connection)
        if own or prefix not in ("demo", *PROVIDERS) or PROVIDERS.get(prefix) == PROVIDERS.get(provider):
            return None
        message = f"the connection {connection!r} reaches {provider!r}, not the {prefix!r} of {name!r}"
        return Refusal("unknown_model", message, "change the model, or leave the connection out")


def _like(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word.lower().replace("-", "_"), known, n=1, cutoff=0.7) or get_close_matches(word, known, n=1, cutoff=0.7)
    return f"did you mean {close[0]!r}? Else " if close else ""
