"""OpenID Connect: the app itself checks who signed in (authorization code with PKCE, RS256).

Rules: OpenID Connect Core 1.0 section 3.1.3.7, RFC 7636, RFC 9700. Entra ID gives app roles in the
claim ``roles`` (learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt

from shared.console.session import ROLES, Login
from shared.errors import RefusedError, UnavailableError

LEEWAY = 60  # seconds between our clock and the issuer's
AGAIN = 60  # seconds before an unknown key id makes us ask for the keys again
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Person:
    """What a verified token says."""

    id: str
    name: str
    roles: tuple[str, ...]


@dataclass(slots=True)
class Issuer:
    """One issuer and our registration there.

    ``assertion`` gives a client assertion (a managed identity's token) where the issuer wants one:
    no client secret is kept. ``now`` gives Unix seconds.
    """

    url: str
    client_id: str
    redirect: str
    now: Callable[[], int]
    http: httpx.AsyncClient = field(repr=False)
    assertion: Callable[[], Awaitable[str]] | None = None
    _config: dict[str, Any] = field(default_factory=dict)
    _keys: dict[str, Any] = field(default_factory=dict, repr=False)
    _asked: int = 0

    async def address(self, login: Login) -> str:
        """Where the browser goes to sign in."""
        challenge = hashlib.sha256(login.verifier.encode()).digest()
        query = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect,
            "scope": "openid profile",
            "state": login.state,
            "nonce": login.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        config = await self._configuration()
        return f"{config['authorization_endpoint']}?{urlencode(query)}"

    async def person(self, code: str, login: Login) -> Person:
        """Whom a code stands for; RefusedError for anything that is not exactly right."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": code,
            "redirect_uri": self.redirect,
            "code_verifier": login.verifier,
        }
        if self.assertion is not None:
            form |= {
                "client_assertion_type": ASSERTION,
                "client_assertion": await self.assertion(),
            }
        config = await self._configuration()
        answer = await self._json("POST", str(config["token_endpoint"]), form)
        return await self.verify(str(answer.get("id_token", "")), login.nonce)

    async def verify(self, token: str, nonce: str) -> Person:
        """What a token says, after its signature, issuer, audience, times and nonce are checked."""
        key = await self._key(token)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],  # never what the token itself asks for
                audience=self.client_id,
                issuer=self.url,
                options={
                    "require": ["exp", "iat", "iss", "aud", "sub", "nonce"],
                    "verify_exp": False,  # by our own clock, below
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidTokenError as error:
            message = f"sign-in: {type(error).__name__}"
            raise RefusedError(message) from None
        self._timely(claims)
        if not nonce or claims["nonce"] != nonce:
            message = "sign-in: another nonce"
            raise RefusedError(message)
        return _person(claims)

    def _timely(self, claims: dict[str, Any]) -> None:
        now = self.now()
        try:
            good = (
                int(claims["exp"]) + LEEWAY > now
                and int(claims["iat"]) - LEEWAY <= now
                and int(claims.get("nbf", now)) - LEEWAY <= now
            )
        except (TypeError, ValueError):
            good = False
        if not good:
            message = "sign-in: the token is not of this time"
            raise RefusedError(message)

    async def _key(self, token: str) -> Any:
        try:
            name = str(jwt.get_unverified_header(token).get("kid", ""))
        except jwt.InvalidTokenError:
            message = "sign-in: no token"
            raise RefusedError(message) from None
        if name not in self._keys and self.now() - self._asked >= AGAIN:
            self._asked = self.now()
            config = await self._configuration()
            found = jwt.PyJWKSet.from_dict(await self._json("GET", str(config["jwks_uri"])))
            self._keys = {str(key.key_id): key.key for key in found.keys if key.key_type == "RSA"}
        if name not in self._keys:
            message = "sign-in: a key that the issuer does not publish"
            raise RefusedError(message)
        return self._keys[name]

    async def _configuration(self) -> dict[str, Any]:
        if not self._config:
            config = await self._json("GET", f"{self.url}/.well-known/openid-configuration")
            if config.get("issuer") != self.url:
                message = "sign-in: the issuer calls itself something else"
                raise RefusedError(message)
            self._config = config
        return self._config

    async def _json(self, method: str, url: str, form: dict[str, str] | None = None) -> Any:
        try:
            answer = await self.http.request(method, url, data=form)
        except httpx.HTTPError as error:
            message = f"sign-in: {type(error).__name__}"
            raise UnavailableError(message) from None
        if answer.status_code >= 500:  # noqa: PLR2004 - the issuer's own fault
            message = "sign-in: the issuer is away"
            raise UnavailableError(message)
        if answer.status_code >= 400:  # noqa: PLR2004 - it refused us
            message = "sign-in: the issuer refused"
            raise RefusedError(message)
        return answer.json()


def _person(claims: dict[str, Any]) -> Person:
    roles = claims.get("roles", [])
    granted = tuple(role for role in ROLES if isinstance(roles, list) and role in roles)
    identity = str(claims.get("oid") or claims["sub"])
    return Person(identity, str(claims.get("name") or identity), granted)
