"""The page where a recipient asks for the original of a sanitised mail. No script, no cookie.

Whoever has the link may ask, and says for which address; or (``easyauth``) the platform says who
signed in. What is asked for waits for a reviewer, and goes to a recipient of that mail alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.console.page import render_plain
from shared.console.passwords import PRINCIPAL
from shared.console.web import Request, Response
from shared.model import Item
from shared.policy.rule import JST
from shared.services.gate.originals import Asked
from shared.services.sidecar import Sidecar

LONGEST = 320  # characters of an address (RFC 5321, 4.5.3.1)
_STYLE = "style.css"


class Kept(Protocol):
    """What the page needs of ``shared.services.gate.originals.Originals``."""

    async def find(self, token: str) -> tuple[Item, Sidecar] | None:
        """The upload of a link and its envelope, or None."""

    async def ask(self, token: str, address: str) -> Asked:
        """One wish."""


@dataclass(frozen=True, slots=True)
class OriginalPages:
    """``login`` is ``off`` or ``easyauth``."""

    originals: Kept
    login: str = "off"

    async def handle(self, request: Request) -> Response:
        """GET shows the form, POST asks; ``request.path`` is the link's token, or the style."""
        if request.path == _STYLE:
            style = (Path(__file__).parent / "static" / "console.css").read_bytes()
            return Response(200, style, "text/css; charset=utf-8", cacheable=True)
        found = await self.originals.find(request.path)
        if found is None:
            return _page(404, Asked.UNKNOWN.value)
        signed_in = request.headers.get(PRINCIPAL, "").strip() if self.login != "off" else ""
        if self.login != "off" and not signed_in:
            return _page(404, Asked.UNKNOWN.value)
        received = found[1].received_at
        when = f"{received.astimezone(JST):%Y-%m-%d %H:%M}" if received else ""
        if request.method != "POST":
            return _page(200, "", when, address=not signed_in)
        address = signed_in or request.form().get("address", "").strip()[:LONGEST]
        if "@" not in address:
            return _page(200, "address", when, address=not signed_in)
        answer = await self.originals.ask(request.path, address)
        return _page(200 if answer is Asked.TAKEN else 404, answer.value, when)


def _page(status: int, answer: str, when: str = "", *, address: bool = False) -> Response:
    form = answer in {"", "address"}
    return render_plain(
        "original.html", status=status, answer=answer, form=form, when=when, address=address
    )
