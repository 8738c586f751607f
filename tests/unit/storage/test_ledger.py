from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from local.memory import MemoryStores
from shared.codec import encode
from shared.errors import BusyError, LeaseLostError, MalformedError, UnavailableError
from shared.model import (
    Context,
    Decision,
    Disposition,
    Finding,
    Intent,
    Item,
    Level,
    Mode,
    Outcome,
    OutcomeState,
)
from shared.storage.claimcheck import LIMIT, ClaimCheck
from shared.storage.ledger import PARTITIONS, TableLedger, own_version

ITEM = Item("mail", "m1", "box", "ck1", "share1")
DECISION = Decision(Disposition.BLOCK, Disposition.BLOCK, Mode.ENFORCE, "p1")
INTENT = Intent(DECISION, Context("mail", "own_mailbox"), "digest", "etag")
OUTCOME = Outcome("blocked", OutcomeState.APPLIED, versions=("ck2",))


@pytest.fixture
def ledger(stores, clock):
    checks = ClaimCheck(stores.blobs("work"))
    return TableLedger(stores.table("ledger"), stores.table("ownwrites"), checks, clock, "p1")


async def test_claim_of_a_fresh_item_is_the_first_fence(ledger, clock):
    claim = await ledger.claim(ITEM, clock())
    assert (claim.fence, claim.intent, claim.done) == (1, None, False)


async def test_claim_is_busy_until_the_lease_ends_then_taken_over_with_a_higher_fence(
    ledger, clock
):
    first = await ledger.claim(ITEM, clock())
    clock.turn(119)
    with pytest.raises(BusyError):
        await ledger.claim(ITEM, clock())
    clock.turn(1)
    second = await ledger.claim(ITEM, clock())
    assert (second.fence, second.first_seen) == (2, first.first_seen)


async def test_renew_keeps_others_out(ledger, clock):
    claim = await ledger.claim(ITEM, clock())
    for _ in range(3):
        clock.turn(100)
        claim = await ledger.renew(claim)
    clock.turn(100)
    with pytest.raises(BusyError):
        await ledger.claim(ITEM, clock())


async def test_a_worker_that_was_taken_over_writes_nothing_more(ledger, clock):
    old = await ledger.claim(ITEM, clock())
    clock.turn(121)
    new = await ledger.claim(ITEM, clock())
    for attempt in (ledger.renew(old), ledger.intend(old, INTENT), ledger.complete(old, OUTCOME)):
        with pytest.raises(LeaseLostError):
            await attempt
    await ledger.release(old)
    assert (await ledger.intend(new, INTENT)).intent == INTENT


async def test_takeover_carries_the_intent(ledger, clock):
    claim = await ledger.claim(ITEM, clock())
    await ledger.intend(claim, INTENT)
    clock.turn(121)
    assert (await ledger.claim(ITEM, clock())).intent == INTENT


async def test_released_item_is_free_at_once_and_keeps_its_intent(ledger, clock):
    claim = await ledger.claim(ITEM, clock())
    claim = await ledger.intend(claim, INTENT)
    await ledger.release(claim)
    again = await ledger.claim(ITEM, clock())
    assert (again.fence, again.intent) == (2, INTENT)


async def test_done_item_is_done_for_everybody_and_remembers_the_decision(ledger, clock):
    claim = await ledger.intend(await ledger.claim(ITEM, clock()), INTENT)
    await ledger.complete(claim, OUTCOME)
    again = await ledger.claim(ITEM, clock())
    assert (again.done, again.intent) == (True, INTENT)


async def test_large_intent_goes_by_reference(ledger, clock, account):
    finding = Finding(
        "my_number", "x" * 200, 0, 12, 1.0, Level.HIGH, "1***********", "k:" + "0" * 64
    )
    large = replace(INTENT, decision=replace(DECISION, findings=(finding,) * 500))
    claim = await ledger.intend(await ledger.claim(ITEM, clock()), large)
    claim = await ledger.renew(claim)
    clock.turn(121)
    again = await ledger.claim(ITEM, clock())
    assert again.intent == large
    await ledger.complete(again, OUTCOME)
    assert (await ledger.claim(ITEM, clock())).intent == large
    assert len(account.containers["work"]) == 1


async def test_own_write_is_known_after_completion_only(ledger, clock):
    written = replace(ITEM, content_version="ck2")
    claim = await ledger.intend(await ledger.claim(ITEM, clock()), INTENT)
    assert not await ledger.is_own_write(written)
    await ledger.complete(claim, OUTCOME)
    assert await ledger.is_own_write(written)
    assert not await ledger.is_own_write(ITEM)


