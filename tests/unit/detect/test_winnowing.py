"""Fingerprints of documents: which hashes stand for a text, and the share of a form in another."""

from __future__ import annotations

import pytest

from shared.detect.winnow import GRAM, WINDOW, known, winnow

KEY = bytes(range(32))
TEXT = "申請書（様式第1号）次のとおり助成金の交付を受けたいので、関係書類を添えて申請します。"


def test_hashes_of_a_text_stay_the_same():
    """Forms that were registered years ago are still known."""
    assert sorted(winnow(TEXT, KEY)) == [
        182347305553927750,
        197973916058816509,
        345795984365965054,
        357071118586521639,
    ]
    assert winnow("12345", KEY) == {113529537143086168}
    assert winnow("12345", bytes(16)) == {117174070652997689}


@pytest.mark.parametrize("length", range(GRAM + WINDOW - 1, GRAM + WINDOW + 12))
def test_twenty_characters_in_common_are_noticed_wherever_they_stand(length):
    common = TEXT[: GRAM + WINDOW - 1]
    assert len(common) == 20
    text = ("甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉" * 2)[: length - 20] + common
    assert winnow(text + "子丑寅卯", KEY) & winnow(common, KEY)
    assert winnow(common, KEY) <= winnow(common + "子丑寅卯", KEY) | winnow(text, KEY)


@pytest.mark.parametrize(("length", "hashes"), [(4, 0), (5, 1), (6, 1), (20, 1)])
def test_short_text_has_one_hash_and_a_shorter_one_none(length, hashes):
    assert len(winnow(TEXT[:length], KEY)) == hashes


def test_each_window_of_a_longer_text_has_its_least_hash():
    grams = [next(iter(winnow(TEXT[n : n + GRAM], KEY))) for n in range(len(TEXT) - GRAM + 1)]
    least = {min(grams[n : n + WINDOW]) for n in range(len(grams) - WINDOW + 1)}
    assert winnow(TEXT, KEY) == least
    assert winnow(TEXT[:21], KEY) == {min(grams[:16]), min(grams[1:17])}


def test_key_counts_up_to_64_bytes():
    long = bytes(range(100))
    assert winnow(TEXT, long) == winnow(TEXT, long[:64]) != winnow(TEXT, long[:63])
    assert not winnow(TEXT, KEY) & winnow(TEXT, KEY[:-1])


def test_every_character_of_five_counts_and_spaces_and_rules_do_not():
    hashes = {text: winnow(text, KEY) for text in ("12345", "02345", "10345", "12045", "12340")}
    assert len(set(hashes.values())) == 5
    assert winnow(" 1\t2\r\n3\u30004\u200b\ufeff_＿・.…-ー―5", KEY) == hashes["12345"]
    assert winnow("1234\ud800", KEY) != winnow("1234\U0001f600", KEY) != winnow("1234？", KEY)


def test_share_of_a_form_is_of_its_own_hashes_and_the_least_is_enough():
    seen = sorted(winnow(TEXT, KEY))[:3]
    unseen = [1, 2, 3, 4]
    forms = {
        "b": frozenset([*seen, *unseen[:2]]),
        "a": frozenset([*seen, *unseen[:2]]),
        "whole": frozenset(seen),
        "less": frozenset([*seen, *unseen[:3]]),
        "empty": frozenset(),
    }
    assert known(TEXT, forms, KEY) == (("whole", 1.0), ("a", 0.6), ("b", 0.6))
    assert known(TEXT, forms, KEY, least=0.5) == (
        ("whole", 1.0),
        ("a", 0.6),
        ("b", 0.6),
        ("less", 0.5),
    )
    assert known(TEXT, forms, KEY, least=0.61) == (("whole", 1.0),)
