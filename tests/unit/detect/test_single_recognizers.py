"""What single recognizers take for their own, and what they pass over."""

from __future__ import annotations

import threading
from itertools import count

import pytest

from shared.detect import Engine, FingerprintKey
from shared.detect.matcher import PlainMatcher
from shared.detect.recognizers import person_name
from shared.detect.recognizers.person_name import PersonName, pairs
from shared.detect.recognizers.sensitive_information import SensitiveInformation
from shared.detect.rulebook import Reason, load
from shared.detect.scene import Candidate, Draft, Scene
from shared.detect.skeleton import skeleton
from shared.detect.tables import Tables
from shared.detect.words import WordIndex
from shared.model import Level, Segment
from tests.unit.detect import numbers_for_detect as made

ENGINE = Engine(FingerprintKey("test", bytes(range(32))), plain=True)


def parts(entity, text):
    return [
        text[each.candidate.start : each.candidate.end]
        for each in ENGINE.drafts(text, everything=True)
        if each.entity == entity
    ]


def codes(entity, text):
    (draft,) = (each for each in ENGINE.drafts(text, everything=True) if each.entity == entity)
    return [reason.code for reason in draft.reasons]


LONG = ".".join(["b" * 63] * 3 + ["b" * 50]) + "."


def luhn(stem):
    """The number with its check digit behind it (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (2 - n % 2) for n, digit in enumerate(reversed(stem))]
    return stem + str(-sum(each - 9 * (each > 9) for each in doubled) % 10)


@pytest.mark.parametrize(
    ("prefix", "length", "is_card"),
    [
        ("4", 16, True), ("4", 15, False), ("50", 16, False), ("51", 16, True), ("55", 16, True),
        ("56", 16, False), ("2220", 16, False), ("2221", 16, True), ("2720", 16, True),
        ("2721", 16, False), ("34", 15, True), ("37", 15, True), ("33", 15, False),
        ("3527", 16, False), ("3528", 16, True), ("3589", 16, True), ("3590", 16, False),
        ("300", 14, True), ("305", 14, True), ("306", 14, False), ("36", 14, True),
        ("38", 14, True), ("37", 14, False), ("6011", 16, True), ("62", 16, True),
        ("643", 16, False), ("644", 16, True), ("649", 16, True), ("65", 16, True),
        ("66", 16, False),
    ],
)  # fmt: skip
def test_card_has_the_prefix_and_the_length_of_a_brand(prefix, length, is_card):
    number = luhn(prefix + "1" * (length - 1 - len(prefix)))
    text = f"カード番号 {number}"
    assert parts("credit_card", text) == [number] * is_card
    assert any(each.entity == "credit_card" for each in ENGINE.drafts(text)) is is_card


def test_card_in_an_address_is_a_part_of_it():
    number = luhn("411111111111111")
    assert codes("credit_card", number) == ["base", "check", "contiguous"]
    assert codes("credit_card", f"https://a.test/{number}") == [
        "base", "check", "contiguous", "inside_longer",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "code"),
    [("301237301237", "degenerate"), ("301234660000", "degenerate"), ("309012345620", "")],
)
def test_licence_of_little_variety_or_in_an_address_says_so(number, code):
    said = codes("drivers_licence", f"免許証番号 {number}")
    assert [each for each in said if each not in {"base", "check", "near"}] == [code] * bool(code)
    assert "inside_longer" in codes("drivers_licence", f"https://a.test/{number}")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("taro@x.test", "taro@x.test"), ("..taro@a.test", "taro@a.test"),
        ("-taro@a.test", "taro@a.test"), ("Xtaro@a.test", "Xtaro@a.test"),
        ("b" * 65 + "@a.test", "b" * 64 + "@a.test"), ("b" * 64 + "@a.test", "b" * 64 + "@a.test"),
        # a host has 255 octets with the length in front of it (RFC 5321 section 4.5.3.1.2)
        (f"a@{LONG}ccccccccccc", f"a@{LONG}ccccccccccc"),
        (f"a@{LONG}cccccccccccc", f"a@{LONG}ccccccccccc"),
    ],
)  # fmt: skip
def test_address_has_64_characters_before_the_at_sign_and_254_behind(text, address):
    (draft,) = ENGINE.drafts(text)
    assert text[draft.candidate.start : draft.candidate.end] == address
    assert draft.candidate.value == address.lower().encode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+81 (0)75-451-8111", b"0754518111"),
        ("+81 75-451-8111", b"0754518111"),
        ("075-451-8111", b"0754518111"),
        ("+81-90-1234-5678", b"09012345678"),
    ],
)
def test_number_from_abroad_is_that_at_home(text, value):
    (draft,) = ENGINE.drafts(text)
    assert (draft.entity, draft.candidate.value) == ("phone_number", value)


def test_bare_telephone_number_in_an_address_is_a_part_of_it():
    assert "inside_longer" in codes("phone_number", "https://a.test/09012345678")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7-0000-1205-0002", True), (" 7-0000-1205-0002", True), ("1 7-0000-1205-0002", False),
        ("x1-7-0000-1205-0002", False), ("1x 7-0000-1205-0002", True),
        ("1-x 7-0000-1205-0002", True), ("1 7000012050002", True),
    ],
)  # fmt: skip
def test_grouped_corporate_number_is_not_the_tail_of_something_longer(text, found):
    assert bool(parts("corporate_number", text)) is found


N = made.MY_NUMBER


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (f"{N[:4]}-{N[4:8]}-{N[8:]}", "grouped"), (f"{N[:4]} {N[4:8]} {N[8:]}", "grouped"),
        (f"{N[:4]}\t{N[4:8]}\t{N[8:]}", "grouped_cells"),
        (f"{N[:4]}-{N[4:8]}\t{N[8:]}", "grouped_mixed"),
        (f"{N[:4]}\t{N[4:8]}-{N[8:]}", "grouped_mixed"),
        (f"{N[:4]}.{N[4:8]}.{N[8:]}", "grouped_mixed"), (N, "contiguous"),
        (f"1二{N[2:]}", "kanji"), (" ".join(N), "cells"),
    ],
)  # fmt: skip
def test_grouping_of_a_my_number_is_told(written, code):
    assert code in codes("my_number", f"個人番号「{written}」")


def test_my_number_has_twelve_digits_in_any_writing():
    assert parts("my_number", f"個人番号 1二{N[2:]}") == [f"1二{N[2:]}"]
    assert parts("my_number", f"個人番号 1二{N[2:]}0") == []


def test_digits_in_cells_are_not_a_part_of_what_stands_before():
    assert "inside_longer" not in codes("my_number", "ab=" + " ".join(N))
    assert "inside_longer" in codes("my_number", "ab=" + N)


def mrz(wrong=""):
    """A passport's second line, made up; its check digits right but for one."""

    def digit(field, name=""):
        values = ["0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<".index(c) % 36 for c in field]
        total = sum(value * (7, 3, 1)[n % 3] for n, value in enumerate(values))
        return str((total + (name == wrong and bool(name))) % 10)

    number, birth, expiry, own = "XY9876544", "850214", "310609", "ZE184226B<<<<<"
    number += digit(number, "number")
    birth += digit(birth, "birth")
    expiry += digit(expiry, "expiry")
    own += digit(own)
    whole = digit(number + birth + expiry + own, "whole")
    return f"{number}UTO{birth}F{expiry}{own}{whole}"


