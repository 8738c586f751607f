"""A note at the end of a mail: a part of its own, so that what is there stays as it is."""

from __future__ import annotations

import base64

from shared.model import GapCode
from shared.sanitize import mime
from shared.sanitize.mime import Entity
from shared.sanitize.values import Lineage
from shared.sanitize.work import HoldError

_BOUNDARY = "=_sekisho-note"
_MOST = 40  # lines that a note lists
_ASK_JA = "必要なときは情報システム担当に申し出てください。"
_ASK_EN = "ask your information systems desk if you need it."
_STRUCTURE = ("content-type", "content-transfer-encoding", "content-disposition")


def sanitised_note(lineage: Lineage, link: str = "") -> str:
    """What was removed and why, what follows for signatures, where to ask; no content."""
    rows = [*lineage.removals, *lineage.statements]
    ja = [f"・{row.ja}{_place(row.location)}{_times(row.count)}" for row in rows[:_MOST]]
    en = [f"- {row.en}{_times(row.count)}" for row in rows[:_MOST]]
    more = len(rows) - _MOST
    if more > 0:
        ja.append(f"・ほか {more} 件")
        en.append(f"- {more} more")
    return "\r\n".join(
        [
            "――――――――――",
            "【関所】このメールは無害化されています。文章はそのまま残っています。取り除いたもの：",
            *ja,
            "原本は隔離庫に保管されています。"
            + (
                "必要なときは、次のページで申し出てください（承認ののち届きます）。"
                if link
                else _ASK_JA
            ),
            link,
            "電子署名は、原本でしか確かめられません。" if lineage.statements else "",
            "",
            "Sekisho sanitised this mail; its words are unchanged. Removed:",
            *en,
            "The original waits in quarantine; "
            + ("ask for it on the page above. It comes once it is approved." if link else _ASK_EN),
            "Signatures can be verified on the original alone." if lineage.statements else "",
            "",
        ]
    )


def with_note(data: bytes, text: str) -> bytes:
    """The mail with a text part behind everything else.

    Raises HoldError ``ambiguous`` for a mail whose structure programs read differently.
    """
    entity = mime.parse(data)
    message = entity.message()
    end = b"\r\n" if b"\r\n" in entity.head + entity.blank else b"\n"
    part = _part(text, end)
    kind = message.get_content_type()
    boundary = message.get_boundary()
    if kind == "multipart/mixed" and boundary:
        mark = boundary.encode("ascii", "surrogateescape")
        pieces = mime.split(entity.body, mark)
        last = pieces.marks[-1]
        opening = last.replace(b"--" + mark + b"--", b"--" + mark, 1)
        if opening == last:
            raise HoldError(GapCode.AMBIGUOUS)
        opening = opening.rstrip(b" \t\r\n") + end
        closed = pieces.marks[-1] if pieces.marks[-1].startswith(b"\r\n") else end + last.lstrip()
        grown = mime.Pieces(
            pieces.before,
            (*pieces.parts, part),
            (*pieces.marks[:-1], opening, closed),
            pieces.after,
        )
        return Entity(entity.head, entity.blank, grown.join([*pieces.parts, part])).raw()
    return _wrapped(entity, part, end, data)


def _wrapped(entity: Entity, part: bytes, end: bytes, data: bytes) -> bytes:
    """The whole body as the first part of a mixed one; a signed body keeps its signature."""
    mark = _BOUNDARY.encode()
    while b"--" + mark in data:
        mark += b"-"
    kept = entity.without(*_STRUCTURE).head.rstrip(b"\r\n")
    inner = [name + b":" + value.rstrip(b"\r\n") for name, value in _structure(entity)]
    lines = [kept] if kept else []
    if not entity.values("mime-version"):
        lines.append(b"MIME-Version: 1.0")
    lines.append(b'Content-Type: multipart/mixed; boundary="' + mark + b'"')
    first = end.join([*inner, b"", entity.body]) if inner else end + entity.body
    body = (
        b"--"
        + mark
        + end
        + first
        + end
        + b"--"
        + mark
        + end
        + part
        + end
        + b"--"
        + mark
        + b"--"
        + end
    )
    return end.join(lines) + end + end + body


def _structure(entity: Entity) -> list[tuple[bytes, bytes]]:
    found = []
    for name in _STRUCTURE:
        found += [(name.title().encode(), value) for value in entity.values(name)]
    return found


def _part(text: str, end: bytes) -> bytes:
    lines = [
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Disposition: inline",
        b"Content-Transfer-Encoding: base64",
        b"",
        base64.encodebytes(text.encode()).rstrip(b"\n").replace(b"\n", end),
    ]
    return end.join(lines)


def _place(location: str) -> str:
    return f"（{location}）" if location else ""


def _times(count: int) -> str:
    return f" ×{count}" if count > 1 else ""
