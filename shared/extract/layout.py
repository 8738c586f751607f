"""How a page's pieces of text become lines and cells."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MANY_LINES = re.compile(r"\n{3,}")


@dataclass(slots=True)
class Table:
    """One table element; ``nested`` says that it holds another, so it is layout."""

    nested: bool = False
    rows: int = 0
    cells: int = 0
    open_cell: bool = False


# What stands between texts: a break, a cell's or a row's beginning, with the table it is in.
Piece = str | tuple[str, Table | None]


def tidy(pieces: list[Piece]) -> str:
    """Lines and cells: inside a table's cell a break is a space, in a layout table it is a line."""
    out: list[str] = []
    fresh = True  # at the beginning of a row: its first cell needs no tab
    for piece in pieces:
        if isinstance(piece, str):
            out.append(piece)
            continue
        kind, table = piece
        if table is None or table.nested:
            out.append("\n\n" if kind == "edge" else "\n")
            fresh = True
        elif kind == "break":
            out.append(" " if table.open_cell or table.cells else "\n")
        elif kind == "cell":
            out.append("" if fresh else "\t")
            fresh = False
        else:
            out.append("\n")
            fresh = True
    return collapse("".join(out))


def collapse(text: str) -> str:
    """No space at the ends of lines and cells, no more than one empty line."""
    lines = [
        "\t".join(cell.strip(" \r\f\v") for cell in line.split("\t"))
        if "\t" in line
        else line.strip()
        for line in text.split("\n")
    ]
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")
