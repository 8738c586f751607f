"""Recall on fourteen ways to write a My Number, and silence on what only looks like one."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from shared.detect import Engine, FingerprintKey
from shared.model import Level, Segment
from tests.unit.detect import golden
from tests.unit.detect import numbers_for_detect as made

ENGINE = Engine(FingerprintKey("test", bytes(range(32))))
ROUNDS = 40
SEEDS = (20261, 20262)


def _my_numbers(text: str, *, table: bool = False):
    found = ENGINE.scan([Segment("本文", text, table=table)])
    return [f for f in found if f.entity == "my_number" and f.level >= Level.MEDIUM]


@pytest.mark.parametrize("seed", SEEDS)
def test_my_number_is_found_in_every_form(seed):
    documents = list(golden.positives(seed, ROUNDS))
    assert len(documents) >= 500
    missed = Counter()
    for form, text, written in documents:
        start = text.index(written)
        if (start, start + len(written)) not in {(f.start, f.end) for f in _my_numbers(text)}:
            missed[form] += 1
    assert not missed


@pytest.mark.parametrize("seed", SEEDS)
def test_my_number_is_not_seen_in_its_rivals(seed):
    documents = list(golden.rivals(seed, 60))
    assert len(documents) >= 600
    wrong = Counter(rival for rival, text in documents if _my_numbers(text))
    assert wrong.total() <= len(documents) * 0.005, wrong


@pytest.mark.parametrize("rows", [1, 3, 20, 200])
@pytest.mark.parametrize("separator", [",", "\t"])
def test_every_cell_under_our_header_is_found(rows, separator):
    rng = random.Random(rows)
    text = golden.csv(rng, "個人番号", rows, lambda: made.my_number(rng), separator)
    assert len(_my_numbers(text, table=separator == "\t")) == rows


@pytest.mark.parametrize("rows", [1, 3, 20, 200])
@pytest.mark.parametrize(
    "header", ["職員番号", "受付番号", "会員ID", "顧客コード", "資産No", "金額", "JAN", "user_key"]
)
def test_no_cell_under_another_header_is_found(rows, header):
    rng = random.Random(rows)
    forced = golden.csv(rng, header, rows, lambda: made.my_number(rng), "\t")
    chance = golden.csv(rng, header, rows, lambda: str(rng.randrange(10**11, 10**12)), ",")
    assert not _my_numbers(chance)
    assert not _my_numbers(forced, table=True)


def test_employee_codes_under_our_header_are_not_found():
    rng = random.Random(7)
    text = golden.csv(rng, "個人番号", 60, lambda: str(rng.randrange(10**11, 10**12)), ",")
    assert not _my_numbers(text)
