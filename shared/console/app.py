"""From a request to a response: who it is, whether the role may, whether the form is ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from shared.console.desk import Desk
from shared.console.limits import Buckets
from shared.console.login import MINUTES, Door
from shared.console.page import Ask, page, render
from shared.console.routes import ANYONE, BACK, ROUTES, Route
from shared.console.session import ROLES, User
from shared.console.web import BASE, Request, Response, redirect, set_cookie
from shared.console.words import LANGUAGES, Words
from shared.errors import GoneError, RefusedError, SekishoError, TransientError

LANGUAGE, RETURN = "sekisho_lang", "sekisho_back"
YEAR = 31_536_000
STATIC = Path(__file__).parent / "static"
FILES = {"console.css": "text/css; charset=utf-8", "mark.svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Console:
    """``origin`` is the console's address without a path; ``desk`` is made at the first need."""

    door: Door
    desk: Callable[[], Desk]
    origin: str
    buckets: Buckets
    routes: tuple[Route, ...] = field(default=ROUTES)

    async def handle(self, request: Request) -> Response:
        """Always a page; what went wrong is said without details."""
        words = Words(request.query.get("lang") or request.cookie(LANGUAGE))
        try:
            answer = await self._answer(request, words)
        except GoneError:
            answer = render("message.html", words, status=404, key="error.not_found")
        except RefusedError:
            answer = render("message.html", words, status=403, key="error.refused")
        except TransientError:
            answer = render("message.html", words, status=503, key="error.away")
        except SekishoError:
            answer = render("message.html", words, status=500, key="error.broken")
        chosen = request.query.get("lang")
        if chosen in LANGUAGES and not answer.cookie:
            cookie = set_cookie(LANGUAGE, chosen, YEAR, secure=self.door.secure)
            answer = replace(answer, cookie=cookie)
        return answer

    async def _answer(self, request: Request, words: Words) -> Response:
        if request.method == "GET" and request.path.startswith("static/"):
            return _file(request.path.removeprefix("static/"))
        if request.method == "POST" and not self._from_here(request):
            message = "another site's form"
            raise RefusedError(message)
        if (entered := await self._entering(request, words)) is not None:
            return _returned(request, entered)
        user = self.door.user(request)
        if user is None:
            return self._anonymous(request, words)
        if not self.buckets.take(user.session):
            return render("message.html", words, status=429, key="error.too_many")
        return await self._view(request, words, user)

    def _anonymous(self, request: Request, words: Words) -> Response:
        """To the sign-in where it leads on: from the door, and from a notice's link."""
        if request.method == "GET" and not request.path:
            return redirect(f"{BASE}/login")
        if request.method == "GET" and BACK.fullmatch(request.path):
            cookie = set_cookie(RETURN, request.path, MINUTES * 60, secure=self.door.secure)
            return redirect(f"{BASE}/login", cookie)
        return render("message.html", words, status=401, key="error.anonymous")

    async def _entering(self, request: Request, words: Words) -> Response | None:
        match request.method, request.path, self.door.kind:
            case "GET", "login", "local":
                return render("login.html", words, roles=ROLES)
            case "POST", "login", "local":
                return self.door.choose(request)
            case "GET", "login", "oidc":
                return render("login.html", words, roles=())
            case "GET", "login/start", "oidc":
                return await self.door.enter()
            case "GET", "login/back", "oidc":
                return await self.door.back(request)
            case _:
                return None

    async def _view(self, request: Request, words: Words, user: User) -> Response:
        csrf = self.door.sessions.csrf(user)
        ask = Ask(request, user, words, csrf)
        if request.method == "POST":
            if not self.door.sessions.genuine(user, request.form().get("csrf", "")):
                return page("message.html", ask, status=403, key="error.form")
            if request.path == "logout":
                return self.door.leave()
        known = False
        for route in self.routes:
            found = re.fullmatch(route.pattern, request.path, re.ASCII)
            if found is None:
                continue
            known = True
            if route.method != request.method:
                continue
            if route.roles != ANYONE and not ask.may(*route.roles):
                return page("message.html", ask, status=403, key="error.role")
            return await route.view(self.desk(), replace(ask, args=found.groups()))
        key, status = ("error.form", 405) if known else ("error.not_found", 404)
        return page("message.html", ask, status=status, key=key)

    def _from_here(self, request: Request) -> bool:
        """A browser names the page's origin with every POST; what names none has our token."""
        origin = request.headers.get("origin", "")
        return not origin or urlsplit(origin)[:2] == urlsplit(self.origin)[:2]


def _returned(request: Request, entered: Response) -> Response:
    """Back to the page that a notice's link led to, once somebody has signed in."""
    there = request.cookie(RETURN)
    if entered.location == BASE and BACK.fullmatch(there):
        return replace(entered, location=f"{BASE}/{there}")
    return entered


def _file(name: str) -> Response:
    if name not in FILES:
        raise GoneError(name)
    return Response(200, (STATIC / name).read_bytes(), FILES[name], cacheable=True)
