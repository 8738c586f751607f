"""The shapes that recognizers share. ``Z`` is the class of invisible characters."""

from __future__ import annotations

from shared.detect.shapes import Shape

Z = r"\x9f"
_GAP = rf"[\- .\t{Z}]{{1,3}}"
_SEP = rf"[\- .\t{Z}]{{0,3}}"
_BREAK = rf"[\- ]?\n{{1,2}}[ >|\t{Z}]{{0,6}}"
_LINES = "|".join(f"{'[0-9]' * (k - 1)}{_BREAK}[0-9]{{{12 - k}}}" for k in range(1, 12))

# A digit and a separator just before mean that this is the tail of something longer.
_NOT_GROUPED_BEFORE = rf"(?<![0-9][\-. {Z}][0-9])"
_NOT_GROUPED_AFTER = rf"(?![\-. {Z}][0-9]{{2}})"

PLAIN_12 = Shape("n12", "[0-9]", "[0-9]{11}")
GROUPED_12 = Shape(
    "n12_grouped",
    "[0-9]",
    rf"[0-9]{{3}}(?:{_GAP}[0-9]{{4}}{_SEP}|{_SEP}[0-9]{{4}}{_GAP})[0-9]{{4}}",
    alone=_NOT_GROUPED_BEFORE,
    ends=_NOT_GROUPED_AFTER,
)
LINES_12 = Shape(
    "n12_lines",
    "[0-9]",
    rf"(?:{_LINES}|[0-9]{{3}}{_BREAK}[0-9]{{4}}[\- ]?[0-9]{{4}}"
    rf"|[0-9]{{3}}[\- ]?[0-9]{{4}}{_BREAK}[0-9]{{4}}"
    rf"|[0-9]{{3}}{_BREAK}[0-9]{{4}}{_BREAK}[0-9]{{4}})",
    after=r"0-9A-Za-z\-",
    alone=_NOT_GROUPED_BEFORE,
    ends=_NOT_GROUPED_AFTER,
)
CELLS_12 = Shape(
    "n12_cells",
    "[0-9]",
    rf"(?:[ \t,|{Z}\-.]{{1,3}}[0-9]){{11}}",
    alone=rf"(?<![0-9][ \t,|{Z}\-.][0-9])(?<![0-9][ \t,|{Z}\-.][ \t,|{Z}\-.][0-9])",
    ends=rf"(?![ \t,|{Z}\-.]{{1,3}}[0-9](?![0-9]))",
)
_CELL_END, _CELL_START = rf"[ \t,|{Z}]{{0,4}}", rf"[ \t,|>{Z}]{{0,6}}"
_ROW = rf"{_CELL_END}\n{{1,2}}{_CELL_START}[0-9]"
COLUMN_12 = Shape(
    "n12_column",
    "[0-9]",
    rf"(?:{_ROW}){{11}}",
    alone=(
        r"(?<![0-9]\n[0-9])(?<![0-9]\n[ \t,|>][0-9])"
        r"(?<![0-9][ \t,|]\n[0-9])(?<![0-9][ \t,|]\n[ \t,|>][0-9])"
    ),
    ends=rf"(?!{_ROW}(?![0-9]))",
    gate=rf"\n{_CELL_START}[0-9]{_ROW}{_CELL_END}\n",
)
"""One digit a row, as in a sheet of squares (方眼紙) filled in downwards."""

ODD_12 = Shape(
    "n12_odd",
    "[0-9]",
    r"(?:[0-9]{5}[\- ./][0-9]{6}|[0-9]{2}[\- ][0-9]{3}[\- ][0-9]{3}[\- ][0-9]{3}"
    r"|[0-9][\- ][0-9]{2}[\- ][0-9]{6}[\- ][0-9]{2}|[0-9]{2}(?:[\- ][0-9]{2}){5}"
    r"|[0-9]{3}[\- ][0-9]{8}|[0-9]{7}[\- ][0-9]{4})",
    alone=_NOT_GROUPED_BEFORE,
    ends=_NOT_GROUPED_AFTER,
)
HIDDEN_12 = Shape(
    "n12_hidden",
    "[0-9]",
    rf"(?:{Z}{{0,3}}[0-9]){{11}}",
    alone=rf"(?<![0-9]{Z}[0-9])(?<![0-9]{Z}{Z}[0-9])(?<![0-9]{Z}{Z}{Z}[0-9])",
    ends=rf"(?<!{'[0-9]' * 12})(?!{Z}{{1,3}}[0-9])",
    gate=rf"[0-9]{Z}{{1,3}}[0-9]",
)
KANJI_12 = Shape(
    "n12_kanji",
    r"[\x90-\x99]",
    rf"[\- {Z}]?(?:[\x90-\x99][\- {Z}]?){{10}}[\x90-\x99]",
    before=r"\x90-\x99",
    after=r"\x90-\x99",
    gate=rf"[\x90-\x99](?:[\- {Z}]?[\x90-\x99]){{3}}",
)
MIXED_12 = Shape(
    "n12_mixed",
    r"[0-9\x90-\x99]",
    r"(?:[0-9]{1,10}[\x90-\x99]|[\x90-\x99]{1,10}[0-9])[0-9\x90-\x99]{0,10}",
    before=r"0-9A-Za-z\x90-\x99",
    after=r"0-9A-Za-z\x90-\x99",
    ends=r"(?<=[0-9\x90-\x99]{12})",
)
ATTACHED_12 = Shape(
    "n12_attached",
    "[0-9]",
    "[0-9]{11}",
    before="",
    alone="(?<=[A-Za-z][0-9])",
    gate="[A-Za-z][0-9]{12}(?:[^0-9A-Za-z]|$)",
)
ANY_12 = (
    ATTACHED_12,
    PLAIN_12,
    GROUPED_12,
    LINES_12,
    CELLS_12,
    COLUMN_12,
    ODD_12,
    HIDDEN_12,
    KANJI_12,
    MIXED_12,
)
