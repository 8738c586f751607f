"""Registered people and documents in a text: what is found, where, and how sure it is."""

from __future__ import annotations

import io
import json
import math

import pytest

from shared.detect import Engine, FingerprintKey, Forms, Register, RegisterBuilder
from shared.detect.register import Part
from shared.errors import MalformedError
from shared.model import Level, Segment

KEY = bytes(range(32))
ENGINE_KEY = FingerprintKey("test", KEY)
FORM = (
    "助成金交付申請書。次のとおり助成金の交付を受けたいので、関係書類を添えて申請します。"
    "上記の内容について、虚偽がないことを誓約します。事業の名称、目的及び内容、交付申請額。"
)
OTHER = (
    "公有財産使用許可願。下記の土地を資材置場として使用したく、図面を添えてお願いいたします。"
    "使用の期間が満了したときは、直ちに原状に復して返還することを約束いたします。"
)


def register(columns, *rows):
    builder = RegisterBuilder(KEY, columns)
    for row in rows:
        builder.add(row)
    stream = io.BytesIO()
    sizes = builder.write(stream)
    return Register(stream.getvalue(), KEY), sizes


def found(columns, rows, text, *, entity="registered_person"):
    engine = Engine(ENGINE_KEY, plain=True, edm=[register(columns, *rows)[0]])
    return [
        (text[each.start : each.end], each.level)
        for each in engine.scan([Segment("本文", text)])
        if each.entity == entity
    ]


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("宛名番号 0099887766 の件", "0099887766"),
        ("宛名番号 0099-887766 の件", "0099-887766"),
        ("宛名番号 00 99 88 77 66 の件", "00 99 88 77 66"),
        ("宛名番号（００９９８８７７６６）", "００９９８８７７６６"),
        ("123 0099887766 456", "0099887766"),
    ],
)
def test_registered_number_is_found_as_it_is_written(written, part):
    assert (part, Level.HIGH) in found(["番号"], [[["0099887766"]]], written)


@pytest.mark.parametrize("text", ["10099887766", "0099887767", "009988776", "", "番号"])
def test_other_number_is_not_found(text):
    assert found(["番号"], [[["0099887766"]]], text) == []


def test_number_that_many_have_says_less():
    few = [[[f"{n:04}"]] for n in range(3)]
    many = [[[f"{n:04}"]] for n in range(9_000)]
    rare, common = (found(["番号"], rows, "番号 0002 の件") for rows in (few, many))
    assert [part for part, _ in rare] == ["0002"]
    assert rare[0][1] >= Level.MEDIUM
    assert not common or common[0][1] < rare[0][1]


@pytest.mark.parametrize(
    "written", ["1975年3月14日", "昭和50年3月14日", "1975/03/14", "19750314", "1975-03-14"]
)
def test_registered_date_with_a_name_is_found_however_it_is_written(written):
    rows = [[["架空 太郎", "1975-03-14"]]]
    for text in (f"架空太郎（{written}生）", f"{written}生まれの架空　太郎さん"):
        ((part, level),) = found(["氏名+生年月日"], rows, text)
        assert level is Level.HIGH
        assert part.replace("\u3000", "").count("架空太郎") == 1
        assert written in part


def test_date_in_the_first_column_is_found_as_well():
    rows = [[["1975-03-14", "架空 太郎"]]]
    assert found(["生年月日+氏名"], rows, "架空太郎 1975-03-14")
    assert found(["生年月日+氏名"], rows, "架空次郎 1975-03-14") == []


def test_name_and_date_must_be_near_and_in_one_paragraph():
    rows = [[["架空 太郎", "1975-03-14"]]]
    near, far = "。" * 60, "。" * 130
    assert found(["氏名+生年月日"], rows, f"架空太郎{near}1975-03-14")
    assert found(["氏名+生年月日"], rows, f"架空太郎{far}1975-03-14") == []
    assert found(["氏名+生年月日"], rows, "架空太郎\n\n1975-03-14") == []


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("氏名架空太郎 1975-03-14", True),
        ("申請者：架空太郎 1975-03-14", True),
        ("ヤマダ架空太郎 1975-03-14", True),
        ("非架空太郎 1975-03-14", False),
        ("カクウ タロウ 1975-03-14", False),
    ],
)
def test_name_begins_where_a_word_may_begin(text, is_found):
    assert bool(found(["氏名+生年月日"], [[["架空 太郎", "1975-03-14"]]], text)) is is_found


def test_two_numbers_together_are_found():
    rows = [[["0099887766", "4455"]]]
    ((part, level),) = found(["宛名番号+世帯番号"], rows, "宛名 0099887766 世帯 4455")
    assert (part, level) == ("0099887766 世帯 4455", Level.HIGH)
    assert found(["宛名番号+世帯番号"], rows, "宛名 0099887766 世帯 4456") == []


