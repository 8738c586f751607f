"""Each place a number can hide in a file: it is read, and located without showing content."""

from __future__ import annotations

import re
import time
import unicodedata
from pathlib import Path

import pytest

from shared.extract import extract
from shared.model import Content
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.extract_files.places import ALL, table_of_places

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "formats.md"
BEGIN, END = "<!-- places: begin -->", "<!-- places: end -->"


def read(data, name, passwords=()):
    extraction, left = extract(Content(data, name), clock=time.monotonic, passwords=passwords)
    assert left == ()
    return extraction


def found_at(extraction, number):
    """Locations of the number, also where separators or single tabs stand between its digits."""
    pattern = re.compile("[-\t ]?".join(number))
    return [
        segment.where(match.start())
        for segment in extraction.segments
        for match in pattern.finditer(unicodedata.normalize("NFKC", segment.text))
    ]


@pytest.mark.parametrize("index", range(len(ALL)), ids=[f"{c.format}-{c.place}" for c in ALL])
def test_planted_number_is_read_and_located(index):
    case = ALL[index]
    number = my_number((0 if case.leading_zero else 99_999_000_000) + 1_000 + index)
    extraction = read(case.build(number), f"台帳{number}.{case.format}", case.passwords)
    places = found_at(extraction, number)
    assert any(re.search(case.location, place) for place in places), (places, extraction.gaps)
    assert [gap.code for gap in extraction.gaps if gap.code not in case.gaps] == []
    assert found_at(extraction, number)[0] == "名前"
    for place in (*places, *(gap.location for gap in extraction.gaps)):
        assert number not in place
        assert "台帳" not in place
    for segment in extraction.segments:
        assert number not in segment.location
        assert number not in repr(segment)


def test_table_of_places_is_the_one_in_the_reference():
    text = REFERENCE.read_text()
    inside = text.partition(BEGIN)[2].partition(END)[0].strip()
    assert inside == table_of_places(), "run: python -m tests.unit.extract_files.places"
