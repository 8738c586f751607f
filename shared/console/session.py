"""Who is signed in: a signed cookie, and the tokens of its forms. Times are Unix seconds."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from shared.codec import decode, encode
from shared.errors import MalformedError

ROLES = ("viewer", "reviewer", "admin", "auditor")
HOURS = 8
COOKIE = "sekisho"


class User(msgspec.Struct, frozen=True):
    """A person: the directory's object id, a name to show, app roles, the session and its end."""

    id: str
    name: str
    roles: tuple[str, ...]
    session: str
    until: int


class Login(msgspec.Struct, frozen=True):
    """A sign-in under way: what must come back, and what proves that it is ours."""

    state: str
    nonce: str
    verifier: str
    until: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """Signs and reads cookies. ``now`` gives Unix seconds."""

    key: bytes = field(repr=False)
    now: Callable[[], int]

    def seal(self, value: User | Login) -> str:
        """The cookie of a session or of a sign-in under way."""
        data = base64.urlsafe_b64encode(encode(value)).decode().rstrip("=")
        return f"{data}.{self._mac(type(value).__name__, data)}"

    def open[T: (User, Login)](self, cookie: str, kind: type[T]) -> T | None:
        """What is in a cookie of ours that has not expired, else None."""
        data, _, mac = cookie.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(kind.__name__, data).encode()):
            return None
        try:
            raw = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
            value = decode(raw, kind)
        except (binascii.Error, MalformedError):
            return None
        return value if value.until > self.now() else None

    def csrf(self, user: User) -> str:
        """The token that every form of this session carries."""
        return self._mac("csrf", user.session)

    def genuine(self, user: User, token: str) -> bool:
        """Whether a form is one of ours."""
        return hmac.compare_digest(token.encode(), self.csrf(user).encode())

    def _mac(self, purpose: str, data: str) -> str:
        return hmac.digest(self.key, f"console\0{purpose}\0{data}".encode(), hashlib.sha256).hex()