def test_date_alone_and_date_of_eight_digits_are_found_once():
    rows = [[["1975-03-14"]]]
    told = [part for part, _ in found(["生年月日"], rows, "1975年3月14日 と 19750314")]
    assert set(told) <= {"1975年3月14日", "19750314"}
    assert len(told) == len(set(told))


def test_registered_code_of_letters_is_found_and_a_name_alone_says_little():
    ((part, level),) = found(["記号"], [[["KYT-2026-AB77"]]], "記号は kyt-2026-ab77 です")
    assert (part, level) == ("kyt-2026-ab77", Level.HIGH)
    assert all(
        level < Level.HIGH for _, level in found(["氏名"], [[["架空 太郎"]]], "架空 太郎 様")
    )


def test_score_of_a_number_is_counted():
    """ln(10^L / n): of a million numbers of six digits one is registered."""
    engine = Engine(ENGINE_KEY, plain=True, edm=[register(["番号"], [["998877"]])[0]])
    (one,) = [
        f for f in engine.scan([Segment("", "番号 998877")]) if f.entity == "registered_person"
    ]
    weights = {each.code: each.weight for each in one.evidence}
    assert weights["registered"] == pytest.approx(min(8.0, math.log(10**6)), abs=0.01)


def test_register_says_what_it_holds_and_leaves_out_what_is_blank_or_too_short():
    made, sizes = register(
        ["番号", "氏名+生年月日"],
        [["0099887766"], ["架空 太郎", "1975-03-14"]],
        [["12"], ["架空 次郎", ""]],
        [["0099887766"], ["架空 三郎", "1976-03-14"]],
    )
    assert sizes == {"番号": 1, "氏名+生年月日": 2}
    assert repr(made) == "Register(番号, 氏名+生年月日)"
    number, joint = made.columns
    assert number.parts == (Part([10]),)
    assert joint.parts == (Part(texts=[4]), Part(dates=True))


def test_register_with_a_broken_header_is_refused():
    stream = io.BytesIO()
    builder = RegisterBuilder(KEY, ["番号"])
    builder.add([["0099887766"]])
    builder.write(stream)
    data = stream.getvalue()
    for broken in (data.replace(b'"size"', b'"sice"'), data.replace(b"[{", b"{{", 1), b"SEDMR1"):
        with pytest.raises(MalformedError):
            Register(broken, KEY)


def forms(*names):
    made = Forms(KEY)
    for name in names:
        made.add(name, [{"申請書": FORM, "許可願": OTHER}[name]])
    return made


def of_forms(made, *texts):
    engine = Engine(ENGINE_KEY, plain=True, forms=made)
    segments = [Segment(f"部分{n}", text) for n, text in enumerate(texts)]
    return [
        (each.location, each.start, each.end, each.level)
        for each in engine.scan(segments)
        if each.entity == "registered_document"
    ]


def test_document_is_found_in_the_part_that_holds_most_of_it():
    filled = f"受付欄 {FORM} 見本太郎"
    assert of_forms(forms("申請書", "許可願"), "前文です。", filled, FORM[:20]) == [
        ("部分1", 0, len(filled), Level.HIGH)
    ]


def test_document_whose_pages_lie_in_two_parts_is_found_and_a_part_of_it_is_not():
    half = len(FORM) // 2
    assert len(of_forms(forms("申請書"), FORM[:half], FORM[half:])) == 1
    assert of_forms(forms("申請書"), FORM[: half // 2]) == []
    assert of_forms(forms("申請書"), OTHER) == []
    assert of_forms(Forms(KEY), FORM) == []


def test_documents_are_kept_as_hashes_and_read_again():
    made = forms("申請書", "許可願")
    data = made.dump()
    assert data.endswith(b"\n")
    assert set(json.loads(data)["forms"]) == {"申請書", "許可願"}
    assert "助成金".encode() not in data
    again = Forms.load(data, KEY)
    assert (len(again), repr(again), again.dump()) == (2, "Forms(2)", data)
    assert of_forms(again, OTHER) == of_forms(made, OTHER) != []


def test_document_that_is_added_again_is_replaced_and_an_empty_one_is_none():
    made = forms("申請書")
    assert made.add("申請書", [OTHER]) > 3
    assert (len(made), of_forms(made, FORM)) == (1, [])
    assert (made.add("白紙", ["", "。。"]), len(made)) == (0, 1)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"v":1,"check":"x"}', b'{"check":"x","forms":{"a":["b"]}}',
     b'{"check":"x","forms":[]}', b'{"check":"x","forms":{"a":1}}'],
)  # fmt: skip
def test_file_that_holds_no_documents_is_refused(data):
    with pytest.raises(MalformedError, match="not a file of registered documents"):
        Forms.load(data, KEY)


def test_documents_of_another_key_are_refused():
    with pytest.raises(MalformedError, match="another key"):
        Forms.load(forms("申請書").dump(), bytes(32))
