"""The text that stands where something was removed: Japanese first, English beside it."""

from __future__ import annotations

from dataclasses import replace

from shared.model import GapCode
from shared.sanitize.words import WORDS
from shared.sanitize.work import Part

SUFFIX = "（削除）.txt"
MEDIA_TYPE = "text/plain; charset=utf-8"

# Why a part could not be sanitised; what else there is reads "unsupported".
REASONS: dict[GapCode, tuple[str, str]] = {
    GapCode.ENCRYPTED: ("パスワードで保護されています", "it is protected by a password"),
    GapCode.TOO_LARGE: ("大きすぎます", "it is too large"),
    GapCode.TOO_DEEP: ("入れ子が深すぎます", "it is nested too deeply"),
    GapCode.BOMB: ("展開すると異常に大きくなります", "it expands beyond all measure"),
    GapCode.MALFORMED: ("壊れています", "it is damaged"),
    GapCode.AMBIGUOUS: ("二通りに読めます", "it can be read in two ways"),
}
_OTHER = ("無害化に対応していない形式です", "its format cannot be sanitised")


def removed_note(part: Part, code: str) -> Part:
    """The note for a part that was taken out because of what it is."""
    word = WORDS[code]
    return _note(part, word.ja, word.en)


def held_note(part: Part, code: GapCode) -> Part:
    """The note for a part that could not be sanitised."""
    return _note(part, *REASONS.get(code, _OTHER))


def _note(part: Part, ja: str, en: str) -> Part:
    text = (
        "このファイルは無害化のため取り除かれました。\r\n"
        f"理由: {ja}\r\n"
        "原本は隔離庫に保管されています。必要なときは情報システム担当に申し出てください。\r\n"
        "\r\n"
        "This file was removed by sanitisation.\r\n"
        f"Reason: {en}\r\n"
        "The original waits in quarantine; ask your information systems desk if you need it.\r\n"
    )
    name = part.name if part.name.endswith(SUFFIX) else f"{part.name or 'file'}{SUFFIX}"
    return replace(part, data=text.encode(), name=name, media_type=MEDIA_TYPE, removed=True)
