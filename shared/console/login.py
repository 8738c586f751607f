"""How one gets in.

Entra ID (``oidc``), the platform's own sign-in (``easyauth``), or, on this machine alone, by
choosing a role (``local``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from shared.codec import decode
from shared.console.oidc import Issuer, Person
from shared.console.session import COOKIE, HOURS, ROLES, Login, Sessions, User
from shared.console.web import BASE, Request, Response, redirect, set_cookie
from shared.errors import MalformedError, RefusedError

MINUTES = 10
_PERSON = re.compile(r"[0-9a-z-]{0,64}")  # an object id, or a made-up one
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Claim(msgspec.Struct):
    typ: str
    val: str


class _Principal(msgspec.Struct):
    claims: list[_Claim]


@dataclass(frozen=True, slots=True)
class Door:
    """``kind`` is ``oidc``, ``easyauth`` or ``local``; ``fresh`` gives an unguessable text."""

    kind: str
    sessions: Sessions
    fresh: Callable[[], str]
    secure: bool
    issuer: Issuer | None = field(default=None, repr=False)

    def user(self, request: Request) -> User | None:
        """Who calls, or None."""
        if self.kind == "easyauth":
            return self._principal(request)
        return self.sessions.open(request.cookie(COOKIE), User)

    async def enter(self) -> Response:
        """Off to the sign-in page."""
        assert self.issuer is not None
        until = self.sessions.now() + MINUTES * 60
        login = Login(self.fresh(), self.fresh(), self.fresh() + self.fresh(), until)
        return redirect(await self.issuer.address(login), self._cookie(login, MINUTES * 60))

    async def back(self, request: Request) -> Response:
        """The way back from the sign-in page; RefusedError unless it is the one that we began."""
        login = self.sessions.open(request.cookie(COOKIE), Login)
        if self.issuer is None or login is None or request.query.get("state") != login.state:
            message = "sign-in: not one that began here"
            raise RefusedError(message)
        person = await self.issuer.person(request.query.get("code", ""), login)
        return self.welcome(person)

    def choose(self, request: Request) -> Response:
        """The stand-in on this machine: the form says who one is. RefusedError anywhere else."""
        if self.kind != "local" or urlsplit(f"//{request.host}").hostname not in LOOPBACK:
            message = "sign-in: the stand-in is for this machine"
            raise RefusedError(message)
        form = request.form()
        role, person = form.get("role", ""), form.get("person", "")
        if role not in (*ROLES, "") or not (role or person) or not _PERSON.fullmatch(person):
            message = "sign-in: no such role"
            raise RefusedError(message)
        named = person or f"local-{role}"
        return self.welcome(Person(named, f"{person or role} (local)", (role,) if role else ()))

    def welcome(self, person: Person) -> Response:
        """A session of its own, whatever cookie came with the request."""
        until = self.sessions.now() + HOURS * 3600
        user = User(person.id, person.name[:80], person.roles, self.fresh(), until)
        return redirect(BASE, self._cookie(user, HOURS * 3600))

    def leave(self) -> Response:
        """The session's end."""
        return redirect(f"{BASE}/login", set_cookie(COOKIE, "", 0, secure=self.secure))

    def _cookie(self, value: User | Login, seconds: int) -> str:
        return set_cookie(COOKIE, self.sessions.seal(value), seconds, secure=self.secure)

    def _principal(self, request: Request) -> User | None:
        """The platform's header; it removes any that a client sends itself."""
        try:
            raw = base64.b64decode(request.headers.get("x-ms-client-principal", ""), validate=True)
            claims = decode(raw, _Principal).claims
        except (binascii.Error, MalformedError):
            return None
        found = {claim.typ.rpartition("/")[2]: claim.val for claim in claims}
        roles = {claim.val for claim in claims if claim.typ.rpartition("/")[2] in {"roles", "role"}}
        identity = found.get("objectidentifier") or found.get("oid", "")
        if not identity:
            return None
        granted = tuple(role for role in ROLES if role in roles)
        session = hashlib.sha256(identity.encode()).hexdigest()
        until = self.sessions.now() + HOURS * 3600
        return User(identity, found.get("name", identity)[:80], granted, session, until)
