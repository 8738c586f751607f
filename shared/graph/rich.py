"""Rich notifications: who sent them, and what is in them.

The algorithm is Microsoft's: the data key by RSA-OAEP with SHA-1 and MGF1-SHA-1, an HMAC-SHA-256
over the ciphertext that is compared *before* anything is decrypted, then AES-CBC with PKCS7 and the
key's first 16 bytes as vector (learn.microsoft.com/graph/change-notifications-with-resource-data).
Each batch carries validation tokens: RS256 by Microsoft's published keys, for our application, from
the change notification publisher's application.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from shared.errors import RefusedError, UnavailableError
from shared.ports import Clock

PUBLISHER: Final = "0bf30f3b-4a52-48df-9a82-234910c4a086"
_LEEWAY = 60
_FRESH = timedelta(hours=24)
_AGAIN = timedelta(minutes=5)
_IV = 16

type Fetch = Callable[[], Awaitable[Mapping[str, Any]]]
"""Gives the JSON Web Key Set; UnavailableError where it cannot."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One live certificate: its id in subscriptions, its DER, and the private key (of PEM)."""

    id: str
    der: bytes = field(repr=False)
    key: Any = field(repr=False)

    @classmethod
    def load(cls, name: str, pem: bytes) -> Certificate:
        """From a PEM file that holds both; ValueError if it does not."""
        from cryptography import x509  # noqa: PLC0415 - not in the webhook
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            Encoding,
            load_pem_private_key,
        )

        certificate = x509.load_pem_x509_certificate(pem)
        key = load_pem_private_key(pem, None)
        return cls(name, certificate.public_bytes(Encoding.DER), key)

    @property
    def text(self) -> str:
        """What a subscription wants as ``encryptionCertificate``."""
        return base64.b64encode(self.der).decode()


class Keys:
    """Microsoft's signing keys, fetched at first use, kept for a day, asked again for a new one.

    A key id that is not known asks again at most every five minutes, so that a flood of forged
    tokens is not a flood of requests.
    """

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._fetched: datetime | None = None

    async def key(self, kid: str) -> Any:
        """The key of that id, or None."""
        age = self._clock() - self._fetched if self._fetched else _FRESH
        if age >= _FRESH or (kid not in self._keys and age >= _AGAIN):
            await self._load()
        return self._keys.get(kid)

    async def _load(self) -> None:
        import jwt  # noqa: PLC0415 - not in the webhook

        found: dict[str, Any] = {}
        given = (await self._fetch()).get("keys")
        for each in given if isinstance(given, list) else []:
            try:
                found[str(each["kid"])] = jwt.PyJWK.from_dict(each, algorithm="RS256").key
            except (jwt.PyJWTError, KeyError, TypeError):
                continue  # a key of a kind that we do not use
        self._keys, self._fetched = found, self._clock()


class Rich:
    """Opens what the webhook put on the queue. ``certificates``: the new one and the old ones."""

    def __init__(
        self, certificates: Sequence[Certificate], keys: Keys, *, audience: str, tenant: str
    ) -> None:
        self._private = {each.id: each.key for each in certificates}
        self._keys = keys
        self._audience = audience
        self._tenant = tenant

    async def open(self, sealed: bytes) -> dict[str, Any]:
        """The resource of a sealed part; RefusedError if it is not genuine, whatever is wrong."""
        try:
            value = msgspec.json.decode(sealed)
            content, tokens = value["content"], value["tokens"]
            await self._verify(tokens)
            opened = msgspec.json.decode(decrypt(content, self._private))
        except (
            msgspec.DecodeError,
            binascii.Error,
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
        ):
            message = "a rich notification that does not open"
            raise RefusedError(message) from None
        if not isinstance(opened, dict):
            message = "a rich notification that is no object"
            raise RefusedError(message)
        return opened

    async def _verify(self, tokens: Collection[str]) -> None:
        if not tokens:
            message = "a rich notification without validation tokens"
            raise RefusedError(message)
        for each in tokens:
            await self._verify_one(each)

    async def _verify_one(self, token: str) -> None:
        import jwt  # noqa: PLC0415 - not in the webhook

        try:
            key = await self._keys.key(str(jwt.get_unverified_header(token).get("kid")))
            claims = jwt.decode(
                token,
                key or "",
                algorithms=["RS256"],
                audience=self._audience,
                leeway=_LEEWAY,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, TypeError, ValueError):
            message = "a validation token that is not genuine"
            raise RefusedError(message) from None
        tenant = str(claims.get("tid"))
        issuers = (
            f"https://sts.windows.net/{tenant}/",
            f"https://login.microsoftonline.com/{tenant}/v2.0",
        )
        publisher = str(claims.get("appid") or claims.get("azp"))
        told = hmac.compare_digest(publisher.encode(), PUBLISHER.encode())
        if not told or tenant != self._tenant or claims["iss"] not in issuers:
            message = "a validation token of another publisher or tenant"
            raise RefusedError(message)


def decrypt(content: Mapping[str, str], private: Mapping[str, Any]) -> bytes:
    """The plaintext of an ``encryptedContent``; KeyError, ValueError where it is not ours."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - not in the webhook
    from cryptography.hazmat.primitives import padding as blocks  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    # Graph's choice; OAEP does not rest on its collisions.
    sha1 = hashes.SHA1()  # noqa: S303 # nosec B303
    oaep = padding.OAEP(mgf=padding.MGF1(sha1), algorithm=sha1, label=None)
    sealed_key = base64.b64decode(content["dataKey"], validate=True)
    key = private[content["encryptionCertificateId"]].decrypt(sealed_key, oaep)
    data = base64.b64decode(content["data"], validate=True)
    signature = base64.b64decode(content["dataSignature"], validate=True)
    if not hmac.compare_digest(hmac.digest(key, data, "sha256"), signature):
        message = "the signature is not of this data"
        raise ValueError(message)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:_IV])).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    unpadder = blocks.PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def seal_of(sealed: bytes) -> str:
    """What names a part that opened: 32 hex digits of its signature, however that is written.

    Nobody without the data key can make another signature for the same content, or the same for
    another.
    """
    signature = msgspec.json.decode(sealed)["content"]["dataSignature"]
    return hashlib.sha256(base64.b64decode(signature, validate=True)).hexdigest()[:32]


def fetch_from(url: str, timeout: float = 10.0) -> Fetch:
    """Fetches the key set from an address."""

    async def fetch() -> Mapping[str, Any]:
        import httpx  # noqa: PLC0415 - not in the webhook

        try:
            async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
                answer = await client.get(url)
                answer.raise_for_status()
                value = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            message = f"the signing keys of validation tokens: {type(error).__name__}"
            raise UnavailableError(message) from None
        return value if isinstance(value, dict) else {}

    return fetch
