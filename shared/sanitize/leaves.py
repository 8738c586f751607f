"""A mail's bodies and attachments, changed one by one; what is not changed stays byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shared.model import GapCode
from shared.sanitize import mime
from shared.sanitize.mime import Entity
from shared.sanitize.work import HoldError

DEPTH = 30
SIGNED = "multipart/signed"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One body or attachment, decoded; ``attached`` says which."""

    data: bytes = field(repr=False)
    name: str = field(repr=False)
    kind: str
    charset: str
    attached: bool
    location: str


type Change = Callable[[Leaf], Leaf]
"""Gives the leaf it was given where there is nothing to change; raises HoldError."""


def rewritten(data: bytes, change: Change, location: str = "") -> bytes:
    """The mail with changed leaves. Raises HoldError; ``ambiguous`` as ``mime`` does."""
    return _Walk(change, location).entity(mime.parse(data), 0).raw()


class _Walk:
    def __init__(self, change: Change, location: str) -> None:
        self._change = change
        self._where = f"{location} › " if location else ""
        self._attachments = 0

    def entity(self, entity: Entity, depth: int) -> Entity:
        """A part and all below it."""
        if depth > DEPTH:
            raise HoldError(GapCode.TOO_DEEP)
        message = entity.message()
        kind = message.get_content_type()
        if not kind.startswith("multipart/"):
            return self._leaf(entity)
        boundary = message.get_boundary()
        if not boundary or entity.encoding() in {"base64", "quoted-printable"}:
            raise HoldError(GapCode.AMBIGUOUS)
        pieces = mime.split(entity.body, boundary.encode("ascii", "surrogateescape"))
        parts = [self.entity(mime.parse(piece), depth + 1).raw() for piece in pieces.parts]
        if kind == SIGNED and parts != list(pieces.parts):
            raise HoldError(GapCode.UNSUPPORTED)  # its signature would speak of another content
        return Entity(entity.head, entity.blank, pieces.join(parts))

    def _leaf(self, entity: Entity) -> Entity:
        message = entity.message()
        kind, name = message.get_content_type(), mime.file_name(message)
        attached = bool(name) or message.get_content_disposition() == "attachment"
        attached = attached or not kind.startswith("text/")
        self._attachments += attached
        where = f"{self._where}添付{self._attachments}" if attached else f"{self._where}本文"
        charset = message.get_param("charset", "")
        given = charset if isinstance(charset, str) else ""
        leaf = Leaf(entity.decoded(), name, kind, given, attached, where)
        changed = self._change(leaf)
        return entity if changed == leaf else _written(entity, leaf, changed)


def _written(entity: Entity, before: Leaf, after: Leaf) -> Entity:
    message = entity.message()
    if after.kind == "message/rfc822" and entity.encoding() in {"", "7bit", "8bit"}:
        return replace(entity, body=after.data)
    kind = after.kind
    if after.charset:
        kind += f"; charset={after.charset}"
    how = message.get_content_disposition() or ("attachment" if before.attached else "")
    if after.name:
        kind = mime.named(kind, "name", after.name)
        how = mime.named(how or "attachment", "filename", after.name)
    return entity.with_content(after.data, kind, how)
