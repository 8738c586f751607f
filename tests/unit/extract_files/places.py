"""All golden cases, and the table of places that they make.

Run this file to write the table into ``docs/reference/formats.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.model import GapCode
from tests.unit.extract_files import (
    archive_cases,
    docuworks_cases,
    legacy_cases,
    office_cases,
    pdf_cases,
    picture_cases,
    rar_cases,
)


@dataclass(frozen=True)
class Case:
    """A file of a format with a number in a place; the gaps it may name besides."""

    format: str
    place: str
    build: Callable[[str], bytes]
    location: str
    passwords: tuple[str, ...] = ()
    gaps: tuple[GapCode, ...] = ()
    leading_zero: bool = False


ALL = [
    *(
        Case(kind, place, build, location, leading_zero="先頭の 0" in place)
        for kind, place, build, location in office_cases.CASES
    ),
    *(Case("pdf", *rest) for rest in pdf_cases.CASES),
    *(
        Case(*row, leading_zero="先頭の 0" in row[1])
        for row in (
            *legacy_cases.CASES,
            *archive_cases.CASES,
            *rar_cases.CASES,
            *docuworks_cases.CASES,
            *picture_cases.CASES,
        )
    ),
]


def table_of_places():
    """Markdown: a row a format, the places that the tests plant a number in and read back."""
    formats: dict[str, list[str]] = {}
    for case in ALL:
        formats.setdefault(case.format, []).append(case.place)
    rows = [
        f"| `.{kind}` | {len(places)} | {'、'.join(places)} |" for kind, places in formats.items()
    ]
    return "\n".join(
        (
            f"{len(ALL)} places.",
            "",
            "| Format | Places | Read and located (場所) |",
            "|---|---|---|",
            *rows,
        )
    )


if __name__ == "__main__":
    reference = Path(__file__).parents[3] / "docs" / "reference" / "formats.md"
    text = reference.read_text()
    begin, end = "<!-- places: begin -->", "<!-- places: end -->"
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    reference.write_text(f"{before}{begin}\n{table_of_places()}\n{end}{after}")
