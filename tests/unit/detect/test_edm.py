"""Exact data match and document fingerprints. All people here are made up."""

from __future__ import annotations

import io

import pytest
from faker import Faker

from shared.detect import FingerprintKey, Register
from shared.detect.edm import Table, TableBuilder, fold
from shared.detect.edm_values import canonical
from shared.detect.winnow import known, winnow
from shared.errors import MalformedError
from tests.unit.detect.registers_for_detect import KEY, register_bytes

FORM = """申請書（様式第1号）
次のとおり助成金の交付を受けたいので、関係書類を添えて申請します。
申請者 住所 ＿＿＿＿＿＿ 氏名 ＿＿＿＿＿＿ 電話 ＿＿＿＿＿＿
1 事業の名称 2 事業の目的及び内容 3 交付申請額 4 添付書類 収支予算書、事業計画書
上記の内容について、虚偽がないことを誓約します。"""


def _table(values, column="", key=KEY):
    builder = TableBuilder(key, column)
    for value in values:
        builder.add(*([value] if isinstance(value, str) else value))
    stream = io.BytesIO()
    builder.write(stream)
    return stream.getvalue()


def test_edm_knows_the_registered_and_no_other():
    fake = Faker("ja_JP")
    Faker.seed(1)
    names = {fake.name() for _ in range(3000)}
    others = {f"{fake.name()}{n}" for n in range(3000)}
    table = Table(_table(names), KEY)
    assert all(name in table for name in names)
    assert not any(name in table for name in others)


def test_edm_folds_width_and_spacing():
    table = Table(_table(["1234-5678-9018", "見本 太郎"]), KEY)
    for value in ("１２３４　５６７８　９０１８", "123456789018", "見本太郎", "見本　太郎"):
        assert value in table


def test_edm_combines_columns():
    table = Table(_table([("見本 太郎", "1975-03-14")], "氏名+生年月日"), KEY, "氏名+生年月日")
    assert ("見本　太郎", "１９７５／０３／１４") in table
    assert ("見本 太郎", "1975-03-15") not in table
    assert ("見本", "太郎1975-03-14") not in table


def test_edm_table_holds_no_value_and_hides_it_in_repr():
    data = _table(["見本太郎", "123456789018"])
    for secret in ("見本太郎", "123456789018"):
        for encoding in ("utf-8", "utf-16-le", "cp932"):
            assert secret.encode(encoding) not in data
    assert "123" not in repr(Table(data, KEY))


@pytest.mark.parametrize("size", [0, 1, 5000])
def test_edm_table_has_the_size_it_says(size):
    assert len(Table(_table([f"value {n}" for n in range(size)]), KEY)) == size


@pytest.mark.parametrize(
    ("data", "key", "column"),
    [
        (b"nothing", KEY, ""),
        (_table(["a"]), bytes(32), ""),
        (_table(["a"]), KEY, "another"),
        (_table(["a", "b"])[:-8], KEY, ""),
    ],
)
def test_edm_table_of_another_key_column_or_length_is_refused(data, key, column):
    with pytest.raises(MalformedError):
        Table(data, key, column)


def test_filled_in_form_is_known_as_that_form():
    forms = {"様式第1号": winnow(FORM, KEY), "別の様式": winnow(FORM[::-1], KEY)}
    filled = FORM.replace("＿＿＿＿＿＿", "見本市架空町1-2 見本太郎", 1).replace(
        "＿＿＿＿＿＿", "見本太郎"
    )
    found = known("前文があります。\n" + filled + "\n後文もあります。", forms, KEY)
    assert [name for name, _ in found] == ["様式第1号"]


def test_unrelated_text_is_no_form():
    forms = {"様式第1号": winnow(FORM, KEY)}
    assert known("本日の会議では、窓口業務の見直しについて議論しました。" * 20, forms, KEY) == ()


def test_winnowing_depends_on_the_key():
    assert winnow(FORM, KEY).isdisjoint(winnow(FORM, bytes(32)))


@pytest.mark.parametrize("cut", [0, 7, 15, 40, -8])
def test_register_that_is_not_whole_is_refused(cut):
    data = register_bytes(["番号"], [["0099887766"]])
    with pytest.raises(MalformedError):
        Register(data[:cut], KEY)


def test_register_of_another_key_is_refused():
    with pytest.raises(MalformedError):
        Register(register_bytes(["番号"], [["0099887766"]]), bytes(32))


@pytest.mark.parametrize(
    "written",
    ["昭和50年3月14日", "S50.3.14", "Ｓ５０．３．１４", "1975/3/14", "1975-03-14", "19750314"],
)
def test_dates_in_any_writing_are_one_value(written):
    assert canonical(written) == "1975-03-14"


@pytest.mark.parametrize("written", ["1975-13-14", "075-451-8111", "令和元年", "19751399"])
def test_what_is_no_date_is_folded_as_it_is(written):
    assert canonical(written) == fold(written)


@pytest.mark.parametrize("key", [bytes(16), KEY, bytes(range(100))])
def test_kept_states_give_the_same_fingerprint(key):
    whole = FingerprintKey("k", key)
    assert whole.fingerprinter()("my_number", b"1") == whole.fingerprint("my_number", b"1")