def test_every_check_digit_of_a_passport_is_right():
    line = mrz()
    assert line[-1] != "0"
    assert parts("mrz", line) == [line]
    assert codes("mrz", line) == ["base"]
    for wrong in ("number", "birth", "expiry", "whole"):
        assert mrz(wrong) != line
        assert parts("mrz", mrz(wrong)) == [], wrong


BOOK = load()


def scene_of(text):
    classes = skeleton(text)
    index = WordIndex(PlainMatcher((), BOOK.vocabulary), BOOK.vocabulary, text, classes)
    return Scene(text, classes, {}, index, Tables(text), {}, frozenset)


def draft(start, end, entity="my_number", level: Level | None = Level.HIGH):
    return Draft(Candidate("n12", start, end, b"1"), entity, 6.0, level, ())


def terms(text, *drafts):
    joined = SensitiveInformation(BOOK.rules["sensitive_information"], BOOK)
    return joined.join(scene_of(text), drafts)


def test_term_is_found_with_a_person_and_says_so():
    text = "うつ病 A 糖尿病 A 病歴"
    assert terms(text, draft(4, 5), draft(10, 11)) == [
        Draft(
            Candidate("term", at, at + len(term), term.encode()),
            "sensitive_information",
            4.0,
            Level.MEDIUM,
            (Reason("base", 2.0), Reason("joint", 2.0)),
        )
        for at, term in ((0, "うつ病"), (6, "糖尿病"), (12, "病歴"))
    ]


@pytest.mark.parametrize(
    ("entity", "level", "found"),
    [
        ("my_number", Level.HIGH, True), ("address", Level.MEDIUM, True),
        ("my_number", Level.LOW, False), ("my_number", None, False),
        ("phone_number", Level.HIGH, False),
    ],
)  # fmt: skip
def test_person_is_who_is_identified_at_medium_or_more(entity, level, found):
    text = "佐藤太郎 糖尿病 A"
    person = draft(9, 10, entity, level)
    assert bool(terms(text, person)) is found
    assert bool(names(text, person)) is found
    assert bool(terms(text, draft(9, 10, "phone_number"), person)) is found
    assert bool(names(text, draft(9, 10, "phone_number"), person)) is found


