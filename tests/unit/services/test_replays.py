"""What was told before asks for nothing; what comes too often is a security event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.model import Envelope
from shared.services.replays import Replays
from shared.storage.alerts import Alerts


@pytest.fixture
def alerts(rig):
    return Alerts(rig.stores.table("alerts"), rig.clock)


def raised(rig):
    return [key[0] for key in rig.account.tables["alerts"] if key[0] == "replayed"]


async def test_third_time_is_an_event_and_the_second_is_not(rig, alerts):
    replays = Replays(alerts)
    assert not await replays.seen("a")
    replays.note("a")
    assert await replays.seen("a")
    assert raised(rig) == []
    assert await replays.seen("a")
    assert await replays.seen("a")
    assert raised(rig) == ["replayed"]


async def test_notifications_that_look_alike_are_never_replays(rig, alerts):
    replays = Replays(alerts)
    for _ in range(5):
        assert not await replays.seen("")
        replays.note("")
    assert raised(rig) == []


async def test_memory_is_bounded_and_forgets_the_oldest(alerts):
    replays = Replays(alerts, most=2)
    for each in "abc":
        replays.note(each)
    assert [await replays.seen(each) for each in "abc"] == [False, True, True]


async def test_replayed_hint_asks_graph_nothing_and_enqueues_nothing(rig, alerts):
    account = await rig.subscriptions.register("mail", rig.UPN)
    message = rig.message()
    body = {"source": "mail", "account": account.ref, "id": message.immutable_id}
    body |= {"version": message.change_key, "told": "t"}
    resolver = replace(rig.resolver(), replays=Replays(alerts))
    for _ in range(4):
        await resolver.hint(Envelope("hint", rig.clock(), body=body))
    assert len(rig.queued()) == 1
    assert raised(rig) == ["replayed"]


async def test_hint_that_failed_is_not_taken_for_done(rig, alerts):
    resolver = replace(rig.resolver(), replays=Replays(alerts))
    account = await rig.subscriptions.register("mail", rig.UPN)
    body = {"source": "mail", "account": account.ref, "version": "v", "told": "t"}
    for _ in range(2):
        with pytest.raises(Exception, match="without id"):
            await resolver.hint(Envelope("hint", rig.clock(), body=body))
