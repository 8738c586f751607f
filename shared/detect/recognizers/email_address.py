"""メールアドレス (RFC 5321 section 4.1.2), full-width ones and those between kana included."""

from __future__ import annotations

import re
from typing import ClassVar

from shared.detect.recognizer import Recognizer
from shared.detect.scene import Candidate, Scene
from shared.detect.shapes import Shape, Span

SHAPE = Shape("at", r"[A-Za-z0-9._%+\-]", "@[A-Za-z0-9]", before="", after="")
_LOCAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-"
_HOST = re.compile(
    rb"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)


class EmailAddress(Recognizer):
    """Whatever can be an address on the public internet."""

    entity = "email_address"
    shapes: tuple[Shape, ...] = (SHAPE,)
    sure_shapes: ClassVar[frozenset[str]] = frozenset({"at"})

    def value(self, scene: Scene, shape: str, span: Span) -> Candidate | None:
        """The address around the at sign, in lower case."""
        at = span[0] + 1
        host = _HOST.match(scene.skeleton, at + 1, at + 255)
        if host is None:
            return None
        before = scene.skeleton[max(0, at - 64) : at]
        local = before[len(before.rstrip(_LOCAL)) :].lstrip(b".-")
        if not local or local.endswith(b"."):
            return None
        start = at - len(local)
        value = scene.skeleton[start : host.end()].lower()
        return Candidate(shape, start, host.end(), value)
