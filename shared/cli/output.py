"""What goes to the screen: Japanese first, JSON lines exact, no control characters from content."""

from __future__ import annotations

import io
import json
import sys
import unicodedata
from collections.abc import Mapping

from rich.console import Console

from shared.model import Disposition, GapCode, Level

DISPOSITIONS: Mapping[Disposition, str] = {
    Disposition.ALLOW: "通過 allow",
    Disposition.TAG: "印付け tag",
    Disposition.REVIEW: "要確認 review",
    Disposition.BLOCK: "遮断 block",
}
COLOURS: Mapping[Disposition, str] = {
    Disposition.ALLOW: "green",
    Disposition.TAG: "cyan",
    Disposition.REVIEW: "yellow",
    Disposition.BLOCK: "bold red",
}
LEVELS: Mapping[Level, str] = {
    Level.LOW: "低 low",
    Level.MEDIUM: "中 medium",
    Level.HIGH: "高 high",
}
GAPS: Mapping[GapCode, str] = {
    GapCode.ENCRYPTED: "暗号化されている",
    GapCode.TOO_LARGE: "大きすぎる",
    GapCode.TOO_DEEP: "入れ子が深すぎる",
    GapCode.TOO_MANY: "部分が多すぎる",
    GapCode.BOMB: "展開すると膨れ上がる",
    GapCode.TIMED_OUT: "時間内に読めない",
    GapCode.CRASHED: "読み取りが失敗した",
    GapCode.MALFORMED: "壊れている",
    GapCode.PARTIAL: "一部しか読めない",
    GapCode.UNKNOWN_FORMAT: "形式が分からない",
    GapCode.UNSUPPORTED: "この形式は読めない",
    GapCode.IMAGE_ONLY: "画像だけで文字がない",
    GapCode.AMBIGUOUS: "読み方が一つに決まらない",
    GapCode.EXTERNAL: "外部を参照している",
    GapCode.UNSANITISED: "無害化していない原本",
}


def prepare() -> None:
    """Let any name or text be printed, whatever the terminal's encoding is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def console(*, stderr: bool = False) -> Console:
    """A console on the present streams (tests replace them); not narrower than its tables need."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=132)


def say(line: Mapping[str, object]) -> None:
    """One JSON line on stdout, in UTF-8 whatever the locale is; lone surrogates become ``?``."""
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    stream = sys.stdout.buffer
    stream.write(text.encode("utf-8", "replace") + b"\n")
    stream.flush()  # whoever reads along sees each item when it is done


def clean(text: str) -> str:
    """Content for a terminal: line ends and tabs stay, other control characters are shown as �."""
    return "".join(
        "\ufffd"
        if unicodedata.category(char) in {"Cc", "Cs", "Cf"} and char not in "\n\t"
        else char
        for char in text
    )
