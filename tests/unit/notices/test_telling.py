"""Who is told: by rule and mode, never of a notice, never twice; alerts and the day's digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.memory import Account, MemoryStores
from shared.model import Context
from shared.policy import Policy, default_text
from shared.services.notices import Sender
from shared.services.outbox import Outbox
from shared.services.own_notice import LABEL
from shared.services.telling import Telling, kinds
from shared.storage.alerts import FRESH, Alerts
from tests.unit.notices.notice_facts import POLICY, day, notices

PILOT = """
rules:
  - id: my-number-high
    mode: simulate
    cohorts: {pilot: enforce, wave: notify}
"""


class House:
    def __init__(self, **more):
        self.now = datetime(2026, 7, 1, 4, tzinfo=UTC)
        self.account = Account(lambda: self.now)
        stores = MemoryStores(self.account)
        self.outbox = Outbox(stores.table("outbox"), lambda: self.now)
        self.alerts = Alerts(stores.table("alerts"), lambda: self.now)
        given = {"mail": True, "security": ("ciso@example.jp",), "card": True} | more
        self.telling = Telling(POLICY, self.outbox, lambda: self.now, **given)
        self.sent = []
        channels = ("mail", "owner", "manager", "card")
        by = {each: self.by(each) for each in channels}
        self.sender = Sender(self.outbox, notices(), self.alerts, by)

    def by(self, channel):
        async def send(to, notice):
            self.sent.append((channel, to, notice.subject))

        return send

    def addressees(self):
        return sorted((channel, to) for channel, to, _ in self.sent)


@pytest.fixture
def house():
    return House()


async def test_blocked_item_tells_whom_its_rule_names_once(house):
    blocked = day(1)[0]
    for _ in range(2):
        await house.telling.event(blocked)
    await house.sender.run()
    assert house.addressees() == [
        ("card", "security"), ("mail", "ciso@example.jp"), ("owner", "o")
    ]  # fmt: skip
    await house.telling.event(blocked)
    assert await house.sender.run() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"action_state": "superseded"},
        {"action_state": "unchanged"},
        {"disposition": "none"},
        {"rule_ids": ("personal-nobody-knows",)},
        {"rule_ids": ("my-number-high", "exception:e1")},
        {"context": Context("mail", "own_mailbox", labels=(LABEL,))},
    ],
)
async def test_what_is_no_news_tells_nobody(house, change):
    await house.telling.event(replace(day(1)[0], **change))
    await house.sender.run()
    assert house.sent == []


async def test_outsider_is_not_told_and_nobody_without_a_way_to(house):
    outside = replace(day(1)[0], place="teams_external", owner="")
    await house.telling.event(outside)
    await house.sender.run()
    assert not [each for each in house.addressees() if each[0] == "owner"]
    silent = House(mail=False, security=(), card=False)
    await silent.telling.event(day(1)[0])
    assert await silent.sender.run() == 0


async def test_our_own_sender_is_told_though_outsiders_read_it(house):
    await house.telling.event(replace(day(1)[0], place="teams_external"))
    await house.sender.run()
    assert ("owner", "o") in house.addressees()


@pytest.mark.parametrize(("cohort", "told"), [("pilot", True), ("wave", True), ("everyone", False)])
def test_mode_of_the_cohort_decides_who_is_told(cohort, told):
    policy = Policy.load([default_text(), PILOT])
    seen = replace(day(1)[0], context=Context("mail", "own_mailbox", cohort=cohort))
    assert bool(kinds(policy, seen)) is told


async def test_alert_is_told_once_and_a_failed_alert_tells_nobody(house):
    await house.alerts.once("dead_letter", "scan-items/1")
    await house.alerts.once("dead_letter", "scan-items/1")
    await house.alerts.once("notice_failed", "alert/2")
    await house.telling.alerts(house.alerts)
    await house.sender.run()
    assert house.addressees() == [("card", "security"), ("mail", "ciso@example.jp")]
    assert [p for p, _ in house.account.tables["alerts"] if p == FRESH] == []
    await house.alerts.once("dead_letter", "scan-items/1")  # it is there already
    await house.telling.alerts(house.alerts)
    assert await house.sender.run() == 0


async def test_digest_of_yesterday_goes_out_once_and_is_forgotten(house):
    for each in day(4):
        await house.telling.event(each)
    await house.sender.run()
    house.sent.clear()
    await house.telling.digest()  # today is not over
    assert await house.sender.run() == 0
    house.now += timedelta(days=1)
    for _ in range(2):
        await house.telling.digest()
    await house.sender.run()
    assert house.addressees() == [("card", "security"), ("mail", "ciso@example.jp")]
    assert "4" in house.sent[0][2]
    house.now += timedelta(days=7)
    await house.telling.digest()
    assert await house.sender.run() == 0
    assert await house.outbox.of_day("2026-07-01") == []
    assert {partition for partition, _ in house.account.tables["outbox"]} == {"sent", "told"}
    house.now += timedelta(days=92)
    await house.telling.digest()
    assert {partition for partition, _ in house.account.tables["outbox"]} == {"told"}


async def test_nobody_in_charge_has_no_digest_collected():
    house = House(security=(), card=False)
    await house.telling.event(day(1)[0])
    assert {partition for partition, _ in house.account.tables["outbox"]} == {"pending"}


async def test_day_without_anything_to_review_has_no_digest(house):
    house.now += timedelta(days=1)
    await house.telling.digest()
    assert await house.sender.run() == 0
