"""Mail, rebuilt from its sanitised parts: what is not changed stays byte for byte.

A signed mail whose content changes loses its signature (it could only fail), and the lineage says
that signatures, DKIM's too, can be verified on the original alone. An opaque S/MIME signature is
taken off, because what is in it could not be cleaned otherwise.
"""

from __future__ import annotations

import re
from typing import Any

from asn1crypto import cms

from shared.model import GapCode
from shared.sanitize import mime
from shared.sanitize.hypertext import clean as clean_page
from shared.sanitize.mime import Entity
from shared.sanitize.work import HoldError, Part, Work

DEPTH = 30
_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature")
_OPAQUE = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_AS_IT_IS = frozenset(
    {"message/delivery-status", "message/disposition-notification", "text/rfc822-headers"}
)
_HELD: dict[str, GapCode] = {
    "multipart/encrypted": GapCode.ENCRYPTED,
    "message/partial": GapCode.UNSUPPORTED,
    "message/external-body": GapCode.UNSUPPORTED,
    "application/ms-tnef": GapCode.UNSUPPORTED,
}
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,5})$")
_OUTSIDE = re.compile(rb"^(?:begin[ -]|=ybegin|content-)|\0", re.IGNORECASE | re.MULTILINE)


def clean(part: Part, work: Work) -> Part:
    """The mail with clean parts. Raises HoldError where one cannot be cleaned."""
    if part.data.startswith(b"From ") and len(re.findall(rb"^From ", part.data, re.MULTILINE)) > 1:
        raise HoldError(GapCode.UNSUPPORTED)  # a mailbox file
    entity = mime.parse(part.data)
    cleaned = Mail(part, work).entity(entity, 0).raw()
    if cleaned != part.data and entity.values("dkim-signature"):
        work.state("dkim_broken", part.location)
    return part.with_data(cleaned)


