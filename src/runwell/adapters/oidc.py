"""An OpenID Connect provider: discovery, the token endpoint, and what an id token must say to count."""

import asyncio
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from runwell.adapters.oidc_claims import ALGORITHMS, check_claims, outsider_of
from runwell.model.errors import InvalidInput, NotIdentified, ProviderUnavailable
from runwell.ports.clock import Clock
from runwell.ports.identity import Outsider

CACHED_MS: Final = 3_600_000
"""How long what the provider says about itself is good for."""

KEYS_AGAIN_MS: Final = 60_000
"""How soon after a look at the keys an unknown key is reason for another."""

_SECONDS: Final = 10.0
_MOST_BYTES: Final = 1_000_000
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class OidcProvider:
    """`IdentityProvider` by an issuer's address. Raises `InvalidInput` for one that is not https; loopback may be http."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, clock: Clock) -> None:
        if not is_safe(issuer):
            raise InvalidInput(f"RUNWELL_OIDC_ISSUER is {issuer!r}", hint="set it to the issuer's address, which begins with https://")
        self._issuer, self._client_id, self._client_secret, self._clock = issuer, client_id, client_secret, clock
        self._http = httpx2.AsyncClient(timeout=_SECONDS)
        self._asking = asyncio.Lock()
        self._metadata: tuple[int, dict[str, Any]] | None = None
        self._keys: tuple[int, KeySet] | None = None

    async def address(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        endpoint: str = (await self._discovered())["authorization_endpoint"]
        wanted = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(wanted)}"

    async def identify(self, *, code: str, redirect_uri: str, nonce: str, verifier: str) -> Outsider:
        tokens = await self._exchange(code, redirect_uri, verifier)
        claims = await self._verified(tokens.get("id_token"))
        now = self._clock.now() // 1000
        check_claims(claims, issuer=self._issuer, client_id=self._client_id, nonce=nonce, now=now)
        if "email" not in claims:
            claims = {**claims, **await self._more(tokens, claims["sub"])}
        return outsider_of(self._issuer, claims)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _exchange(self, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        metadata = await self._discovered()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        auth: tuple[str, str] | None = None
        if "client_secret_basic" in metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            auth = quote_plus(self._client_id), quote_plus(self._client_secret)
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        answer = await self._send("POST", metadata["token_endpoint"], data=form, auth=auth)
        if answer.status_code in (400, 403):
            raise NotIdentified("the identity provider did not take its own code back", hint="sign in again")
        return _object(answer, "token endpoint")

    async def _verified(self, id_token: object) -> dict[str, Any]:
        """Return the claims of a token that the provider signed with one of its keys."""
        if not isinstance(id_token, str):
            raise NotIdentified("the identity provider sent no id token")
        try:
            return jwt.decode(id_token, await self._key_set(again=False), algorithms=ALGORITHMS).claims
        except InvalidKeyIdError:
            pass  # a new key, perhaps
        except (JoseError, ValueError, TypeError) as exc:
            _unsigned(exc)
        try:
            return jwt.decode(id_token, await self._key_set(again=True), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, TypeError) as exc:
            _unsigned(exc)

    async def _more(self, tokens: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """Return the e-mail claims of the userinfo endpoint: some providers keep the id token short."""
        endpoint, access_token = (await self._discovered()).get("userinfo_endpoint"), tokens.get("access_token")
        if not isinstance(endpoint, str) or not is_safe(endpoint) or not isinstance(access_token, str):
            return {}
        told = _object(await self._send("GET", endpoint, headers={"Authorization": f"Bearer {access_token}"}), "userinfo endpoint")
        if told.get("sub") != subject:
            raise NotIdentified("the identity provider tells of somebody else")
        return {name: told[name] for name in ("email", "email_verified", "name") if name in told}

    async def _discovered(self) -> dict[str, Any]:
        async with self._asking:
            now = self._clock.now()
            if self._metadata is None or self._metadata[0] <= now - CACHED_MS:
                found = await self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
                if found.get("issuer") != self._issuer:
                    raise ProviderUnavailable(
                        f"the identity provider at {self._issuer!r} says that it is {found.get('issuer')!r}",
                        hint="set RUNWELL_OIDC_ISSUER to exactly what it says",
                    )
                bad = next((name for name in _ENDPOINTS if not is_safe(found.get(name))), None)
                if bad is not None:
                    raise ProviderUnavailable(f"the identity provider names no {bad} that begins with https://")
                self._metadata = now, found
            return self._metadata[1]

    async def _key_set(self, *, again: bool) -> KeySet:
        address = (await self._discovered())["jwks_uri"]
        async with self._asking:
            now = self._clock.now()
            age = KEYS_AGAIN_MS if again else CACHED_MS
            if self._keys is None or self._keys[0] <= now - age:
                found = await self._fetch(address)
                try:
                    self._keys = now, KeySet.import_key_set({"keys": found["keys"]})
                except (JoseError, KeyError, TypeError, ValueError, AttributeError) as exc:
                    raise ProviderUnavailable("the identity provider's keys cannot be read") from exc
            return self._keys[1]

    async def _fetch(self, address: str) -> dict[str, Any]:
        return _object(await self._send("GET", address), address)

    async def _send(self, method: str, address: str, **options: Any) -> httpx2.Response:
        try:
            return await self._http.request(method, address, follow_redirects=False, **options)
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            raise ProviderUnavailable(f"the identity provider did not answer: {str(exc) or type(exc).__name__}", hint="try again") from exc


def is_safe(address: object) -> bool:
    """Whether what is sent there can be read by nobody between: https, or this machine."""
    if not isinstance(address, str):
        return False
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK))
    except ValueError:
        return False


_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def _challenge(verifier: str) -> str:
    """PKCE's S256 (RFC 7636)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _object(answer: httpx2.Response, what: str) -> dict[str, Any]:
    if answer.status_code != 200 or len(answer.content) > _MOST_BYTES:
        raise ProviderUnavailable(
            f"the identity provider answered {answer.status_code} at its {what}", hint="see RUNWELL_OIDC_CLIENT_ID and _CLIENT_SECRET"
        )
    try:
        told = answer.json()
    except ValueError as exc:
        raise ProviderUnavailable(f"the identity provider sent no JSON from its {what}") from exc
    if not isinstance(told, dict):
        raise ProviderUnavailable(f"the identity provider sent no object from its {what}")
    return told


def _unsigned(exc: Exception) -> NoReturn:
    raise NotIdentified("the identity provider's token is not signed by it", hint="sign in again") from exc