@pytest.mark.parametrize(
    "other",
    [{"content_version": "ck3"}, {"context_hash": "shared anew"}, {"generation": 1}, {"id": "m2"}],
)
async def test_own_write_does_not_cover(ledger, clock, other):
    claim = await ledger.intend(await ledger.claim(ITEM, clock()), INTENT)
    await ledger.complete(claim, OUTCOME)
    written = replace(ITEM, content_version="ck2")
    assert not await ledger.is_own_write(replace(written, **other))


async def test_own_write_does_not_outlive_its_policy(ledger, clock):
    claim = await ledger.intend(await ledger.claim(ITEM, clock()), INTENT)
    await ledger.complete(claim, OUTCOME)
    newer = replace(ledger, policy_version="p2")
    assert not await newer.is_own_write(replace(ITEM, content_version="ck2"))


async def test_own_write_with_its_own_surroundings(ledger, clock):
    claim = await ledger.intend(await ledger.claim(ITEM, clock()), INTENT)
    await ledger.complete(claim, replace(OUTCOME, versions=(own_version("ck2", "private"),)))
    assert await ledger.is_own_write(replace(ITEM, content_version="ck2", context_hash="private"))
    assert not await ledger.is_own_write(replace(ITEM, content_version="ck2"))


async def purge(ledger, before):
    return sum([await ledger.purge(before, each) for each in range(PARTITIONS)])


async def test_purge_keeps_unfinished_business(ledger, clock):
    done = await ledger.intend(await ledger.claim(ITEM, clock()), INTENT)
    await ledger.complete(done, OUTCOME)
    other = replace(ITEM, id="m2")
    await ledger.intend(await ledger.claim(other, clock()), INTENT)
    clock.turn(1000)
    assert await purge(ledger, clock() - timedelta(seconds=500)) == 1
    assert not await ledger.is_own_write(replace(ITEM, content_version="ck2"))
    assert (await ledger.claim(other, clock())).intent == INTENT


async def test_insert_whose_answer_was_lost_is_still_ours(ledger, clock):
    one = replace(ledger, new_owner=lambda: "me")
    first = await one.claim(ITEM, clock())
    again = await one.claim(ITEM, clock())
    assert (again.token, again.fence) == (first.token, 1)


async def test_own_writes_are_noted_before_the_item_is_done(clock, account):
    async def hook(operation, moment):
        if (operation, moment) == ("ownwrites.put", "before"):
            raise UnavailableError(operation)

    stores = MemoryStores(account, hook)
    checks = ClaimCheck(stores.blobs("work"))
    ledger = TableLedger(stores.table("ledger"), stores.table("ownwrites"), checks, clock, "p1")
    claim = await ledger.intend(await ledger.claim(ITEM, clock()), INTENT)
    with pytest.raises(UnavailableError):
        await ledger.complete(claim, OUTCOME)
    await ledger.release(claim)
    assert not (await ledger.claim(ITEM, clock())).done


async def _renewed(ledger, claim, _clock):
    return await ledger.renew(claim)


async def _released(ledger, claim, _clock):
    await ledger.release(claim)
    return claim


async def _taken_over(ledger, claim, clock):
    clock.turn(121)
    return await ledger.claim(claim.item, clock())


HANDLED = pytest.mark.parametrize("handled", [_renewed, _released, _taken_over])


@HANDLED
async def test_what_is_intended_stays_unfinished_business_however_it_is_held(
    ledger, clock, handled
):
    claim = await ledger.intend(await ledger.claim(ITEM, clock()), INTENT)
    await handled(ledger, claim, clock)
    assert await purge(ledger, clock() + timedelta(days=1)) == 0
    clock.turn(121)
    assert (await ledger.claim(ITEM, clock())).intent == INTENT


@HANDLED
async def test_what_was_only_claimed_is_purged_however_it_is_held(ledger, clock, handled):
    await handled(ledger, await ledger.claim(ITEM, clock()), clock)
    assert await purge(ledger, clock() + timedelta(days=1)) == 1
    assert (await ledger.claim(ITEM, clock())).fence == 1


async def test_purged_item_is_as_if_it_had_never_been_seen(ledger, clock):
    claim = await ledger.intend(await ledger.claim(ITEM, clock()), INTENT)
    await ledger.complete(claim, OUTCOME)
    clock.turn(1000)
    kept = clock()
    await ledger.complete(
        await ledger.intend(await ledger.claim(replace(ITEM, id="m2"), kept), INTENT), OUTCOME
    )
    assert await purge(ledger, kept) == 1, "what was written at that moment stays"
    again = await ledger.claim(ITEM, clock())
    assert (again.fence, again.done, again.intent) == (1, False, None)


