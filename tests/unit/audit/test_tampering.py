"""Random tampering with a log of 20,000 records: each is found, named and located.

The full size (1,000 on 100,000) is ``python bench/audit.py``.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bench import _tampering as tampering
from shared.audit.chain import Kind
from shared.codec import encode
from shared.storage.audit_reader import AuditReader, Place

RECORDS, TIMES = 20_000, 60


@pytest.fixture(scope="module")
def log():
    events = [
        encode({"id": f"{n:064x}", "seconds": n / 4, "words": "済" * (n % 90)}) for n in range(997)
    ]
    return tampering.make(events, RECORDS, per_blob=4_000)


async def test_untouched_log_holds(log):
    checked = await AuditReader(log.held()).check(verifier=log.verifier)
    assert checked.verdict.broken is None
    assert (checked.verdict.tip.count, checked.heads) == (RECORDS, 40)
    assert checked.size == sum(map(len, log.lines))


async def test_every_random_tampering_is_found_named_and_located(log):
    rng = random.Random(20261128)
    done = Counter()
    for number in range(TIMES):
        tampered = tampering.WAYS[number % len(tampering.WAYS)](log, rng)
        checked = await AuditReader(tampered.held).check(verifier=log.verifier)
        found = checked.verdict.broken
        assert tampering.right(tampered, found, log.every), (tampered.how, tampered.seq, found)
        done[found.kind] += 1
    assert set(done) == set(Kind)


@pytest.mark.parametrize("seq", [1, 2, 3999, 4000, 4001, 4002, 12_345, RECORDS, RECORDS + 1])
async def test_place_before_a_record_is_found_and_verified_from(log, seq):
    reader = AuditReader(log.held())
    start = await reader.before(seq)
    assert start.tip == log.tips[seq - 1]
    checked = await reader.check(start, verifier=log.verifier)
    assert (checked.verdict.broken, checked.verdict.tip.count) == (None, RECORDS)
    assert checked.size == sum(map(len, log.lines[seq - 1 :]))


async def test_place_before_a_record_that_is_not_there_is_none(log):
    assert await AuditReader(log.held()).before(RECORDS + 2) is None
    assert await AuditReader(tampering.Held({})).before(2) is None
    assert await AuditReader(tampering.Held({})).before(1) == Place()


async def test_budget_stops_and_the_next_part_goes_on(log, monkeypatch):
    monkeypatch.setattr("shared.storage.audit_reader.PIECE", 50_000)
    reader, place, parts = AuditReader(log.held()), Place(), 0
    while True:
        checked = await reader.check(place, known=[log.tips[-1]], budget=1_000_000)
        assert checked.verdict.broken is None
        place, parts = checked.place, parts + 1
        if checked.ended:
            break
        assert checked.verdict.tip == place.tip
    assert (checked.verdict.tip, parts > 3) == (log.tips[-1], True)


async def test_what_was_known_before_must_be_found_again(log):
    reader = AuditReader(log.held(log.lines[:100]))
    found = (await reader.check(known=[log.tips[120]])).verdict.broken
    assert (found.seq, found.kind) == (101, Kind.TRUNCATION)
