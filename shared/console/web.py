"""A request and a response as the console knows them, free of any framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

BASE = "/api/console"
FIELDS = 80  # of one form: the values of a suppression are the most
FORM_LIMIT = 16_384  # bytes; the longest form is a note
# No script at all, no style outside our file, nothing from elsewhere, never in a frame.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` is what follows ``/api/console/``; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    host: str = ""

    def cookie(self, name: str) -> str:
        """A cookie's value, or nothing."""
        try:
            jar = SimpleCookie(self.headers.get("cookie", ""))
        except CookieError:
            return ""
        return jar[name].value if name in jar else ""

    def form(self) -> dict[str, str]:
        """The fields of a posted form; nothing where it is too long or no form."""
        return {name: values[0] for name, values in self.form_all().items()}

    def form_all(self) -> dict[str, list[str]]:
        """The same with every value of a field that is there more than once."""
        if len(self.body) > FORM_LIMIT:
            return {}
        try:
            return parse_qs(self.body.decode(), keep_blank_values=True, max_num_fields=FIELDS)
        except ValueError:
            return {}


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back; ``cookie`` is a whole Set-Cookie value."""

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    media_type: str = "text/html; charset=utf-8"
    location: str = ""
    cookie: str = field(default="", repr=False)
    cacheable: bool = False

    def headers(self) -> dict[str, str]:
        """Every header but the content type."""
        found = dict(HEADERS)
        if self.cacheable:
            found["Cache-Control"] = "public, max-age=3600"
        if self.location:
            found["Location"] = self.location
        if self.cookie:
            found["Set-Cookie"] = self.cookie
        return found


def redirect(location: str, cookie: str = "") -> Response:
    """See other: a GET follows, whatever it was."""
    return Response(303, location=location, cookie=cookie)


def set_cookie(name: str, value: str, seconds: int, *, secure: bool) -> str:
    """HttpOnly and SameSite=Lax: the way back from the sign-in page comes from another site."""
    words = f"{name}={value}; Path={BASE}; Max-Age={seconds}; HttpOnly; SameSite=Lax"
    return f"{words}; Secure" if secure else words


def render_off() -> Response:
    """What is said where no sign-in is set up: nothing."""
    return Response(404, b"not found", "text/plain; charset=utf-8")
