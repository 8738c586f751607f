"""Exceptions: what they cover, who may grant them, and that they end by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.memory import Account, MemoryStores
from shared.errors import MalformedError, RefusedError, StorageConflictError
from shared.model import Context, Disposition, Gap, GapCode, Item
from shared.policy import Policy, default_text
from shared.policy.exemption import Kind
from shared.storage.exceptions import Exceptions, Request, event
from tests.unit.policy.recorded import finding

POLICY = Policy.load([default_text()])
MAIL = Context("mail", "own_mailbox")
ITEM = Item("mail", "m1", "box", "1")
PLACE = ITEM.place_key()
SENSITIVE = [
    finding("sensitive_information", fingerprint="k:1"),
    finding("person_name", fingerprint="k:2"),
]
DAY = timedelta(days=1)
START = datetime(2026, 7, 1, tzinfo=UTC)


class Clock:
    now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def exceptions(clock):
    return Exceptions(MemoryStores(Account(clock)).table("exceptions"), clock)


def asked(kind=Kind.OVERRIDE, **more):
    fields = {
        "id": "e1",
        "kind": kind,
        "scope": PLACE,
        "rules": ("sensitive-person",),
        "fingerprints": ("k:1", "k:2"),
        "gaps": (),
        "reason": "福祉課への引継ぎに必要なため",
        "owner": "Owner",
        "people": ("owner",) if kind is Kind.OVERRIDE else ("Reviewer-A",),
        "needed": 1 if kind is Kind.OVERRIDE else 2,
        "asked_at": START,
        "expires_at": START + DAY,
        "item": ITEM,
    }
    return Request(**(fields | more))


async def said(exceptions, found, gaps=(), place=PLACE):
    return POLICY.decide(MAIL, found, gaps, await exceptions.applying(place))


async def test_override_by_the_owner_tags_and_its_use_is_in_the_decision(exceptions):
    await exceptions.request(asked())
    decision = await said(exceptions, SENSITIVE)
    assert decision.disposition is Disposition.TAG
    assert decision.rule_ids[-1] == "exception:e1"


async def test_expired_exception_blocks_again_under_another_key(exceptions, clock):
    request = await exceptions.request(asked())
    (begun,) = await exceptions.due()
    assert not begun.ended
    assert await exceptions.due() == [begun]  # until it is settled: a crash loses nothing
    await exceptions.settle(begun)
    assert await exceptions.due() == []
    clock.now += DAY
    assert (await said(exceptions, SENSITIVE)).disposition is Disposition.REVIEW
    (ended,) = await exceptions.due()
    keys = {each.anew(ITEM).key(POLICY.version) for each in (begun, ended)}
    assert len(keys | {ITEM.key(POLICY.version)}) == 3
    assert (await exceptions.settle(ended)).state == "expired"
    assert await exceptions.due() == []
    assert (await exceptions.get(PLACE, request.id)).state == "expired"


async def test_exception_revoked_while_its_end_is_carried_out_is_settled_again(exceptions, clock):
    await exceptions.request(asked())
    clock.now += DAY
    (ended,) = await exceptions.due()
    await exceptions.end(PLACE, "e1")
    with pytest.raises(StorageConflictError):
        await exceptions.settle(ended)
    assert [each.request.state for each in await exceptions.due()] == ["revoked"]


async def test_what_rests_on_an_exception_is_listed_until_its_end(exceptions, clock):
    request = await exceptions.request(asked())
    other = Item("mail", "copy", "box", "1")
    for _ in range(2):
        await exceptions.used(other, ("sensitive-person", "exception:e1"))
    assert [each async for each in exceptions.uses(request)] == [other]
    clock.now += DAY
    for turn in await exceptions.due():
        await exceptions.settle(turn)
    assert [each async for each in exceptions.uses(request)] == []


async def test_exception_holds_for_the_copy_of_its_item(exceptions):
    copy, another = (Item("mail", name, "box", "1") for name in ("copy", "another"))
    await exceptions.request(asked())
    await exceptions.copied(ITEM, (copy, ITEM))
    await exceptions.copied(another, (another,))
    assert [each.id for each in await exceptions.applying(copy.place_key())] == ["e1"]
    assert await exceptions.applying(another.place_key()) == ()


async def test_exception_for_a_private_file_does_not_hold_for_a_shared_one(exceptions):
    rules = ("sensitive-person", "personal")
    await exceptions.request(asked(place="onedrive_private", rules=rules))
    granted = await exceptions.applying(PLACE)
    (rule,) = [each for each in POLICY.rules if each.id == "sensitive-person"]
    covered = [
        granted[0].sets_aside(rule, SENSITIVE, (), place)
        for place in ("onedrive_private", "onedrive_anonymous", "own_mailbox")
    ]
    assert covered == [True, False, True]


async def test_override_covers_nothing_that_was_not_there(exceptions):
    await exceptions.request(asked())
    more = [*SENSITIVE, finding("phone_number", fingerprint="k:3")]
    assert (await said(exceptions, more)).disposition is Disposition.REVIEW
    gap = [Gap(GapCode.ENCRYPTED, "添付1")]
    assert (await said(exceptions, SENSITIVE, gap)).disposition is Disposition.REVIEW
    other = Item("mail", "m2", "box", "1").place_key()
    assert (await said(exceptions, SENSITIVE, place=other)).disposition is Disposition.REVIEW


async def test_override_does_nothing_where_the_rule_does_not_permit_it(exceptions):
    await exceptions.request(asked(rules=("my-number-high", "personal"), fingerprints=("k:1",)))
    assert (await said(exceptions, [finding()])).disposition is Disposition.BLOCK


async def test_release_needs_two_people_and_one_person_twice_is_refused(exceptions):
    release = asked(
        Kind.RELEASE, rules=("my-number-high", "my-number-medium"), fingerprints=("k:1",)
    )
    assert (await exceptions.request(release)).state == "requested"
    for same in ("Reviewer-A", " reviewer-a ", "owner"):
        with pytest.raises(RefusedError):
            await exceptions.approve(PLACE, "e1", same)
    assert (await said(exceptions, [finding()])).disposition is Disposition.BLOCK
    assert (await exceptions.approve(PLACE, "e1", "Reviewer-B")).state == "granted"
    assert (await said(exceptions, [finding()])).disposition is Disposition.TAG
    with pytest.raises(RefusedError):
        await exceptions.approve(PLACE, "e1", "Reviewer-C")


async def test_release_by_one_is_worth_nothing_to_a_rule_that_asks_for_two(exceptions):
    rules = ("my-number-high", "my-number-medium")
    await exceptions.request(asked(Kind.RELEASE, needed=1, rules=rules, fingerprints=("k:1",)))
    assert (await said(exceptions, [finding()])).disposition is Disposition.BLOCK


async def test_suppression_sets_one_value_aside_everywhere(exceptions, clock):
    await exceptions.request(asked(Kind.SUPPRESSION, scope="k:1", needed=1, rules=(), owner=""))
    decision = await said(exceptions, [finding(), finding(fingerprint="k:5")])
    assert [each.fingerprint for each in decision.findings] == ["k:5"]
    assert (await said(exceptions, [finding()])).disposition is Disposition.ALLOW
    clock.now += DAY
    assert (await said(exceptions, [finding()])).disposition is Disposition.BLOCK


async def test_revoked_exception_ends_at_once(exceptions, clock):
    await exceptions.request(asked())
    clock.now += timedelta(hours=1)
    assert (await exceptions.end(PLACE, "e1")).state == "revoked"
    assert (await said(exceptions, SENSITIVE)).disposition is Disposition.REVIEW
    with pytest.raises(RefusedError):
        await exceptions.end(PLACE, "e1")


async def test_refused_release_cannot_be_approved(exceptions):
    await exceptions.request(asked(Kind.RELEASE))
    assert (await exceptions.end(PLACE, "e1", refuse=True)).state == "refused"
    with pytest.raises(RefusedError):
        await exceptions.approve(PLACE, "e1", "Reviewer-B")


@pytest.mark.parametrize(
    "wrong",
    [
        asked(people=("someone",)),
        asked(reason="急ぎ"),
        asked(expires_at=START),
        asked(expires_at=START + 100 * DAY),
        asked(people=("owner", "other")),
        asked(Kind.RELEASE, people=("OWNER",)),
    ],
)
async def test_request_that_is_not_allowed_is_refused(exceptions, wrong):
    with pytest.raises(RefusedError):
        await exceptions.request(wrong)


async def test_request_of_too_many_findings_is_no_exception(exceptions):
    with pytest.raises(MalformedError):
        await exceptions.request(asked(fingerprints=tuple(f"k:{n:064}" for n in range(1000))))


async def test_two_approvals_at_once_are_two_steps(exceptions):
    await exceptions.request(asked(Kind.RELEASE, needed=3))
    stale = await exceptions.get(PLACE, "e1")
    await exceptions.approve(PLACE, "e1", "Reviewer-B")
    with pytest.raises(StorageConflictError):
        await exceptions._write(replace(stale, state="granted"))


async def test_every_step_has_an_event_of_its_own(exceptions, clock):
    request = await exceptions.request(asked())
    clock.now += DAY
    (ended,) = await exceptions.due()
    told = [event(each, clock(), "p") for each in (request, await exceptions.settle(ended))]
    assert [each.action for each in told] == ["exception_granted", "exception_expired"]
    assert told[0].id != told[1].id
    assert told[0].disposition == "none"


async def test_revoked_exception_has_a_turn_and_one_never_granted_has_none(exceptions, clock):
    await exceptions.request(asked())
    await exceptions.request(asked(Kind.RELEASE, id="e2"))
    for turn in await exceptions.due():
        await exceptions.settle(turn)
    clock.now += timedelta(hours=1)
    await exceptions.end(PLACE, "e1")
    (turn,) = await exceptions.due()
    assert (turn.request.state, turn.ended) == ("revoked", True)
    await exceptions.settle(turn)
    clock.now += DAY
    assert {each.request.id for each in await exceptions.due()} == {"e1"}  # its first expiry
    clock.now += DAY
    assert {each.request.id for each in await exceptions.due()} == {"e1"}
    assert {each.id for each in await exceptions.listed()} == {"e1", "e2"}


def test_release_needs_as_many_people_as_the_strictest_rule_says():
    assert POLICY.people_for(("personal", "my-number-high")) == 2
    assert POLICY.people_for(("personal", "floor-unread")) == 1
