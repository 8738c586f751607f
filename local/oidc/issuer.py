"""Configuration, keys, authorization code with PKCE, tokens: as much as a sign-in needs.

Everybody who comes to the authorization endpoint is ``who``, at once; a test sets it. Codes work
once. The stand-in checks what Entra ID checks: client, redirect address, verifier.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT = "sekisho-console"
MINUTES = 10


class Oidc:
    """A running issuer; a context manager. ``keys`` are by id, ``who`` are the next claims."""

    def __init__(self, redirect: str = "") -> None:
        self.redirect = redirect
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.who: dict[str, Any] = {"oid": "u-1", "name": "確認 花子", "roles": ["reviewer"]}
        self.codes: dict[str, dict[str, str]] = {}
        self.down = False
        self.rotate()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/tenant/v2.0"

    def rotate(self) -> str:
        """A new key beside the old ones; its id."""
        name = f"key-{len(self.keys) + 1}"
        self.keys[name] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return name

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What a good token says, with changes (None removes a claim)."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "subject",
            "iat": now,
            "nbf": now,
            "exp": now + MINUTES * 60,
            **self.who,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, nonce: str, **changes: Any) -> str:
        """A token signed with the newest key."""
        name = list(self.keys)[-1]
        claims = self.claims(nonce=nonce, **changes)
        return jwt.encode(claims, self.keys[name], algorithm="RS256", headers={"kid": name})

    def answer(self, method: str, path: str, fields: dict[str, str]) -> tuple[int, Any]:
        """Status and JSON, or 302 and an address."""
        if self.down:
            return 503, {"error": "temporarily_unavailable"}
        match method, path.removeprefix("/tenant/"):
            case "GET", "v2.0/.well-known/openid-configuration":
                base = self.url.removesuffix("/v2.0")
                return 200, {
                    "issuer": self.url,
                    "authorization_endpoint": f"{base}/authorize",
                    "token_endpoint": f"{base}/token",
                    "jwks_uri": f"{base}/keys",
                }
            case "GET", "keys":
                return 200, {"keys": [_public(name, key) for name, key in self.keys.items()]}
            case "GET", "authorize":
                return self._authorize(fields)
            case "POST", "token":
                return self._token(fields)
        return 404, {"error": "not_found"}

    def _authorize(self, fields: dict[str, str]) -> tuple[int, Any]:
        good = (
            fields.get("client_id") == CLIENT
            and fields.get("response_type") == "code"
            and fields.get("code_challenge_method") == "S256"
            and fields.get("redirect_uri") == self.redirect
        )
        if not good:
            return 400, {"error": "invalid_request"}
        code = secrets.token_urlsafe(16)
        self.codes[code] = fields
        return 302, f"{self.redirect}?{urlencode({'code': code, 'state': fields['state']})}"

    def _token(self, fields: dict[str, str]) -> tuple[int, Any]:
        asked = self.codes.pop(fields.get("code", ""), None)
        digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        return 200, {"token_type": "Bearer", "id_token": self.token(asked["nonce"])}

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _public(name: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    found: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**found, "kid": name, "use": "sig", "alg": "RS256"}


def _handler(issuer: Oidc) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _do(self, method: str) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length).decode() if length else parts.query
            fields = {name: values[0] for name, values in parse_qs(raw).items()}
            status, answer = issuer.answer(method, parts.path, fields)
            self.send_response(status)
            if isinstance(answer, str):
                self.send_header("Location", answer)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"" if isinstance(answer, str) else json.dumps(answer).encode())

        def do_GET(self) -> None:
            self._do("GET")

        def do_POST(self) -> None:
            self._do("POST")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    return Handler
