"""Which models and connections a document can name here: what the router would refuse, known without a call."""

from collections.abc import Mapping
from difflib import get_close_matches

from runwell.adapters.models.connections import PROVIDERS, Connections
from runwell.ports.models import Refusal


class ModelReach:
    """Answers for what is stored (type by name) and what an environment holds. `stored` is None where nobody looked.

    A missing key is not its business: it may come until the run is started.
    """

    def __init__(self, connections: Connections, stored: Mapping[str, str] | None = None, *, tenant: bool = False) -> None:
        self._connections = connections
        self._looked = stored is not None
        self._stored = stored or {}
        self._tenant = tenant

    @property
    def _names(self) -> tuple[str, ...]:
        return (*(name for name, kind in self._stored.items() if kind in PROVIDERS), *self._connections.names)

    def http_connection(self, name: str) -> Refusal | None:
        """Return why no http step can use the connection."""
        kind = self._stored.get(name)
        if not self._looked or kind == "http" or "{{" in name:
            return None
        there = tuple(known for known, its in self._stored.items() if its == "http")
        if kind is not None:
            message = f"the connection {name!r} is for {'tools' if kind == 'mcp' else 'models'} ({kind})"
            return Refusal("missing_connection", message, f"name one of type http{_listed(there)}")
        cure = f"{_like(name, there)}store it with POST /v1/connections"
        return Refusal("missing_connection", f"there is no connection {name!r} in this project{_listed(there)}", cure)

    def connection(self, name: str) -> Refusal | None:
        """Return why no model can be asked by way of the connection."""
        if "{{" in name:
            return Refusal("no_template_here", f"connection is no template: {name!r}", "name one connection, as in connection: my-gateway")
        kind = self._stored.get(name.lower())
        if kind in PROVIDERS:
            return None
        if kind is not None:
            return Refusal("missing_connection", f"the connection {name!r} is of type {kind!r}, which answers no models", "name another")
        if not self._connections.knows(name):
            known = ", ".join(self._names)
            variables = f"set {self._connections.variable(name, 'PROVIDER')} and ..._API_KEY"
            store = "store it with POST /v1/connections"
            ways = store if self._tenant else f"{variables}, or {store}" if self._looked else variables
            cure = f"{_like(name, self._names)}{ways}"
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
        if colon and model and (prefix in ("demo", *PROVIDERS, *self._stored) or self._connections.knows(prefix)):
            return None
        if colon and not model:
            return Refusal("unknown_model", f"{name!r} names no model", f"write it behind the colon, as in {prefix or 'openai'}:gpt-5-mini")
        known = ("demo", *PROVIDERS, *self._names)
        said = f"no provider {prefix!r}" if colon else f"the model {name!r} names no provider"
        likely = _like(prefix, known) if colon else ""
        return Refusal("unknown_model", said, f"{likely}begin the model with one of {', '.join(f'{one}:' for one in known)}")

    def _by(self, connection: str, prefix: str, name: str) -> Refusal | None:
        provider = self._stored.get(connection.lower()) or self._connections.provider(connection)
        if not name:
            return Refusal("unknown_model", "the model has no name", f"write a model of the connection {connection!r}")
        own = self._connections.same(prefix, connection)
        if own or prefix not in ("demo", *PROVIDERS) or PROVIDERS.get(prefix) == PROVIDERS.get(provider):
            return None
        message = f"the connection {connection!r} reaches {provider!r}, not the {prefix!r} of {name!r}"
        return Refusal("unknown_model", message, "change the model, or leave the connection out")


def _listed(names: tuple[str, ...]) -> str:
    return f"; there are {', '.join(names)}" if names else ""


def _like(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word.lower().replace("-", "_"), known, n=1, cutoff=0.7) or get_close_matches(word, known, n=1, cutoff=0.7)
    return f"did you mean {close[0]!r}? Else " if close else ""
