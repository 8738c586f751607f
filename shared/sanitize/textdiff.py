"""Whether the visible words of an item are still there after it was sanitised.

Compared are lines without spaces, in the form that disabled links are written back to (``hxxp`` is
``http``), each as often as it stood there; a line that was broken differently is looked for in the
whole text. Locations may change, order does not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from shared.model import Extraction, Segment

# Places that a reader of the item does not see (the words of shared/extract).
UNSEEN = frozenset(
    {
        "隠れた文字",
        "属性",
        "スクリプト",
        "関連",
        "リンク先",
        "構成",
        "名前",
        "名前の定義",
        "プロパティ",
    }
)
_UNSEEN = re.compile(
    r"(?:部品|オブジェクト|埋め込み)\d|.*\(数式\)$"
)  # raw parts; what a cell computes
_MOST = 5_000  # lines that are looked for in the whole text
_TEXTS = 500  # unseen texts that are looked at
_SPACE = re.compile(r"\s+")


def lost_lines(before: Extraction, after: Extraction, unseen: Sequence[str] = ()) -> int:
    """How many visible lines of ``before`` are not in ``after``.

    ``unseen`` are texts that stood in them and that no reader saw (instructions of fields).
    """
    old, new = _lines(before), _lines(after)
    missing = old - new
    if not missing:
        return 0
    whole = "".join(new)
    hidden = _pattern(unseen)
    lost = 0
    for line, count in missing.most_common(_MOST):
        pieces = hidden.split(line) if hidden else [line]
        lost += count * any(piece not in whole for piece in pieces)
    return lost + max(0, len(missing) - _MOST)


def _pattern(unseen: Sequence[str]) -> re.Pattern[str] | None:
    folded = sorted({_folded(text) for text in unseen[:_TEXTS]} - {""}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, folded))) if folded else None


def _lines(extraction: Extraction) -> Counter[str]:
    found: Counter[str] = Counter()
    for segment in extraction.segments:
        if is_visible(segment):
            found.update(filter(None, map(_folded, re.split(r"[\r\n\t\v\f]", segment.text))))
    return found


def is_visible(segment: Segment) -> bool:
    """Whether a reader sees this text."""
    places = segment.location.split(" › ")
    if places[-1] == "コメント" and len(places) > 1 and places[-2].startswith("本文"):
        return False  # HTML comments; those of Office files are read by people
    return UNSEEN.isdisjoint(places) and not any(map(_UNSEEN.match, places))


def _folded(line: str) -> str:
    plain = _SPACE.sub("", unicodedata.normalize("NFKC", line))
    return plain.replace("hxxp", "http").replace("[.]", ".")
