"""What an id token must say (OpenID Connect Core 3.1.3.7), and whom it names."""

import re
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from runwell.model.errors import NotIdentified
from runwell.ports.identity import Outsider

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a key pair only: neither `none`, nor HMAC, for which a public key could pass as the secret."""

LEEWAY_S: Final = 60
_EMAIL: Final = re.compile("[^@\\s\x00-\x1f\ud800-\udfff]+@[^@\\s\x00-\x1f\ud800-\udfff]+")
_NAME: Final = 200
_SUBJECT: Final = 255


def check_claims(claims: dict[str, Any], *, issuer: str, client_id: str, nonce: str, now: int) -> None:
    """Raise `NotIdentified` unless the token is from the issuer, for us, for this sign-in and still good."""
    registry = JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        registry.validate(claims)
    except (JoseError, ValueError, TypeError, OverflowError) as exc:
        raise NotIdentified(f"the identity provider's token does not count: {exc}", hint="sign in again") from exc
    parties = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims.get("azp", client_id) != client_id or (len(parties) > 1 and "azp" not in claims):
        raise NotIdentified("the identity provider's token is for another client", hint="sign in again")
    if len(claims["sub"]) > _SUBJECT or not (claims["sub"].isascii() and claims["sub"].isprintable()):
        raise NotIdentified("the identity provider's token has no usable subject")


def outsider_of(issuer: str, claims: dict[str, Any]) -> Outsider:
    """Return whom checked claims name. An e-mail address counts only if the provider has verified it."""
    email = claims.get("email")
    verified = claims.get("email_verified") in (True, "true")  # some send text
    usable = isinstance(email, str) and len(email) <= 254 and _EMAIL.fullmatch(email) is not None
    known = str(email).lower() if verified and usable else None
    name = claims.get("name")
    letters = name.encode(errors="ignore").decode() if isinstance(name, str) else ""
    shown = "".join(letter for letter in letters if ord(letter) >= 32).strip()
    return Outsider(issuer=issuer, subject=claims["sub"], email=known, name=shown[:_NAME] or known or claims["sub"][:_NAME])
