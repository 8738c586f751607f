"""Templates to pages: everything is escaped, an unknown name is an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import jinja2

from shared.console.session import User
from shared.console.web import BASE, Request, Response
from shared.console.words import Words


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, slots=True)
class Ask:
    """One request with who asks, in which language; ``args`` come from the path."""

    request: Request
    user: User
    words: Words
    csrf: str = field(repr=False)
    args: tuple[str, ...] = ()

    def may(self, *roles: str) -> bool:
        """Whether the person has one of the roles."""
        return bool(set(roles) & set(self.user.roles))

    def query(self, name: str) -> str:
        """A field of the address, short."""
        return self.request.query.get(name, "")[:200]


def page(template: str, ask: Ask, *, status: int = 200, **values: object) -> Response:
    """The whole page."""
    return render(template, ask.words, status=status, ask=ask, user=ask.user, **values)


def render(template: str, words: Words, *, status: int = 200, **values: object) -> Response:
    """A page for somebody who may not be signed in."""
    values = {"ask": None, "user": None, **values}
    text = _templates().get_template(template).render(t=words, base=BASE, **values)
    return Response(status, text.encode())


def render_plain(template: str, *, status: int = 200, **values: object) -> Response:
    """A page that stands alone and says everything in both languages."""
    text = _templates().get_template(template).render(**values)
    return Response(status, text.encode())
