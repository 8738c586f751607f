"""The words of the monthly report: Japanese first, English beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.audit.formats.entry import plain

type Pair = tuple[str, str]

DISPOSITIONS: Mapping[str, Pair] = {
    "block": ("遮断", "blocked"),
    "review": ("要確認", "to review"),
    "tag": ("印付け", "tagged"),
    "allow": ("問題なし", "allowed"),
}
SOURCES: Mapping[str, Pair] = {
    "mail": ("メール", "mail"),
    "drive": ("ファイル（OneDriveなど）", "files"),
    "teams": ("Teams", "Teams"),
    "calendar": ("予定表", "calendar"),
    "gate": ("関門（取り込み）", "the gate"),
}
GAPS: Mapping[str, Pair] = {
    "encrypted": ("暗号化されている", "encrypted"),
    "too_large": ("大きすぎる", "too large"),
    "too_deep": ("入れ子が深すぎる", "nested too deep"),
    "too_many": ("部分が多すぎる", "too many parts"),
    "bomb": ("展開すると膨れ上がる", "swells when unpacked"),
    "timed_out": ("時間内に読めない", "timed out"),
    "crashed": ("読み取りが失敗した", "reading failed"),
    "malformed": ("壊れている", "malformed"),
    "partial": ("一部しか読めない", "read in part"),
    "unknown_format": ("形式が分からない", "unknown format"),
    "unsupported": ("対応していない形式", "unsupported format"),
    "image_only": ("画像だけで文字がない", "pictures alone"),
    "ambiguous": ("読み方が一つに決まらない", "ambiguous"),
    "external": ("外部を参照している", "refers outside"),
    "unsanitised": ("無害化していない原本", "an original that is not sanitised"),
}
STATES: Mapping[str, Pair] = {
    "not_enforceable": ("仕組みの上で止められない", "cannot be enforced there"),
    "partial": ("一部の処置だけができた", "in part"),
    "superseded": ("新しい版が別に判定された", "a newer version was decided on"),
    "gone": ("その前になくなった", "gone before"),
    "recorded": ("記録のみ（試行中）", "recorded alone (rehearsal)"),
}
STEPS: tuple[Pair, ...] = (
    ("1時間以内", "1 h"),
    ("4時間以内", "4 h"),
    ("1日以内", "1 day"),
    ("3日以内", "3 days"),
    ("3日超", "later"),
)
EVERYONE = ("全職員", "everyone")


@dataclass(frozen=True, slots=True)
class Words:
    """What the report calls rules and entities; ids are shown where there is no name."""

    rules: Mapping[str, Pair] = field(default_factory=dict)
    entities: Mapping[str, Pair] = field(default_factory=dict)
    organisation: str = ""


def pair(table: Mapping[str, Pair], key: str) -> Pair:
    """Both names; the key itself where it has none."""
    shown = plain(key)
    return table.get(key, (shown, shown))
