"""The two files that a site keeps, registers and forms: their bytes, and what they refuse.

Both outlive the release that wrote them, so that a change of a byte here is a change of a format.
"""

from __future__ import annotations

import io
import json
import struct

import pytest

from shared.detect import Forms, Register, RegisterBuilder
from shared.detect.edm import MAGIC, Table, TableBuilder, fold
from shared.detect.register import Part
from shared.errors import MalformedError
from tests.unit.detect.registers_for_detect import KEY
from tests.unit.detect.registers_for_detect import register_bytes as written


def test_forms_are_written_byte_for_byte():
    forms = Forms(KEY, {"申請書": frozenset({2, 1}), "A": frozenset({2**64 - 1})})
    assert forms.dump().decode() == (
        '{"v":1,"check":"94bb0fdddd89a193","forms":{"A":[18446744073709551615],"申請書":[1,2]}}\n'
    )


def test_forms_take_a_key_of_any_length_and_check_its_first_64_bytes():
    data = Forms(bytes(range(100))).dump()
    assert json.loads(data)["check"] == "977d8c50e95d305e"
    assert len(Forms.load(data, bytes(range(64)))) == 0


def test_register_begins_with_its_header_byte_for_byte():
    data = written(["番号", "氏名+生年月日"], [["0099887766"], ["架空 太郎", "1975-03-14"]])
    header = (
        '[{"name": "番号", "size": 262184, "parts": '
        '[{"digits": [10], "texts": [], "dates": false}]},'
        ' {"name": "氏名+生年月日", "size": 262184, "parts": '
        '[{"digits": [], "texts": [4], "dates": false},'
        ' {"digits": [], "texts": [], "dates": true}]}]'
    ).encode()
    header += b" " * (-len(header) % 8)
    start = 16 + len(header)
    assert data[:start] == b"SEDMR1\0\0" + struct.pack("<Q", len(header)) + header
    assert [data[at : at + 5] for at in (start, start + 262184)] == [b"SEDM1"] * 2
    assert len(data) == start + 2 * 262184


@pytest.mark.parametrize("name", ["番号", "番号1", "番号12", "番号123", "番号1234", "番号12345"])
def test_tables_of_a_register_lie_at_multiples_of_8_whatever_its_names(name):
    (length,) = struct.unpack_from("<Q", written([name]), 8)
    assert length % 8 == 0


def test_column_learns_each_length_once_and_leaves_out_what_is_shorter_than_three():
    numbers = ["12", "123", "456", "abc", "1234"]
    rows = [
        [[one], [two]] for one, two in zip(numbers, ["1", "12", "ab", "", "あいう"], strict=True)
    ]
    number, note = Register(written(["番号", "備考"], *rows), KEY).columns
    assert (number.parts, len(number.table)) == ((Part([3, 4], [3]),), 4)
    assert (note.parts, len(note.table)) == ((Part(texts=[3]),), 1)
    assert [number.table.has_canonical(value) for value in ("12", "123")] == [False, True]


def test_value_that_is_left_out_leaves_the_other_columns_of_its_row():
    row = [["12"], ["架空 太郎", ""], ["0099887766"]]
    columns = Register(written(["一", "二+三", "四"], row), KEY).columns
    assert [len(column.table) for column in columns] == [0, 0, 1]


@pytest.mark.parametrize(
    "row",
    [[], [["123"]], [["123"], ["あいう", "4567"], ["89"]], [["123"], ["あいう"]],
     [["123", "456"], ["あいう", "4567"]]],
)  # fmt: skip
def test_row_that_has_other_columns_than_the_register_is_refused(row):
    builder = RegisterBuilder(KEY, ["一", "二+三"])
    with pytest.raises(ValueError, match=r"zip\(\)"):
        builder.add(row)


def table(*values, column=None):
    builder = TableBuilder(KEY, *([] if column is None else [column]))
    for value in values:
        builder.add(value)
    stream = io.BytesIO()
    assert builder.write(stream) == len(stream.getvalue()[INDEX_END:]) // 8
    return stream.getvalue()


INDEX_END = 24 + 4 * (65_537 + 1)


@pytest.mark.parametrize(
    ("column", "check", "expected"),
    [
        (None, "432a8e34c2d6414c", (0x1F3F7520566DEAA7, 0x5E474D1E2B3D8700, 0x761E116F900D12B1)),
        ("", "432a8e34c2d6414c", (0x1F3F7520566DEAA7, 0x5E474D1E2B3D8700, 0x761E116F900D12B1)),
        ("番号", "af61e932c7548b7c", (0x18318A5A75906A11, 0xA7A97E13A82998AB, 0xD8B7499013B157EC)),
    ],
)
def test_table_is_written_as_its_layout_says(column, check, expected):
    data = table("0099887766", "番号", "KYT-2026", "kyt2026", column=column)
    assert data[:24] == MAGIC + bytes.fromhex(check) + struct.pack("<Q", 3)
    assert struct.unpack("<3Q", data[INDEX_END:]) == expected
    index = struct.unpack("<65537II", data[24:INDEX_END])
    first, second, third = (each >> 48 for each in expected)
    steps = [0] * (first + 1) + [1] * (second - first) + [2] * (third - second)
    assert list(index) == steps + [3] * (65_537 - len(steps)) + [0]


def test_table_needs_no_column_and_says_the_one_it_has():
    assert "0099887766" in Table(table("0099887766"), KEY)
    assert (
        repr(Table(table("番号", "1", column="番号"), KEY, "番号"))
        == "Table(column='番号', values=2)"
    )


@pytest.mark.parametrize("data", [MAGIC, MAGIC + bytes(15), bytes(INDEX_END), MAGIC[:7]])
def test_beginning_of_a_table_or_nothing_but_its_length_is_no_table(data):
    with pytest.raises(MalformedError):
        Table(data, KEY)


@pytest.mark.parametrize(
    "value", ["Kyt-2026.Ab", "ＫＹＴ２０２６ＡＢ", "kyt（2026） ab", "ＫＹＴ－2026・ａｂ"]
)
def test_value_is_folded_alike_in_every_width_and_case(value):
    assert fold(value) == "kyt2026ab"
