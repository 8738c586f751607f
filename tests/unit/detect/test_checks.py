"""Check digits against an implementation that is not ours."""

from __future__ import annotations

import random

import pytest
from stdnum import ean, luhn
from stdnum.jp import cn, in_

from shared.detect import checks

PEERS = {
    "my_number": (12, in_.is_valid),
    "corporate_number": (13, cn.is_valid),
    "luhn": (16, luhn.is_valid),
    "ean": (13, ean.is_valid),
}


@pytest.mark.parametrize("name", sorted(PEERS))
def test_check_agrees_with_stdnum_on_20000_numbers(name):
    length, peer = PEERS[name]
    rng = random.Random(name)
    numbers = ["".join(rng.choices("0123456789", k=length)) for _ in range(20_000)]
    ours = checks.passes(name, [number.encode() for number in numbers])
    assert ours == [peer(number) for number in numbers]
    assert 1_000 < sum(ours) < 4_000


def test_my_number_vector_and_single_agree():
    rng = random.Random(1)
    numbers = ["".join(rng.choices("0123456789", k=12)).encode() for _ in range(2_000)]
    assert checks.passes("my_number", numbers) == [checks.my_number(n) for n in numbers]


@pytest.mark.parametrize(
    ("check", "number"),
    [
        (checks.my_number, b"123456789018"),
        (checks.corporate_number, b"2000020260002"),
        (checks.drivers_licence, b"309012345620"),
        (checks.luhn, b"33120015"),
        (checks.parcel, b"123456789013"),
        (checks.local_government, b"260002"),
    ],
)
def test_check_accepts_the_published_example(check, number):
    assert check(number)
    assert not check(number[:-2] + bytes([(number[-2] - 48 + 1) % 10 + 48]) + number[-1:])


def test_mrz_digit_of_the_icao_specimen():
    assert checks.mrz(b"L898902C3") == 6


@pytest.mark.parametrize(
    "code",
    ["010006", "011002", "041009", "082201", "110001", "130001", "131016", "141003", "231002",
     "261009", "270008", "271004", "281000", "401307", "470007"],
)  # fmt: skip
def test_code_of_a_local_government_has_one_check_digit(code):
    """総務省's list: Hokkaido to Okinawa; 110001 and 281000 are those whose rest is 0 and 1."""
    passing = [
        digit
        for digit in range(10)
        if checks.local_government(b"%s%d" % (code[:5].encode(), digit))
    ]
    assert passing == [int(code[5])]


@pytest.mark.parametrize("office", ["10", "14", "20", "30", "54", "65", "70", "83", "90", "97"])
def test_licence_of_an_office_has_one_check_digit(office):
    rng = random.Random(office)
    for _ in range(20):
        stem = office + "".join(rng.choices("0123456789", k=8))
        rest = (
            sum(int(d) * w for d, w in zip(stem, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11
        )
        right = 0 if rest <= 1 else 11 - rest
        numbers = [f"{stem}{digit}{rng.randrange(10)}".encode() for digit in range(10)]
        assert checks.passes("drivers_licence", numbers) == [n == right for n in range(10)]


@pytest.mark.parametrize(
    "office", ["00", "09", "15", "19", "26", "31", "39", "56", "66", "75", "84", "98"]
)
def test_licence_of_no_office_passes_with_no_check_digit(office):
    assert not any(
        checks.drivers_licence(b"%s12345678%d0" % (office.encode(), n)) for n in range(10)
    )
