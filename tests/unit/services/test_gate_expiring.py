"""A lock whose time is over: it and its link go, its mail waits on, told and recorded once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from local.memory import Crash, MemoryStores
from shared.codec import decode
from shared.model import OutcomeState
from shared.policy.notices import House, Notices
from shared.policy.rule import Words
from shared.services.gate.expiring import Expiring
from shared.services.gate.locked import VALID, Answer
from shared.services.gate.outcomes import Outcomes
from shared.services.gate.waiting import LOCK, PERSON, Pile
from shared.services.outbox import Entry
from tests.unit.services.gate_parts import Whole
from tests.unit.services.test_gate_passwords import CANARY, held, locked


class Timer:
    """The gate, and what the timer does."""

    def __init__(self, rig, stores=None):
        self.rig, self.whole = rig, Whole(rig, stores=stores)
        service = self.whole.service
        self.expiring = Expiring(
            self.whole.envelopes,
            Outcomes(service._shelf, self.whole.waiting),
            self.whole.waiting,
            self.whole._record,
            service._notices.expired,
        )

    def told(self):
        rows = self.rig.account.tables.get("outbox", {}).values()
        return [row.values["entry"] for row in rows if b'"gate_expired"' in row.values["entry"]]

    async def locks(self):
        return [each async for each in self.whole.envelopes.names("locked/")]


@pytest.fixture
def timer(rig):
    return Timer(rig)


async def test_lock_nobody_opened_goes_at_its_end_and_the_mail_waits_on(timer):
    whole = timer.whole
    (lock,) = await held(whole)
    timer.rig.clock.now = lock.until - timedelta(minutes=1)  # the clock moves with each look
    assert await timer.expiring.run() == 0
    assert len(await timer.locks()) == 1
    timer.rig.clock.now = lock.until
    assert await timer.expiring.run() == 1
    assert await timer.locks() == []
    assert await whole.locks.find(whole.locks.token(lock)) is None
    assert await whole.locks.open(whole.locks.token(lock), (CANARY,)) is Answer.UNKNOWN
    assert [each async for each in whole.landing.names()] == ["mail/a.eml"], "nothing is lost"
    assert (await whole.waiting.pile(PERSON)).count == 1, "it waits for an official"
    assert await whole.waiting.pile(LOCK) == Pile()
    ((item, outcome),) = whole.recorded
    assert (item, outcome.action, outcome.state) == (
        lock.item, "lock_expired", OutcomeState.APPLIED,
    )  # fmt: skip
    (entry,) = timer.told()
    assert timer.rig.UPN.encode() in entry
    assert CANARY.encode() not in await whole.everything()
    assert await timer.expiring.run() == 0
    assert len(timer.told()) == 1


async def test_expired_mail_is_not_opened_by_a_mail_that_follows(timer):
    (lock,) = await held(timer.whole)
    timer.rig.clock.now = lock.until
    await timer.expiring.run()
    await timer.whole.passes("mail/b.eml", locked(number=2))
    assert {each.action for _, each in timer.whole.results} == {"hold"}


async def test_lock_that_was_opened_is_no_news(timer):
    (lock,) = await held(timer.whole)
    assert (await timer.whole.waiting.pile(LOCK)).count == 1
    assert await timer.whole.locks.open(timer.whole.locks.token(lock), (CANARY,)) is Answer.OPENED
    assert await timer.whole.waiting.pile(LOCK) == Pile()
    timer.rig.clock.now += VALID + timedelta(hours=1)
    assert await timer.expiring.run() == 0
    assert timer.told() == []
    assert [each.action for _, each in timer.whole.recorded] == ["open"]


async def test_lock_whose_mail_left_in_another_way_goes_without_a_word(timer):
    (lock,) = await held(timer.whole)
    name = f"{lock.item.id}.0.{lock.item.content_version.strip(chr(34))}.outcome"
    names = [each async for each in timer.whole.envelopes.names("mail/a.eml.0")]
    assert name in names
    await timer.whole.envelopes.delete(name)
    timer.rig.clock.now = lock.until
    assert await timer.expiring.run() == 0
    assert await timer.locks() == []
    assert timer.told() == timer.whole.recorded == []


async def test_killed_at_any_write_it_ends_once(rig):
    for number in range(12):
        first = Timer(rig)
        left = number + 1

        async def dying(operation, moment):
            nonlocal left
            if moment == "after" and operation.rpartition(".")[2] in {"put", "delete", "insert"}:
                left -= 1
                if left == 0:
                    raise Crash

        name = f"mail/k{number}.eml"
        (lock,) = [
            each for each in await held(first.whole, locked(number=number + 10), name)
            if each.item.id == name
        ]  # fmt: skip
        rig.clock.now = lock.until
        dead = Timer(rig, MemoryStores(rig.account, dying))
        try:
            await dead.expiring.run()
        except Crash:
            await first.expiring.run()
        else:
            break
        assert await first.locks() == []
        assert len(first.told()) == number + 1
    assert number > 2


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_notice_says_what_to_do_and_no_name_of_a_file(timer, language):
    (lock,) = await held(timer.whole)
    timer.rig.clock.now = lock.until
    await timer.expiring.run()
    (raw,) = timer.told()
    entry = decode(raw, Entry)
    house = House(Words("関所市", "Sekisho City"), "内線1234", {})
    notice = Notices(timer.whole.policy, house).render(entry.kind, [entry.event])
    words = {"ja": "入力期限が過ぎました", "en": "the time for the password is over"}
    assert words[language] in notice.text
    assert "内線1234" in notice.text
    assert "資料" not in notice.text
