"""Outsiders in a chat or a channel make the place that policy sees; what is not read counts so."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from local.graph import context
from local.graph.faults import Fault
from shared.errors import UnavailableError
from shared.services.reach import Reach
from tests.unit.services.test_teams_service import Thread, channel, chat

GUEST = "x_other.example.com#EXT#@city.onmicrosoft.com"
STRANGER = {"displayName": "外部", "tenantId": "11111111-0000-4000-8000-000000000000"}
MEMBERS = re.compile(r"/(chats|channels)/[^/]+(\?.*)?$")
UNKNOWN = {"displayName": "電話", "tenantId": None}


@pytest.fixture(params=[channel, chat])
async def thread(request, rig):
    return await request.param(rig)


def reach(rig, tenant=None):
    return Reach(rig.graph, rig.clock, rig.world.tenant_id if tenant is None else tenant)


async def join(rig, thread, *members):
    for each in members:
        if isinstance(each, str):
            rig.world.add_user(each, "外部")
    await rig.admin("POST", f"{thread.path}/members", {"members": list(members)})


async def seen(rig, thread, found=None, **more):
    message = await thread.send(**more)
    service = rig.teams(reach=found or reach(rig))
    return (await service.fetch(thread.item(message))).context


async def test_thread_of_our_own_people_is_inside(rig, thread):
    found = await seen(rig, thread)
    assert (found.place, found.sharing, found.owner) == ("teams_internal", (), rig.user.id)


@pytest.mark.parametrize("member", [GUEST, STRANGER])
async def test_thread_with_an_outsider_is_external_and_its_sender_is_still_told(
    rig, thread, member
):
    await join(rig, thread, rig.UPN, member)
    found = await seen(rig, thread)
    assert (found.place, found.sharing) == ("teams_external", ("guest",))
    assert found.owner == rig.user.id  # our own sender has an account


async def test_somebody_without_a_tenant_is_an_outsider_of_a_chat(rig):
    thread = await chat(rig)
    await join(rig, thread, UNKNOWN)
    assert (await seen(rig, thread)).place == "teams_external"


async def test_guests_of_a_team_are_in_each_channel_that_names_no_members(rig):
    rig.world.add_user(GUEST, "外部")
    team = await rig.admin("POST", "teams", {"name": "福祉課", "members": [rig.UPN, GUEST]})
    there = team["channels"][0]["id"]
    path = f"teams/{team['id']}/channels/{quote(there)}"
    found = rig.world.teams.teams[team["id"]].channels[there]
    thread = Thread(rig, path, f"teams/{team['id']}/channels/{there}", found)
    assert (await seen(rig, thread)).place == "teams_external"
    root = await thread.send()
    assert (await seen(rig, thread, reply_to=root.id)).place == "teams_external"


async def test_message_of_an_outsider_has_no_owner(rig, thread):
    stranger = {"displayName": "外部", "userIdentityType": "federatedUser", "tenantId": "other"}
    found = await seen(rig, thread, **{"from": stranger})
    assert (found.place, found.owner) == ("teams_external", "")


@pytest.mark.parametrize("status", [403, 404])
async def test_membership_that_cannot_be_read_counts_as_external_and_says_so(rig, thread, status):
    message = await thread.send()
    rig.app[context.FAULTS].armed.append(Fault(path=MEMBERS, status=status))
    found = (await rig.teams(reach=reach(rig)).fetch(thread.item(message))).context
    assert (found.place, found.sharing) == ("teams_external", ("members_unread",))


async def test_graph_that_is_not_there_decides_nothing(rig, thread):
    message = await thread.send()
    rig.app[context.FAULTS].armed.append(Fault(path=MEMBERS, status=503))
    service = rig.teams(reach=reach(rig))
    with pytest.raises(UnavailableError):
        await service.fetch(thread.item(message))
    assert (await service.fetch(thread.item(message))).context.place == "teams_internal"


async def test_membership_is_asked_once_for_many_messages_and_again_after_a_while(rig, thread):
    found = reach(rig)
    asked = ("GET /chats/{chat}", "GET /teams/{team}/channels/{channel}")

    def count():
        return sum(rig.graph.calls.count(each) for each in asked)

    for _ in range(3):
        assert (await seen(rig, thread, found)).place == "teams_internal"
    assert count() == 1
    await join(rig, thread, rig.UPN, GUEST)
    rig.clock.now += timedelta(minutes=11)
    assert (await seen(rig, thread, found)).place == "teams_external"
    assert count() == 2


async def test_without_our_tenant_guests_alone_are_outsiders_of_a_chat(rig):
    thread = await chat(rig)
    await join(rig, thread, STRANGER)
    assert (await seen(rig, thread, reach(rig, ""))).place == "teams_internal"
    await join(rig, thread, GUEST)
    assert (await seen(rig, thread, reach(rig, ""))).place == "teams_external"


@pytest.mark.parametrize(
    "summary", [None, {}, {"guestsCount": 0}, {"hasMembersFromOtherTenants": False}]
)
async def test_channel_that_says_nothing_of_its_members_is_unread(rig, monkeypatch, summary):
    where = await channel(rig)
    monkeypatch.setattr("local.graph.routes.threads._summary", lambda *_: summary)
    assert (await seen(rig, where)).sharing == ("members_unread",)
