from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from shared.export.monthly import Handled, Month, handled, middle, most
from shared.export.page import render
from shared.export.records import Records
from shared.export.words import Words
from shared.storage.audit_reader import AuditReader
from shared.storage.chain_watch import Verified
from shared.storage.incidents import Change, Incidents, Pages
from shared.storage.index_counts import day_of
from tests.unit.audit.payloads import PAYLOADS, event
from tests.unit.export import month as made

NOVEMBER = date(2026, 11, 1)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def events():
    return made.events()


def counted(events, reviews=()):
    month = Month(NOVEMBER)
    by_event = month.review(reviews) if reviews else {}
    for each in events:
        month.add(each, by_event.get(each.id))
    return month


class Looked(HTMLParser):
    """Tags that are open, and everything that could load or run something."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            loads = name in {"src", "href", "xlink:href", "action", "srcset", "data", "poster"}
            runs = name.startswith("on") or "url(" in (value or "")
            if (
                tag in {"script", "link", "iframe", "img", "object", "base", "form"}
                or loads
                or runs
            ):
                self.found.append((tag, name, value))
        if tag == "script":
            self.found.append((tag, "", ""))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


def test_month_counts_what_was_decided_in_japans_days(events):
    month = counted(events)
    inside = [e for e in events if (day_of(e.time).month, e.disposition) >= (11, "")]
    inside = [e for e in inside if day_of(e.time).month == 11]
    assert month.items == len(inside)
    assert month.dispositions == Counter(e.disposition for e in inside)
    assert sum(sum(counts.values()) for counts in month.days.values()) == month.items
    assert sum(month.before.values()) == len([e for e in events if day_of(e.time).month == 10])
    assert sum(sum(c.values()) for _, _, c in month.weeks()) == month.items
    assert len(month.days) == 30
    assert month.weeks()[0][:2] == (date(2026, 11, 1), date(2026, 11, 1))


def test_last_moment_of_the_month_in_japan_is_in_it():
    last = datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC)
    one = event("own")
    month = counted([replace(one, time=last), replace(one, time=last + timedelta(seconds=1))])
    assert month.items == 1


def test_month_keeps_vanished_items_and_deeds_apart():
    one = replace(event("own", disposition="none"), time=datetime(2026, 11, 5, tzinfo=UTC))
    deed = replace(one, item=replace(one.item, source="console"))
    month = counted([one, deed])
    assert (month.items, month.gone, month.deeds) == (0, 1, 1)


def test_response_counts_verdicts_and_hours(events):
    month = counted(events, list(made.incidents(events)))
    response = month.response
    assert sum(response.steps()) == len(response.first_hours)
    assert 0.05 < response.false_share() < 0.25
    assert middle(response.first_hours) < most(response.first_hours)
    assert response.waiting == response.states["open"]
    assert sum(c["false_positive"] for c in month.verdicts.values()) > 0


def test_hours_of_none_and_of_one():
    assert (middle([]), most([])) == (None, None)
    assert (middle([2.0]), most([2.0])) == (2.0, 2.0)


async def test_handled_reads_an_incidents_row(stores, clock):
    pages = Pages.of(stores.table("incidentindex"))
    incidents = Incidents(stores.table("incidents"), pages)
    key = await incidents.open(replace(event("own"), time=clock()))
    opened = clock()
    again = replace(event("own"), id="b" * 64, time=clock())
    assert await incidents.open(again) == key  # joins it, which is nobody's dealing with it
    for version, action in enumerate(("claim", "false_positive", "release"), 1):
        clock.turn(3600)
        await incidents.change(key, Change(action, "r", "R", version), clock())
    found = handled(await incidents.get(key))
    assert (found.state, found.verdict) == ("released", "false_positive")
    assert [found.opened, found.first, found.released] == [
        opened, opened + timedelta(hours=1), opened + timedelta(hours=3),
    ]  # fmt: skip


def test_report_is_one_file_that_loads_and_runs_nothing(events):
    month = counted(events, list(made.incidents(events)))
    text = render(month, Words({"my-number-high": ("個人番号（確実）", "certain")}), NOW, None)
    looked = Looked(text)
    assert looked.found == []
    assert looked.open == []
    assert "個人番号（確実）" in text
    assert "<script" not in text
    addresses = set(re.findall(r"https?://[^\"' <]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "@media print" in text


def test_report_of_an_empty_month_says_so():
    text = render(Month(NOVEMBER), Words(), NOW, None)
    assert "働いた規則はありません" in text
    assert "案件の記録を渡されていない" in text
    assert Looked(text).open == []


@pytest.mark.parametrize(("result", "words"), [("whole", "不整合なし"), ("broken", "不整合あり")])
def test_report_says_how_the_record_was_verified(result, words):
    found = Verified(NOW, result, 12_345, "timer", NOW, 12_345, 7, "edit", "")
    text = render(Month(NOVEMBER), Words(), NOW, found)
    assert words in text
    assert ("12,345" in text) == (result == "whole")


def test_no_payload_becomes_markup_in_the_report():
    hostile = [replace(event(text), id=f"{n:064x}") for n, text in enumerate(PAYLOADS)]
    month = counted(hostile, [Handled(each.id, "closed", "false_positive") for each in hostile])
    said = Words({p: (p, p) for p in PAYLOADS}, {"my_number": (PAYLOADS[-1], "x")}, "<b>")
    text = render(month, said, NOW, None)
    looked = Looked(text)
    assert (looked.found, looked.open) == ([], [])
    assert "<b>" not in text
    assert "�" in text.encode().decode()


async def test_records_since_a_moment_begin_at_a_blob_near_it(house):
    start = house.clock()
    for _ in range(12):
        await house.write(3)
        house.clock.turn(86_400)
    reads = []

    class Counted:
        def __getattr__(self, name):
            return getattr(house.blobs, name)

        async def read_range(self, name, start, length=None):
            reads.append((name, length))
            return await house.blobs.read_range(name, start, length)

    records = Records(AuditReader(Counted()))
    moment = start + timedelta(days=8)
    found = [e async for e, _ in records.since(moment) if e]
    every = [e async for e, _ in records.since(start)]
    assert [e.event.id for e in found][-12:] == [e.event.id for e in every if e][-12:]
    assert len(found) < 26
    assert found[-1].seq == every[-1].seq
    assert all(e.event.time >= moment for e in found[-12:])
