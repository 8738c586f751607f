"""What was there before goes behind what is fresh, at its pace, and its progress can be told."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import quote

import pytest

from local.graph.state import ids
from shared.graph.webhook import job
from shared.model import Item
from shared.services.baseline import Baseline, Routes, status
from shared.services.deltas import DriveDelta, Links, MailDelta
from shared.services.event_delta import EventDelta
from shared.services.wiring import resolver
from shared.storage.claimcheck import ClaimCheck


class Frozen:
    """Time that stands still."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock(rig):
    return Frozen(rig.clock())


@pytest.fixture
def baseline(rig, clock):
    return Baseline(rig.stores.queue("scan-bulk"), rig.stores.table("baseline"), clock, 60)


@pytest.fixture
def deltas(rig, baseline):
    links = Links(rig.stores.table("drives"), rig.stores.lease(), rig.clock)
    given = (rig.graph, links, Routes(rig.onward, rig.onward, baseline, rig.clock), rig.ledger)
    return {kind: kind(*given) for kind in (MailDelta, DriveDelta, EventDelta)}


def bulk(rig):
    return [each["item"]["id"] for each in rig.queued("scan-bulk")]


def fresh(rig):
    return [each["item"]["id"] for each in rig.queued()]


def age(rig, values, days):
    values["lastModifiedDateTime"] = ids.timestamp(rig.clock() - timedelta(days=days))


async def test_items_come_due_one_after_the_other_whoever_puts_them(rig, clock, baseline):
    other = Baseline(rig.stores.queue("scan-bulk"), rig.stores.table("baseline"), clock, 60)
    await asyncio.gather(
        *(
            which.put(Item("mail", f"{number}{name}", "u", "v"))
            for which, name in ((baseline, "a"), (other, "b"))
            for number in range(60)
        )
    )
    told = rig.queued("scan-bulk")
    due = sorted(datetime.fromisoformat(each["not_before"]) for each in told)
    steps = {(after - before).total_seconds() for before, after in pairwise(due)}
    assert len(due) == 120
    assert min(steps) == 1  # sixty a minute, none together
    assert (due[-1] - clock.now).total_seconds() < 200
    told = told[-1]
    assert told["not_before"] == told["first_seen"]  # its age counts from its time


async def test_old_mail_is_bulk_and_todays_is_fresh(rig, deltas):
    old, new = rig.message(), rig.message(rig.mime("b"))
    age(rig, old.values, 3)
    age(rig, new.values, 0)
    assert await deltas[MailDelta].run(rig.UPN) == 2
    assert (bulk(rig), fresh(rig)) == ([old.immutable_id], [new.immutable_id])


async def test_later_round_is_fresh_however_old_the_mail_says_it_is(rig, deltas):
    await deltas[MailDelta].run(rig.UPN)
    late = rig.message()
    age(rig, late.values, 300)
    await deltas[MailDelta].run(rig.UPN)
    assert (bulk(rig), fresh(rig)) == ([], [late.immutable_id])


async def test_old_files_and_events_are_bulk_too(rig, deltas):
    file, event = rig.file(), await rig.event()
    file.modified = rig.clock() - timedelta(days=3)
    age(rig, event.values, 3)
    found = await deltas[DriveDelta].run(rig.user.drive.id, since=rig.clock())
    assert found.enqueued == 1
    assert await deltas[EventDelta].run(rig.UPN) == 1
    assert (bulk(rig), fresh(rig)) == ([file.id, event.id], [])


