"""An OpenID Connect provider on a loopback socket, which can be told to lie."""

import hashlib
import json
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote_plus, urlsplit

from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import serialize_compact
from tests.local_server import LocalServer, Received, answer

CLIENT_ID: Final = "runwell"
CLIENT_SECRET: Final = "shared secret+/%"

_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
_OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
_NEXT = ECKey.generate_key("P-256", {"kid": "two", "use": "sig", "alg": "ES256"})


@dataclass
class Provider:
    """`claims` go over what the id token says; None takes a claim away. `signed` says how it is signed."""

    now: int
    claims: dict[str, Any] = field(default_factory=dict)
    signed: str = "well"
    userinfo: dict[str, Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server = LocalServer(self._respond)

    @property
    def issuer(self) -> str:
        return self.server.url("")

    def visit(self, address: str) -> str:
        """Do as the browser and the person there do; return the code that goes back."""
        parts = urlsplit(address)
        assert parts.path == "/authorize"
        wanted = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert (wanted["client_id"], wanted["response_type"], wanted["code_challenge_method"]) == (CLIENT_ID, "code", "S256")
        assert "openid" in wanted["scope"].split()
        code = f"code-{len(self.asked)}"
        self.asked[code] = wanted
        return code

    def _respond(self, received: Received) -> bytes:
        match urlsplit(received.target).path:
            case "/.well-known/openid-configuration":
                return _json(self._metadata())
            case "/keys":
                keys: list[RSAKey | ECKey] = [_KEY] if self.signed != "by a new key" else [_KEY, _NEXT]
                return _json({"keys": [key.as_dict(private=False) for key in keys]})
            case "/token":
                return self._tokens(received)
            case "/userinfo" if received.headers.get("authorization") == "Bearer access":
                return _json(self.userinfo)
        return answer(404)

    def _metadata(self) -> dict[str, Any]:
        url = self.server.url
        names = {"authorization_endpoint": url("/authorize"), "token_endpoint": url("/token"), "jwks_uri": url("/keys")}
        return {"issuer": self.issuer, **names, "userinfo_endpoint": url("/userinfo"), **self.metadata}

    def _tokens(self, received: Received) -> bytes:
        form = {name: values[0] for name, values in parse_qs(received.body.decode()).items()}
        asked = self.asked.pop(form["code"], None)
        if self.token_status != 200 or asked is None:
            return answer(400 if asked is None else self.token_status, b'{"error":"invalid_grant"}')
        assert _client(received, form) == (CLIENT_ID, CLIENT_SECRET)
        challenge = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        assert (challenge, form["redirect_uri"]) == (asked["code_challenge"], asked["redirect_uri"])
        return _json({"access_token": "access", "token_type": "Bearer", "id_token": self._id_token(asked["nonce"])})

    def _id_token(self, nonce: str) -> str:
        said = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "exp": self.now // 1000 + 300,
            "iat": self.now // 1000,
            "nonce": nonce,
            "email": "Bob@Example.com",
            "email_verified": True,
            "name": "Bob",
        }
        claims = {name: value for name, value in {**said, **self.claims}.items() if value is not None}
        match self.signed:
            case "not":
                parts = [
                    urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none", "typ": "JWT"}, claims)
                ]
                return ".".join([*parts, ""])
            case "by another key":
                return serialize_compact({"alg": "RS256", "kid": "one"}, json.dumps(claims), _OTHER)
            case "with the public key":
                secret = OctKey.import_key(_KEY.as_pem(private=False).replace(b"-----", b""))
                return serialize_compact({"alg": "HS256", "kid": "one"}, json.dumps(claims), secret, algorithms=["HS256"])
            case "by a new key":
                return serialize_compact({"alg": "ES256", "kid": "two"}, json.dumps(claims), _NEXT)
            case "with garbage":
                return "a.b.c"
        return serialize_compact({"alg": "RS256", "kid": "one"}, json.dumps(claims), _KEY)


def _client(received: Received, form: dict[str, str]) -> tuple[str, str]:
    if "client_secret" in form:
        return form["client_id"], form["client_secret"]
    name, _, secret = b64decode(received.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _json(value: Any) -> bytes:
    return answer(200, json.dumps(value).encode(), content_type="application/json")
