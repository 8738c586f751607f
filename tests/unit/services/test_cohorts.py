"""Enrolment by Entra group: who is in it is watched, who leaves is not."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.environment import fresh_certificate
from shared.codec import decode
from shared.errors import PermanentError
from shared.graph.rich import Certificate
from shared.graph.subscriptions import Subscriptions
from shared.model import Envelope
from shared.services.cohorts import Cohorts, members
from shared.services.wiring import Watched


async def group(rig, *people, **named):
    for each in people:
        if "@" in each:
            rig.world.add_user(each, each)
    body = {"name": "pilot", "members": list(people), **named}
    return (await rig.admin("POST", "groups", body))["id"]


async def test_members_of_a_group_and_of_those_inside_are_found_once(rig):
    inner = await group(rig, "a@x.jp", "b@x.jp")
    outer = await group(rig, "b@x.jp", "c@x.jp", inner)
    found = await members(rig.graph, (f"group:{outer}", "plain@x.jp", f"group:{inner}"))
    names = {rig.world.user(each).upn if rig.world.user(each) else each for each in found}
    assert names == {"a@x.jp", "b@x.jp", "c@x.jp", "plain@x.jp"}
    assert len(found) == 4


async def test_a_group_of_many_pages_is_read_to_its_end(rig):
    people = [f"p{number}@x.jp" for number in range(230)]
    found = await members(rig.graph, (f"group:{await group(rig, *people)}",))
    assert len(found) == 230


async def test_a_group_that_is_gone_is_an_error_and_ends_nobodys_watch(rig):
    account = await rig.subscriptions.register("mail", rig.UPN)
    resolver = rig.resolver(watch=("group:nobody",), sources=("mail",))
    with pytest.raises(PermanentError, match="SEKISHO_WATCH"):
        await resolver.job(Envelope("job", rig.clock(), body={"job": "enrol_all"}))
    assert rig.queued("graph-jobs") == []
    assert await rig.subscriptions.account("mail", account.ref)


async def run(rig, name, resolver):
    """Every job on the queue, once."""
    waiting = [each.body for each in rig.account.queues["graph-jobs"]]
    rig.account.queues["graph-jobs"].clear()
    for each in waiting:
        envelope = decode(each, Envelope)
        if envelope.body["job"] == name:
            await resolver.job(envelope)


async def test_joining_enrols_and_leaving_ends_the_subscription(rig, webhook):
    rig.subscriptions._notification_url = f"{webhook}/notifications"
    rig.subscriptions._lifecycle_url = f"{webhook}/lifecycle"
    rig.clock.now = datetime.now(UTC)  # the stand-in has a clock of its own
    key = await group(rig, "a@x.jp", "b@x.jp")
    resolver = rig.resolver(watch=(f"group:{key}",), sources=("mail", "calendar"))
    everybody = Envelope("job", rig.clock(), body={"job": "enrol_all"})
    await resolver.job(everybody)
    assert len(rig.queued("graph-jobs")) == 4
    await run(rig, "enrol", resolver)
    assert len(rig.world.subscriptions) == 4
    await rig.admin("POST", f"groups/{key}/members", {"remove": ["b@x.jp"]})
    rig.account.queues["graph-jobs"].clear()
    await resolver.job(everybody)
    assert {each["body"]["job"] for each in rig.queued("graph-jobs")} == {"end"}
    await run(rig, "end", resolver)
    left = {each.owner for each in rig.world.subscriptions.values()}
    assert left == {rig.world.user("a@x.jp").id}


async def test_timer_asks_for_groups_in_a_job_and_for_names_itself(rig):
    async def due(accounts, *, teams=False):
        watched = Watched(accounts, teams)
        return [each.body async for each in watched.due(rig.subscriptions, rig.clock)]

    assert await due(("group:x",)) == [{"job": "enrol_all"}]
    named = await due((rig.UPN,), teams=True)
    assert sorted(each["source"] for each in named) == [
        "calendar",
        "chats",
        "drive",
        "mail",
        "teams",
        "teams",
    ]
    assert rig.UPN not in json.dumps(named)
    ended = await due((), teams=False)
    assert {each["job"] for each in ended} == {"end"}


async def test_subscription_is_made_anew_for_a_newer_certificate(rig, webhook):
    def subscriptions(name):
        given, _, pem = fresh_certificate(name).partition(":")
        return Subscriptions(
            rig.graph,
            rig.stores.table("subscriptions"),
            key=b"k" * 32,
            notification_url=f"{webhook}/notifications",
            lifecycle_url=f"{webhook}/lifecycle",
            clock=lambda: datetime.now(UTC),
            nonce=lambda: "n",
            certificate=Certificate.load(given, base64.b64decode(pem)),
        )

    old = subscriptions("old")
    account = await old.register("teams", "chats")
    await old.enrol("teams", account.ref)
    assert [each async for each in old.jobs({"teams": ("chats",)})] == []
    new = subscriptions("new")
    (due,) = [each async for each in new.jobs({"teams": ("chats",)})]
    await new.enrol("teams", due.body["account"])
    assert [each.recipient.id for each in rig.world.subscriptions.values()] == ["new"]


async def test_cohort_of_an_account_is_that_of_the_first_group_it_is_in(rig):
    pilot = await group(rig, "a@x.jp", "b@x.jp")
    wave = await group(rig, "b@x.jp", "c@x.jp")
    cohorts = Cohorts(rig.stores.table("cohorts"), rig.clock)
    groups = {"pilot": pilot, "wave": wave}
    await cohorts.refresh(rig.graph, groups)
    assert await cohorts.refresh(rig.graph, groups) == 0
    ids = {name: rig.world.user(f"{name}@x.jp").id for name in "abc"}
    said = [await cohorts.of(each) for each in (*ids.values(), "C@x.jp", "nobody", "")]
    assert said == ["pilot", "pilot", "wave", "wave", "everyone", "everyone"]
    await rig.admin("POST", f"groups/{pilot}/members", {"remove": ["b@x.jp"]})
    await cohorts.refresh(rig.graph, groups)
    rig.clock.now += timedelta(minutes=2)
    assert [await cohorts.of(each) for each in ids.values()] == ["pilot", "wave", "wave"]


async def test_cohorts_of_a_group_that_is_gone_stay_as_they_were(rig):
    pilot = await group(rig, "a@x.jp")
    cohorts = Cohorts(rig.stores.table("cohorts"), rig.clock)
    await cohorts.refresh(rig.graph, {"pilot": pilot})
    with pytest.raises(PermanentError, match="SEKISHO_COHORTS"):
        await cohorts.refresh(rig.graph, {"pilot": pilot, "wave": "gone"})
    assert await cohorts.of(rig.world.user("a@x.jp").id) == "pilot"


async def test_timer_has_the_cohorts_refreshed_by_a_job(rig):
    watched = Watched((), teams=False, cohorts=True)
    (envelope,) = [each async for each in watched.due(rig.subscriptions, rig.clock)]
    assert envelope.body == {"job": "cohorts"}
    seen = []

    async def refresh():
        seen.append("refreshed")

    resolver = replace(rig.resolver(), refresh=refresh)
    await resolver.job(envelope)
    assert seen == ["refreshed"]
