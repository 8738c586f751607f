"""The samples are what they say: real check digits, real formats, nobody's numbers."""

from __future__ import annotations

import io
import zipfile
from email import message_from_bytes

import pypdfium2
import pytest
from stdnum.jp import cn, in_

from local.samples import DRIVE, GATE, MAIL, expectations, jis, numbers, samples
from local.samples.numbers import company, grouped, parcel, person, wide
from shared.model import Disposition

BY_NAME = {each.name: each for each in samples()}


def test_samples_are_a_day_of_every_kind():
    assert len(samples()) >= 16
    assert len(BY_NAME) == len(samples())
    assert {each.source for each in samples()} == {MAIL, DRIVE, GATE}
    said = {word for each in expectations().values() for word in each.dispositions}
    assert said == {each.name.lower() for each in Disposition}


def test_samples_each_have_an_expectation_with_reasons():
    assert set(expectations()) == set(BY_NAME)
    assert all(each.ja and each.en for each in expectations().values())


def test_numbers_have_right_check_digits():
    assert all(in_.is_valid(person(index)) for index in range(20))
    assert in_.is_valid(parcel())
    assert cn.is_valid(company())


def test_numbers_are_distinct_and_listed_once():
    assert len(set(numbers())) == len(numbers())
    assert {person(0), parcel(), company()} <= set(numbers())


@pytest.mark.parametrize("name", ["mail-jis", "mail-nec"])
def test_jis_mail_is_seven_bits_and_holds_the_wide_number(name):
    data = BY_NAME[name].data
    assert data.isascii()
    assert b"\x1b$B" in data
    pair = wide(person(0 if name == "mail-jis" else 1)).encode("iso2022_jp")[3:-3]
    assert pair in data


def test_vendor_characters_are_beyond_the_standard_codec():
    payload = message_from_bytes(BY_NAME["mail-nec"].data).get_payload(decode=True)
    with pytest.raises(UnicodeDecodeError):
        payload.decode("iso2022_jp")


def test_jis_agrees_with_the_codec_where_it_can():
    text = "個人番号　１２３４ テスト abc\n漢字"
    assert jis.encode(text) == text.encode("iso2022_jp")


def test_password_zip_does_not_open_without_its_password():
    message = message_from_bytes(BY_NAME["mail-ppap"].data)
    packed = next(part for part in message.walk() if part.get_content_subtype() == "zip")
    with zipfile.ZipFile(io.BytesIO(packed.get_payload(decode=True))) as archive:
        assert archive.infolist()[0].flag_bits & 1


def test_form_value_is_in_the_field_and_not_in_the_page():
    message = message_from_bytes(BY_NAME["mail-pdf-form"].data)
    data = next(p for p in message.walk() if p.get_content_subtype() == "pdf").get_payload(
        decode=True
    )
    page = pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range()
    assert "個人番号" in page
    assert person(3) not in page
    assert person(3).encode() in data


def test_roster_is_shift_jis():
    text = BY_NAME["gate-roster"].data.decode("cp932")
    assert text.startswith("氏名,住所,個人番号")
    assert text.count("\n") == 6


def test_grouped_is_four_by_four():
    assert grouped("123456789018") == "1234-5678-9018"
