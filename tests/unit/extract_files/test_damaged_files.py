"""Golden files with bytes damaged or cut off: never an exception, never content in a location."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.extract import extract
from shared.model import Content, GapCode
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.extract_files.pdf_cases import xmp
from tests.unit.extract_files.places import ALL

# PDFium and calamine are C++ and Rust: what they make of damage belongs in the sandbox's child.
SAFE = [case for case in ALL if case.format not in {"pdf", "xlsb"} and "暗号" not in case.place]
NUMBER = my_number(99_999_012_345)
BUILT: dict[int, bytes] = {}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_file_raises_nothing_and_shows_nothing(data):
    index = data.draw(st.integers(0, len(SAFE) - 1))
    case = SAFE[index]
    whole = bytearray(BUILT.setdefault(index, case.build(NUMBER)))
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.sampled_from((0, 0xFF, whole[at] ^ 1, whole[at] ^ 0x80)))
    end = data.draw(st.integers(0, len(whole)))
    damaged = bytes(whole[:end] if data.draw(st.booleans()) else whole)
    name = f"sample.{case.format}"
    found, _ = extract(Content(damaged, name), clock=time.monotonic, passwords=case.passwords)
    for place in (*(s.location for s in found.segments), *(g.location for g in found.gaps)):
        assert NUMBER not in place
    for segment in found.segments:
        assert [mark.offset for mark in segment.marks] == sorted(m.offset for m in segment.marks)
        assert all(mark.offset <= len(segment.text) for mark in segment.marks)


@pytest.mark.parametrize(
    ("more", "pack"), [(b" /Filter /LZWDecode", bytes), (b" /Filter /FlateDecode", bytes)]
)
def test_a_metadata_packet_that_cannot_be_unpacked_is_a_gap(more, pack):
    found, _ = extract(Content(xmp("123", more, pack), "a.pdf"), clock=time.monotonic)
    assert [(gap.code, gap.location) for gap in found.gaps] == [(GapCode.PARTIAL, "メタデータ")]
