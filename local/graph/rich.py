"""Rich notifications: the payload encrypted for a certificate, and tokens that prove the sender.

``learn.microsoft.com/graph/change-notifications-with-resource-data``: the payload under AES-256-CBC
(PKCS7) with a fresh key whose first 16 bytes are the IV, the key under RSA-OAEP with SHA-1, the
signature HMAC-SHA256 with that key over the ciphertext. The token is a JWT signed RS256 by a key of
the JWKS, from the publisher's own application.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import padding as symmetric
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from local.graph.state import ids

type Json = dict[str, Any]
PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"  # Graph's change tracking, as documented
TOKEN_SECONDS = 3600
KEY_BITS = range(2048, 4097)
TOKENS = frozenset({"signature", "unknown_key", "algorithm", "audience", "issuer", "expired"})
TOKENS |= {"publisher", "no_token"}
CONTENTS = frozenset({"ciphertext", "content_signature", "certificate"})
FORGERIES = TOKENS | CONTENTS


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whose certificate encrypts: its id as the client named it, its public key, its SHA-1."""

    id: str
    key: rsa.RSAPublicKey = field(repr=False)
    thumbprint: str


def recipient(certificate: str, certificate_id: str) -> Recipient:
    """From base64 of DER (PEM's lines are taken too); ValueError where it will not do."""
    text = "".join(line for line in certificate.split() if "-----" not in line)
    found = x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    key = found.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in KEY_BITS:
        message = "the certificate must have an RSA key of 2048 to 4096 bits"
        raise ValueError(message)
    return Recipient(certificate_id, key, found.fingerprint(hashes.SHA1()).hex().upper())  # noqa: S303 - Graph names certificates by SHA-1


def encrypted(payload: Json, to: Recipient, forgery: str = "") -> Json:
    """``encryptedContent``; ``forgery`` is one of CONTENTS, or nothing."""
    key, padder = os.urandom(32), symmetric.PKCS7(128).padder()
    data = padder.update(json.dumps(payload, ensure_ascii=False).encode()) + padder.finalize()
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    sealed = bytearray(cipher.update(data) + cipher.finalize())
    signature = bytearray(hmac.new(key, sealed, hashlib.sha256).digest())
    if forgery == "ciphertext":
        sealed[3] ^= 1
    if forgery == "content_signature":
        signature[3] ^= 1
    sha1 = hashes.SHA1()  # noqa: S303 - Graph's choice: OAEP with SHA-1
    oaep = padding.OAEP(mgf=padding.MGF1(sha1), algorithm=sha1, label=None)
    return {
        "data": base64.b64encode(sealed).decode(),
        "dataKey": base64.b64encode(to.key.encrypt(key, oaep)).decode(),
        "dataSignature": base64.b64encode(signature).decode(),
        "encryptionCertificateId": "unknown" if forgery == "certificate" else to.id,
        "encryptionCertificateThumbprint": to.thumbprint,
    }


class Signer:
    """The keys of the JWKS; made when they are first needed (a key takes a moment)."""

    def __init__(self) -> None:
        self._keys: list[tuple[str, rsa.RSAPrivateKey]] = []
        self._stranger: rsa.RSAPrivateKey | None = None

    def rotate(self) -> str:
        """Sign with a new key; the older ones stay in the set. Gives the new ``kid``."""
        self._keys.append((ids.share_token(), rsa.generate_private_key(65537, 2048)))
        return self._keys[-1][0]

    def jwks(self) -> Json:
        """The public keys."""
        self._current()
        algorithm = jwt.algorithms.RSAAlgorithm
        return {
            "keys": [
                {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"}
                for kid, key in self._keys
            ]
        }

    def token(self, audience: str, tenant: str, forgery: str = "") -> str:
        """A validation token; ``forgery`` is one of TOKENS (``no_token`` apart), or nothing."""
        now = int(time.time())
        wrong = ids.guid()
        claims = {
            "aud": wrong if forgery == "audience" else audience,
            "iss": f"https://sts.windows.net/{wrong if forgery == 'issuer' else tenant}/",
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_SECONDS,
            "appid": wrong if forgery == "publisher" else PUBLISHER,
            "appidacr": "2",
            "tid": tenant,
            "ver": "1.0",
        }
        if forgery == "expired":
            claims |= {"iat": now - 7200, "nbf": now - 7200, "exp": now - 3600}
        kid, key = self._current()
        headers = {"kid": wrong if forgery == "unknown_key" else kid, "x5t": kid}
        if forgery == "algorithm":
            return jwt.encode(claims, key="", algorithm="none", headers=headers)
        if forgery == "signature":
            if self._stranger is None:
                self._stranger = rsa.generate_private_key(65537, 2048)
            key = self._stranger
        return jwt.encode(claims, key, algorithm="RS256", headers=headers)

    def _current(self) -> tuple[str, rsa.RSAPrivateKey]:
        if not self._keys:
            self.rotate()
        return self._keys[-1]