@HANDLED
async def test_worker_that_went_on_once_and_was_then_taken_over_writes_nothing_more(
    ledger, clock, handled
):
    old = await handled(ledger, await ledger.claim(ITEM, clock()), clock)
    clock.turn(121)
    await ledger.claim(ITEM, clock())
    with pytest.raises(LeaseLostError):
        await ledger.renew(old)
    with pytest.raises(LeaseLostError):
        await ledger.intend(old, INTENT)


async def test_takeover_keeps_when_the_item_was_first_seen(ledger, clock):
    seen = clock()
    await ledger.claim(ITEM, seen)
    clock.turn(500)
    assert (await ledger.claim(ITEM, clock())).first_seen == seen


async def _with_large_intent(ledger, clock):
    rules = tuple(f"{number:060}" for number in range(1_000))
    large = replace(INTENT, decision=replace(DECISION, rule_ids=rules))
    return await ledger.intend(await ledger.claim(ITEM, clock()), large)


async def test_decision_that_was_put_aside_and_is_gone_stops_an_item_that_is_not_done(
    ledger, clock, account
):
    await _with_large_intent(ledger, clock)
    account.containers["work"].clear()
    clock.turn(121)
    with pytest.raises(MalformedError):
        await ledger.claim(ITEM, clock())


async def test_decision_that_was_put_aside_and_is_gone_leaves_a_done_item_done(
    ledger, clock, account
):
    await ledger.complete(await _with_large_intent(ledger, clock), OUTCOME)
    account.containers["work"].clear()
    again = await ledger.claim(ITEM, clock())
    assert (again.done, again.intent) == (True, None)


@pytest.mark.parametrize("operation", ["ledger.get", "ledger.replace"])
async def test_item_that_changes_while_it_is_taken_over_is_busy(clock, account, operation):
    """Purged before the row is read; taken by a third before it is written."""
    ledger = _over(MemoryStores(account), clock)
    await ledger.claim(ITEM, clock())
    clock.turn(121)

    async def hook(called, moment):
        if (called, moment) == ("ledger.get", "before") == (operation, "before"):
            await purge(ledger, clock() + timedelta(days=1))
        if (called, moment) == ("ledger.replace", "before") == (operation, "before"):
            await ledger.claim(ITEM, clock())

    other = _over(MemoryStores(account, hook), clock)
    with pytest.raises(BusyError):
        await other.claim(ITEM, clock())


def _over(stores, clock):
    checks = ClaimCheck(stores.blobs("work"))
    return TableLedger(stores.table("ledger"), stores.table("ownwrites"), checks, clock, "p1")


async def test_purge_looks_at_every_row_and_ends_in_time(ledger, clock):
    first = await ledger.claim(ITEM, clock())
    place = int(first.key[:2], 16)
    for number in range(1100):  # more than a page of answers holds
        key = f"{place:02x}{number:062x}"
        await ledger.table.insert(replace(await ledger.table.get(key[:2], first.key), key=key))
    clock.turn(1000)
    assert await ledger.purge(clock(), (place + 1) % PARTITIONS) == 0
    assert await ledger.purge(clock(), place, most=30) == 30
    assert await ledger.purge(clock(), place) == 1071


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_decision_around_the_size_of_a_row_is_carried_to_the_next_worker(ledger, clock, more):
    empty = replace(DECISION, rule_ids=("",))
    room = LIMIT - len(encode(replace(INTENT, decision=empty)))
    intent = replace(INTENT, decision=replace(DECISION, rule_ids=("x" * (room + more),)))
    assert len(encode(intent)) == LIMIT + more
    await ledger.intend(await ledger.claim(ITEM, clock()), intent)
    clock.turn(121)
    assert (await ledger.claim(ITEM, clock())).intent == intent


async def test_row_says_how_far_the_work_is(ledger, clock):
    claim = await ledger.claim(ITEM, clock())
    states = [await state(ledger, claim)]
    claim = await ledger.intend(claim, INTENT)
    states.append(await state(ledger, claim))
    await ledger.complete(claim, OUTCOME)
    assert [*states, await state(ledger, claim)] == ["claimed", "intended", "done"]


async def state(ledger, claim):
    return (await ledger.table.get(claim.key[:2], claim.key)).values["state"]