class Mail:
    """One mail being cleaned; bodies and attachments are numbered in the order they stand."""

    def __init__(self, part: Part, work: Work) -> None:
        self.part = part
        self.work = work
        self.attachments = 0

    def entity(self, entity: Entity, depth: int, default: str = "text/plain") -> Entity:
        """A part and all below it."""
        self.work.member()
        if depth > DEPTH:
            raise HoldError(GapCode.TOO_DEEP, self.part.location)
        message = entity.message()
        kind = message.get_content_type() if entity.values("content-type") else default
        if kind in _HELD:
            raise HoldError(_HELD[kind], self.part.location)
        if kind.startswith("multipart/"):
            return self.multipart(entity, message, kind, depth)
        if kind in _OPAQUE:
            return self.unwrapped(entity, depth)
        return self.leaf(entity, message, kind)

    def multipart(self, entity: Entity, message: Any, kind: str, depth: int) -> Entity:
        """A multipart, its delimiters as they were."""
        boundary = message.get_boundary()
        if not boundary or entity.encoding() in {"base64", "quoted-printable"}:
            raise HoldError(GapCode.AMBIGUOUS, self.part.location)
        pieces = mime.split(entity.body, boundary.encode("ascii", "surrogateescape"))
        default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        if kind == "multipart/signed":
            return self.signed(entity, message, pieces, depth)
        parts = [self.entity(mime.parse(p), depth + 1, default).raw() for p in pieces.parts]
        outside = [bool(_OUTSIDE.search(rest)) for rest in (pieces.before, pieces.after)]
        if any(outside):
            self.work.removed("outside_parts", self.part.location, sum(outside))
            end = b"\r\n" if b"\r\n" in entity.blank else b"\n"
            before = b"" if outside[0] else pieces.before
            after = end if outside[1] else pieces.after
            pieces = mime.Pieces(before, pieces.parts, pieces.marks, after)
        return Entity(entity.head, entity.blank, pieces.join(parts))

    def signed(self, entity: Entity, message: Any, pieces: mime.Pieces, depth: int) -> Entity:
        """Content and its signature: both as they are, or the clean content alone."""
        if len(pieces.parts) != 2:  # noqa: PLR2004 - RFC 1847: content and signature
            raise HoldError(GapCode.AMBIGUOUS, self.part.location)
        content, signature = (mime.parse(piece) for piece in pieces.parts)
        kind = signature.message().get_content_type()
        if kind not in {*_SIGNATURES, "application/pgp-signature"}:
            raise HoldError(GapCode.UNSUPPORTED, self.part.location)
        cleaned = self.entity(content, depth + 1)
        if cleaned.raw() == content.raw() and _is_signature(signature, kind):
            return entity
        self.work.removed("signature", self.part.location)
        broken = "pgp_broken" if kind == "application/pgp-signature" else "smime_broken"
        self.work.state(broken, self.part.location)
        end = b"\r\n" if b"\r\n" in entity.blank else b"\n"
        boundary = message.get_boundary().encode("ascii", "surrogateescape")
        head = entity.without("content-type").head.rstrip(b"\r\n")
        head += end * bool(head) + b'Content-Type: multipart/mixed; boundary="' + boundary + b'"'
        body = b"--" + boundary + end + cleaned.raw() + end + b"--" + boundary + b"--" + end
        return Entity(head, end + end, body)

    def unwrapped(self, entity: Entity, depth: int) -> Entity:
        """What is in an opaque S/MIME signature, in its place."""
        try:
            info = cms.ContentInfo.load(entity.decoded())
            kind = info["content_type"].native
            inner = (
                info["content"]["encap_content_info"]["content"].native if "signed" in kind else b""
            )
        except (ValueError, KeyError, TypeError):
            raise HoldError(GapCode.MALFORMED, self.part.location) from None
        if kind != "signed_data":
            raise HoldError(GapCode.ENCRYPTED, self.part.location)
        if not isinstance(inner, bytes) or not inner:
            raise HoldError(GapCode.UNSUPPORTED, self.part.location)
        self.work.spend(len(inner))
        self.work.removed("smime_opaque", self.part.location)
        self.work.state("smime_broken", self.part.location)
        content = self.entity(mime.parse(inner), depth + 1)
        names = ("content-type", "content-transfer-encoding", "content-disposition")
        head = entity.without(*names).head.rstrip(b"\r\n")
        end = b"\r\n" if b"\r\n" in entity.blank else b"\n"
        return Entity(
            head + end * bool(head and content.head) + content.head, content.blank, content.body
        )

    def leaf(self, entity: Entity, message: Any, kind: str) -> Entity:
        """A body or an attachment."""
        name = mime.file_name(message)
        attached = bool(name) or message.get_content_disposition() == "attachment"
        data = entity.decoded()
        if kind in _AS_IT_IS or not data.strip():
            return entity
        self.work.spend(len(data), len(entity.body))
        if not attached and kind in {"text/plain", "text", "text/enriched", "text/richtext"}:
            return self.text(entity, data, kind)
        charset = message.get_param("charset", "")
        declared = f"{kind}; charset={charset}" if isinstance(charset, str) and charset else kind
        if not attached and kind in {"text/html", "application/xhtml+xml"}:
            page = Part(data, "", declared, self.part.inside("本文（HTML）"), self.part.depth)
            cleaned = clean_page(page, self.work)
        else:
            cleaned = self.attachment(data, name, declared)
        if cleaned.data == data and cleaned.name == name:
            return entity
        return self.rewritten(entity, message, cleaned, kind)

    def text(self, entity: Entity, data: bytes, kind: str) -> Entity:
        """A body of plain text is kept; a file that calls itself text is an attachment."""
        kinds = self.work.tools.sniff(data, "", kind)
        if not set(kinds) <= {"text", "csv", "mail", "html", "xml", "calendar", "vcard"}:
            raise HoldError(GapCode.AMBIGUOUS, self.part.inside("本文"))
        if kind != "text/plain" or re.search(
            rb"^(?:begin [0-7]{3,4} \S|=ybegin )", data, re.MULTILINE
        ):
            raise HoldError(GapCode.UNSUPPORTED, self.part.inside("本文"))
        return entity

    def attachment(self, data: bytes, name: str, declared: str) -> Part:
        """A file, through the cleaner of its kind."""
        self.attachments += 1
        found = _EXTENSION.search(name)
        label = f"添付{self.attachments}" + (f".{found[1].lower()}" if found else "")
        return self.work.child(self.part, data, name, label, declared)

    def rewritten(self, entity: Entity, message: Any, cleaned: Part, kind: str) -> Entity:
        """The part with its clean content; type and name follow it."""
        encoded = entity.encoding() in {"base64", "quoted-printable"}
        if kind == "message/rfc822" and not cleaned.removed and not encoded:
            return Entity(entity.head, entity.blank, cleaned.data)
        plain = "text/plain; charset=utf-8" if cleaned.removed else cleaned.media_type or kind
        if kind == "text/html" and not cleaned.removed:
            plain = "text/html; charset=utf-8"
        method = message.get_param("method")
        if kind == "text/calendar" and isinstance(method, str):
            plain += f"; method={method}"
        how = message.get_content_disposition() or ("attachment" if cleaned.name else "")
        if cleaned.name:
            plain = mime.named(plain, "name", cleaned.name)
            how = mime.named(how or "attachment", "filename", cleaned.name)
        return entity.with_content(cleaned.data, plain, how)


def _is_signature(entity: Entity, kind: str) -> bool:
    """Whether a signature part is one, and not a file that hides there."""
    data = entity.decoded()
    if kind == "application/pgp-signature":
        return data.lstrip().startswith(b"-----BEGIN PGP SIGNATURE-----")
    try:
        info = cms.ContentInfo.load(data, strict=True)
        inner = info["content"]["encap_content_info"]["content"].native
        return info["content_type"].native == "signed_data" and not inner
    except (ValueError, KeyError, TypeError):
        return False