def test_term_is_within_200_characters_before_and_300_behind():
    text = "うつ病糖尿病" + "。" * 197 + "AA" + "。" * 299 + "病歴" + "結核"
    at = text.index("AA")
    assert [each.candidate.start for each in terms(text, draft(at, at + 2))] == [3, at + 301]


def test_term_is_found_near_any_of_the_persons():
    text = "うつ病A" + "。" * 400 + "B糖尿病"
    at = text.index("B")
    assert [d.candidate.start for d in terms(text, draft(3, 4), draft(at, at + 1))] == [0, at + 1]


def test_500_persons_are_looked_around():
    text = ("A" + "。" * 400) * 501
    for person, found in ((499, True), (500, False)):
        at = 401 * person + 100
        said = text[:at] + "糖尿病" + text[at:]
        drafts = [draft(401 * n, 401 * n + 1) for n in range(501)]
        assert bool(terms(said, *drafts)) is found


def names(text, *drafts):
    return PersonName(BOOK.rules["person_name"], BOOK).join(scene_of(text), drafts)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("佐藤太郎", ["佐藤太郎"]), ("佐藤 太郎さん", ["佐藤 太郎"]),
        ("佐藤\u3000花子", ["佐藤\u3000花子"]),
        ("佐藤太郎と田中花子", ["佐藤太郎", "田中花子"]), ("佐藤、太郎", []), ("佐藤課長", []),
        ("佐藤", []), ("太郎", []), ("太郎佐藤", []), ("佐藤田中花子", ["田中花子"]),
        ("佐藤太郎 花子", ["佐藤太郎"]), ("", []),
    ],
)  # fmt: skip
def test_pair_is_a_family_name_and_a_given_name(text, found):
    assert [text[start:end] for start, end in pairs(text)] == found


def test_thread_has_a_tokenizer_of_its_own_made_once(monkeypatch):
    asked, real = count(), person_name._dictionary
    monkeypatch.setattr(person_name, "_dictionary", lambda: (next(asked), real())[1])
    told = []

    def look():
        told.extend(list(pairs(text)) for text in ("佐藤太郎", "田中花子"))

    for _ in range(2):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert told == [[(0, 4)]] * 4
    assert next(asked) == 2


def test_name_is_told_without_its_space_and_with_its_reason():
    assert names("A 佐藤 太郎", draft(0, 1)) == [
        Draft(
            Candidate("name_pair", 2, 7, "佐藤太郎".encode()),
            "person_name",
            3.6,
            Level.MEDIUM,
            (Reason("name_pair", 3.6),),
        )
    ]


def test_name_is_looked_for_in_80_characters_around():
    text = "佐藤太郎" + "。" * 76 + "A" + "。" * 76 + "田中花子"
    at = text.index("A")
    spans = [(0, 4), (at + 77, at + 81)]
    assert [(e.candidate.start, e.candidate.end) for e in names(text, draft(at, at + 1))] == spans
    assert names(text.replace("A", "。。A。。"), draft(at + 2, at + 3)) == []


def test_name_that_another_finding_covers_is_not_found_again():
    text = "A1佐藤太郎2"
    spans = [(2, 6), (0, 7), (2, 3), (5, 7), (3, 4)]
    assert [names(text, draft(0, 1), draft(*span, "address")) for span in spans] == [[]] * 5
    beside = draft(0, 1), draft(1, 2, "address"), draft(6, 7, "address")
    assert [each.candidate.start for each in names(text, *beside)] == [2]


def test_50_windows_are_looked_in():
    text = ("A佐藤太郎" + "。" * 195) * 52
    drafts = [each for n in range(52) for each in [draft(200 * n, 200 * n + 1)] * 2]
    found = names(text, *drafts)
    assert [each.candidate.start for each in found] == [200 * n + 1 for n in range(50)]


def test_windows_do_not_overlap_and_give_each_name_once():
    text = "佐藤太郎A田中花子A鈴木一郎"
    found = names(text, draft(4, 5), draft(9, 10))
    assert [each.candidate.start for each in found] == [0, 5, 10]


def test_name_near_evidence_has_the_level_of_its_score():
    text = f"佐藤 太郎 {made.MY_NUMBER}、個人番号 {made.MY_NUMBER}"
    engine = Engine(FingerprintKey("test", bytes(range(32))), plain=True, names=True)
    (found,) = (e for e in engine.scan([Segment("", text)]) if e.entity == "person_name")
    assert (found.start, found.end, found.level, found.masked) == (0, 5, Level.MEDIUM, "****")