async def test_baseline_of_teams_is_told_too_and_its_old_messages_go_behind(rig, clock, whole):
    team = await rig.admin("POST", "teams", {"name": "福祉課"})
    where = f"teams/{team['id']}/channels/{quote(team['channels'][0]['id'])}/messages"
    (thread,) = rig.world.teams.teams[team["id"]].channels.values()

    async def sent():
        made = await rig.admin("POST", where, {"from": rig.UPN, "text": "打合せ"})
        return thread.messages[made["id"]]

    async def told():
        tables = rig.stores.table("drives"), rig.stores.table("baseline")
        return (await status({"teams": 0}, *tables, clock, 60)).sources["teams"]

    account = await rig.subscriptions.register("teams", "teams")
    old = await sent()
    old.modified = rig.clock() - timedelta(days=3)
    assert (await told()).begun == 0
    await whole.job(job("sweep", "teams", account.ref, rig.clock()))
    assert (bulk(rig), fresh(rig)) == ([old.id], [])
    found = await told()
    assert (found.accounts, found.begun, found.finished, found.found) == (1, 1, 1, 1)
    new = await sent()
    await whole.job(job("sweep", "teams", account.ref, rig.clock()))
    assert [each["body"] for each in rig.queued("scan-bulk")] == [{"found": "baseline"}]
    assert [(each["item"]["id"], each["body"]) for each in rig.queued()] == [
        (new.id, {"found": "sweep"})
    ]
    assert (await told()).found == 1  # what came since is no part of it


async def test_progress_is_told_before_while_and_after(rig, clock, deltas):
    tables = rig.stores.table("drives"), rig.stores.table("baseline")

    async def now():
        return await status({"mail": 1, "drive": 1}, *tables, clock, 60)

    before = await now()
    assert (before.sources["mail"].begun, before.waiting, before.due) == (0, 0, None)
    for number in range(45):  # five pages of ten
        age(rig, rig.message(rig.mime(str(number))).values, 3)
    rig.graph.die_after_links = 2
    with pytest.raises(rig.Killed):
        await deltas[MailDelta].run(rig.UPN)
    half = (await now()).sources["mail"]
    assert (half.accounts, half.begun, half.finished) == (1, 1, 0)
    assert 0 < half.found < 45
    rig.graph.die_after_links = None
    rig.clock.now += timedelta(seconds=300)
    await deltas[MailDelta].run(rig.UPN)
    done = await now()
    assert (done.sources["mail"].finished, done.sources["mail"].found) == (1, 45)
    assert done.due is not None
    assert 45 <= done.waiting <= 150
    clock.now += timedelta(days=1)
    assert (await now()).due is None


@pytest.fixture
def whole(rig, baseline):
    """The composition is ``wiring.resolver``'s: each source's first round has the same way out."""
    return resolver(
        rig.graph,
        subscriptions=rig.subscriptions,
        links=Links(rig.stores.table("drives"), rig.stores.lease(), rig.clock),
        onward=rig.onward,
        ledger=rig.ledger,
        jobs=rig.stores.queue("graph-jobs"),
        aside=ClaimCheck(rig.stores.blobs("work")),
        bulk=baseline,
    )


async def test_sweep_of_the_whole_resolver_knows_the_baseline(rig, whole):
    message = rig.message()
    age(rig, message.values, 3)
    account = await rig.subscriptions.register("mail", rig.UPN)
    await whole.job(job("sweep", "mail", account.ref, rig.clock()))
    assert bulk(rig) == [message.immutable_id]


@pytest.mark.parametrize("source", ["mail", "calendar"])
async def test_item_goes_on_with_how_it_was_found(rig, whole, source):
    async def made():
        return rig.message() if source == "mail" else await rig.event()

    account = await rig.subscriptions.register(source, rig.UPN)
    age(rig, (await made()).values, 3)
    age(rig, (await made()).values, 0)
    await whole.job(job("sweep", source, account.ref, rig.clock()))
    await made()
    await whole.job(job("sweep", source, account.ref, rig.clock()))
    told = [each["body"] for each in rig.queued("scan-bulk") + rig.queued()]
    assert told == [{"found": "baseline"}, {"found": "baseline"}, {"found": "sweep"}]
    await rig.onward.put(Item(source, "1", "u", "v"), trace="f" * 32)
    assert not rig.queued()[-1].get("body")  # a notification told of it
