"""Where on its page a thing stands in a PDF: boxes in millimetres of the page as it is shown."""

from __future__ import annotations

import re
import time

import pytest

from shared.extract import extract
from shared.extract.pdf_place import MAX_MARKS, REST
from shared.model import Content
from tests.unit.extract_files.pdf_cases import PAGES, by_hand, drawn, stream

POINT = 25.4 / 72


def made(content, page=b"/MediaBox [0 0 595 842]"):
    """A page with a Latin font, drawn by these operators."""
    return by_hand(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            PAGES,
            b"<< /Type /Page /Parent 2 0 R %b /Contents 4 0 R /Resources << /Font << /F 5 0 R >> "
            b">> >>" % page,
            stream(content),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
    )


def located(data, words):
    """The box of the words: left, top, right, bottom."""
    found, _ = extract(Content(data), clock=time.monotonic)
    (segment,) = [one for one in found.segments if words in one.text]
    place = segment.where(segment.text.index(words))
    match = re.fullmatch(r"1ページ!\((-?\d+),(-?\d+)\)-\((-?\d+),(-?\d+)\)mm", place)
    assert match, place
    return tuple(map(int, match.groups()))


def near(box, left, top):
    return abs(box[0] - left) <= 2 and abs(box[1] - top) <= 2


def test_number_in_a_line_has_a_box_of_its_own_and_the_rest_the_lines():
    data = made(b"BT /F 12 Tf 72 700 Td (Name Taro Number 1234-5678-9012 end) Tj ET")
    line, number, rest = (located(data, words) for words in ("Name", "1234-5678", "end"))
    assert line == rest
    assert line[0] < number[0] < number[2] < line[2]
    assert line[1::2] == number[1::2]
    assert near(line, 72 * POINT, (842 - 700 - 12) * POINT)


def test_second_line_has_its_own_box():
    data = made(b"BT /F 12 Tf 72 700 Td (first 11112222) Tj 0 -144 Td (second) Tj ET")
    assert near(located(data, "second"), 72 * POINT, (842 - 556 - 12) * POINT)


def test_box_is_that_of_the_page_as_shown_turned_or_cropped():
    words = b"BT /F 12 Tf 72 700 Td (12345678) Tj ET"
    turned = located(made(words, b"/MediaBox [0 0 595 842] /Rotate 90"), "12345678")
    assert near(turned, 700 * POINT, 72 * POINT)
    cropped = located(made(words, b"/MediaBox [0 0 595 842] /CropBox [36 400 595 800]"), "12345678")
    assert near(cropped, 36 * POINT, (800 - 700 - 12) * POINT)


def test_page_of_impossible_size_and_text_far_outside_stay_bounded():
    words = b"BT /F 12 Tf 72 700 Td (12345678) Tj 9e9 9e9 Td (outside) Tj ET"
    data = made(words, b"/MediaBox [0 0 9e30 9e30]")
    found, _ = extract(Content(data), clock=time.monotonic)
    for segment in found.segments:
        for mark in segment.marks:
            assert all(len(number) <= 4 for number in re.findall(r"\d+", mark.label))


def test_characters_of_two_units_do_not_shift_the_boxes():
    def fill(page, number):
        page.drawString(50, 700, "𠮷野家 " * 9)
        page.drawString(50, 600, f"番号 {number}")

    box = located(drawn(fill)("123456789018"), "123456789018")
    assert near(box, (50 + 24 + 6) * POINT, (842 - 600 - 12) * POINT)


@pytest.mark.parametrize("step", [b"0 2 Td ", b"1 0 Td "], ids=["lines", "one line"])
def test_boxes_of_a_page_are_bounded(step):
    many = b"".join(b"(1111 a 2222 b ) Tj " + step for _ in range(MAX_MARKS // 2))
    found, _ = extract(Content(made(b"BT /F 1 Tf " + many + b"ET")), clock=time.monotonic)
    (page,) = [segment for segment in found.segments if "1111" in segment.text]
    assert len(page.marks) < MAX_MARKS + 20
    assert page.where(len(page.text) - 1) == f"1ページ!{REST}"
