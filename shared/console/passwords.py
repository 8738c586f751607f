"""The page where a recipient types the password of an encrypted attachment. No script, no cookie.

Whoever has the link is believed to be the recipient, or (``easyauth``) the platform says who signed
in. A password is read from the form, handed on, and nowhere else; no page shows one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from shared.console.page import render_plain
from shared.console.web import Request, Response
from shared.policy.rule import JST
from shared.services.gate.locked import MOST, MOST_IN_WINDOW, WINDOW, Answer, Lock

PRINCIPAL = "x-ms-client-principal-name"
"""The platform's header; a client cannot set it where App Service Authentication is on."""
LONGEST = 256  # characters of a password
_STYLE = "style.css"
_STATUS = {
    Answer.OPENED: 200,
    Answer.WRONG: 200,
    Answer.DONE: 200,
    Answer.LIMITED: 429,
    Answer.BUSY: 409,
    Answer.UNKNOWN: 404,
}


class Waiting(Protocol):
    """What the page needs of ``shared.services.gate.locked.Locks``."""

    async def find(self, token: str) -> Lock | None:
        """The lock of a link, or None."""

    async def open(self, token: str, passwords: Sequence[str]) -> Answer:
        """One attempt."""


@dataclass(frozen=True, slots=True)
class PasswordPages:
    """``login`` is ``off`` or ``easyauth``."""

    locks: Waiting
    login: str = "off"

    async def handle(self, request: Request) -> Response:
        """GET shows the form, POST tries; ``request.path`` is the link's token, or the style."""
        if request.path == _STYLE:
            return Response(200, _style(), "text/css; charset=utf-8", cacheable=True)
        lock = await self.locks.find(request.path)
        if lock is None or not self._is(lock, request.headers):
            return _page(Answer.UNKNOWN, None)
        if request.method != "POST":
            return _page(None, lock)
        form = request.form()
        typed = [form.get(name, "")[:LONGEST] for name in ("password", "second")]
        given = tuple(dict.fromkeys(filter(None, typed)))
        if not given:
            return _page(None, lock)
        answer = await self.locks.open(request.path, given)
        return _page(answer, lock)

    def _is(self, lock: Lock, headers: Mapping[str, str]) -> bool:
        if self.login == "off":
            return True
        return headers.get(PRINCIPAL, "").strip().casefold() == lock.recipient.casefold()


def _page(answer: Answer | None, lock: Lock | None) -> Response:
    again = answer in {None, Answer.WRONG, Answer.BUSY}
    return render_plain(
        "password.html",
        status=_STATUS[answer] if answer else 200,
        answer=answer.value if answer else "",
        form=again and lock is not None,
        until=_time(lock.until) if lock else "",
        most=MOST_IN_WINDOW,
        minutes=int(WINDOW.total_seconds() // 60),
        in_all=MOST,
    )


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M}"


def _style() -> bytes:
    return (Path(__file__).parent / "static" / "console.css").read_bytes()
