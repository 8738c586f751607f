"""The signed head: how long the chain is and how it ends, signed; so truncation and forks show.

Keys are arguments. ES256 (ECDSA on P-256 with SHA-256, RFC 7518 section 3.4) over a domain name
and the head's canonical JSON.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.audit.chain import Tip
from shared.codec import encode

DOMAIN = b"sekisho/audit/head/v1\x00"

type Verify = Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Head:
    """``count`` records, the last of which has ``hash``, at ``time``."""

    count: int
    hash: str
    time: datetime

    def tip(self) -> Tip:
        """The head as the verifier of the chain wants it."""
        return Tip(self.count, self.hash)


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head, the id of the key that signed it, and the signature (base64 of DER)."""

    head: Head
    key: str
    signature: str


@dataclass(frozen=True, slots=True)
class Signer:
    """What signs, with the id by which a verifier finds the public key after a rotation."""

    key: str
    sign: Callable[[bytes], bytes] = field(repr=False)


def sign(head: Head, signer: Signer) -> SignedHead:
    """Sign a head."""
    signature = base64.b64encode(signer.sign(_message(head))).decode()
    return SignedHead(head, signer.key, signature)


def holds(signed: SignedHead, verifier: Verify) -> bool:
    """Whether the signature is good."""
    try:
        signature = base64.b64decode(signed.signature, validate=True)
    except ValueError:
        return False
    return verifier(_message(signed.head), signature)


def es256_signer(private_pem: bytes) -> Signer:
    """A signer from a P-256 private key in PEM; ValueError for any other key."""
    key = serialization.load_pem_private_key(private_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        message = "the signing key is not a P-256 private key"
        raise ValueError(message)  # noqa: TRY004 - a wrong key is a wrong value
    return Signer(
        key_id(public_pem(private_pem)),
        lambda message: key.sign(message, ec.ECDSA(hashes.SHA256())),
    )


def es256_verifier(public_pem: bytes) -> Verify:
    """A verifier from a P-256 public key in PEM; ValueError for any other key."""
    key = serialization.load_pem_public_key(public_pem)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        message = "the key is not a P-256 public key"
        raise ValueError(message)  # noqa: TRY004 - a wrong key is a wrong value

    def good(message: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    return good


def any_of(public_pems: Iterable[bytes]) -> Verify:
    """A verifier that takes a signature by any of these keys (the present one and former ones)."""
    each = [es256_verifier(pem) for pem in public_pems]
    return lambda message, signature: any(good(message, signature) for good in each)


def public_pem(private_pem: bytes) -> bytes:
    """The public half of a private key in PEM, for those who verify."""
    key = serialization.load_pem_private_key(private_pem, password=None)
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def key_id(public: bytes) -> str:
    """Sixteen hex digits that name a public key (of SHA-256 over its DER form)."""
    key = serialization.load_pem_public_key(public)
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()[:16]


def _message(head: Head) -> bytes:
    return DOMAIN + encode(head)
