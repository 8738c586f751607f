"""Libraries of sites are found, watched and left as users' drives are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from shared.codec import decode
from shared.errors import PermanentError
from shared.graph.webhook import client_state, job, verify_client_state
from shared.model import Disposition, Envelope, Item, OutcomeState
from shared.services.reach import Reach
from shared.services.sites import Sites
from shared.services.wiring import Watched


class Town:
    """The resolver over the rig, its jobs carried out as the queue would."""

    def __init__(self, rig, wanted=("all",)):
        self.rig = rig
        self.queue = rig.stores.queue("graph-jobs")
        sites = Sites(rig.graph, rig.subscriptions, self.queue, rig.clock, wanted)
        self.resolver = replace(rig.resolver(), sites=sites)

    async def enrol(self):
        await self.run(Envelope("job", self.rig.clock(), body={"job": "enrol_sites"}))

    async def sweep(self, *sources):
        for source in sources:
            for each in [each async for each in self.rig.subscriptions.accounts(source)]:
                await self.run(job("sweep", source, each.ref, self.rig.clock()))

    async def run(self, envelope):
        """The job, and every one that comes of it."""
        await self.resolver.job(envelope)
        while waiting := self.rig.account.queues.get("graph-jobs"):
            await self.resolver.job(decode(waiting.pop(0).body, Envelope))

    async def watched(self):
        return [each.drive async for each in self.rig.subscriptions.accounts("library")]


@pytest.fixture
def subscribed(rig, webhook):
    rig.subscriptions._notification_url = f"{webhook}/notifications"
    rig.subscriptions._lifecycle_url = f"{webhook}/lifecycle"
    rig.clock.now = datetime.now(UTC)  # the stand-in has a clock of its own
    return rig


async def site(rig, *libraries, **more):
    body = {"name": "福祉課", "drives": list(libraries or ["文書"]), **more}
    return await rig.admin("POST", "sites", body)


def put(rig, drive, name="名簿.txt", data=b"hello", by=None):
    where = rig.world.drives[drive]
    made = where.add(where.root, name, data)
    made.by = {"id": by.id, "displayName": by.name} if by else None
    return made


def items(rig):
    return [each["item"]["id"] for each in rig.queued()]


def subscribed_to(rig):
    return sorted(each.resource for each in rig.world.subscriptions.values())


async def test_every_library_gets_a_subscription_and_its_files_are_found(subscribed):
    rig = subscribed
    made = await site(rig, "文書", "写真")
    drives = sorted(each["id"] for each in made["drives"])
    file = put(rig, drives[0])
    town = Town(rig)
    await town.enrol()
    assert subscribed_to(rig) == [f"drives/{each}/root" for each in drives]
    assert sorted(await town.watched()) == drives  # and no OneDrive: accounts enrol those
    assert items(rig) == [file.id]
    assert all(each.security for each in rig.world.subscriptions.values())


async def test_hint_of_a_library_asks_its_delta(subscribed):
    rig = subscribed
    drive = (await site(rig))["drives"][0]["id"]
    town = Town(rig)
    await town.enrol()
    state = next(iter(rig.world.subscriptions.values())).client_state
    source, ref = verify_client_state((b"client state key for tests",), state)
    assert source == "library"
    file = put(rig, drive)
    await town.resolver.hint(Envelope("hint", rig.clock(), body={"source": source, "account": ref}))
    assert items(rig) == [file.id]


def test_client_state_of_a_library_fits():
    assert len(client_state(b"k", "library", "0" * 32, "0" * 16)) <= 128


async def test_sweep_finds_a_file_that_nobody_told_of_and_a_library_that_is_new(subscribed):
    rig = subscribed
    made = await site(rig)
    town = Town(rig)
    await town.enrol()
    first = put(rig, made["drives"][0]["id"])
    added = await rig.admin("POST", f"sites/{quote(made['id'])}/drives", {"name": "別"})
    second = put(rig, added["id"])
    await town.sweep("site", "library")
    assert sorted(set(items(rig))) == sorted([first.id, second.id])
    assert len(rig.world.subscriptions) == 2


async def test_site_that_is_gone_ends_its_libraries_and_nobody_elses(subscribed):
    rig = subscribed
    gone, stays = await site(rig), await site(rig)
    town = Town(rig)
    await town.enrol()
    await rig.admin("DELETE", f"sites/{quote(gone['id'])}")
    await town.sweep("library", "site")
    await town.enrol()
    assert await town.watched() == [stays["drives"][0]["id"]]
    assert [each.user async for each in rig.subscriptions.accounts("site")] == [stays["id"]]


async def test_sites_that_are_wanted_no_more_end_at_the_next_timer(subscribed):
    rig = subscribed
    await site(rig)
    town = Town(rig)
    await town.enrol()
    due = [each async for each in Watched((), teams=False).due(rig.subscriptions, rig.clock)]
    assert [each.body["job"] for each in due] == ["end"]
    await town.run(due[0])
    assert (await town.watched(), rig.world.subscriptions) == ([], {})


async def test_pilot_watches_the_named_sites_and_lists_none(subscribed):
    rig = subscribed
    named, _other = await site(rig), await site(rig)
    town = Town(rig, (named["id"],))
    await town.enrol()
    assert await town.watched() == [named["drives"][0]["id"]]
    assert "GET /sites/getAllSites()" not in rig.graph.calls


async def test_named_site_that_does_not_exist_is_told_by_name(rig):
    town = Town(rig, ("contoso.sharepoint.com,a,b",))
    with pytest.raises(PermanentError, match="SEKISHO_SITES"):
        await town.enrol()


async def test_enrolling_twice_makes_nothing_twice_and_renews_what_is_due(subscribed):
    rig = subscribed
    await site(rig)
    town = Town(rig)
    await town.enrol()
    await town.enrol()
    assert len(rig.world.subscriptions) == 1
    assert [each async for each in rig.subscriptions.due("library")] == []
    (row,) = [each async for each in rig.stores.table("subscriptions").query("library")]
    short = replace(row, values={**row.values, "expires": rig.clock()})
    await rig.stores.table("subscriptions").put(short)
    assert len([each async for each in rig.subscriptions.due("library")]) == 1


async def test_timer_asks_for_sites_in_a_job(rig):
    watched = Watched((), teams=False, sites=("all",))
    due = [each.body async for each in watched.due(rig.subscriptions, rig.clock)]
    assert due == [{"job": "enrol_sites"}]


# What policy sees of a file in a library.
GUEST = "x_other.example.com#EXT#@city.onmicrosoft.com"


async def seen(rig, drive, file, **more):
    reach = Reach(rig.graph, rig.clock, rig.world.tenant_id)
    service = rig.drive(reach=reach, **more)
    item = Item("drive", file.id, drive, file.ctag)
    sharing = await service._files.sharing(item)
    return (await service.fetch(replace(item, context_hash=sharing.digest))).context


@pytest.mark.parametrize(
    ("people", "scope", "place"),
    [
        ((), "", "onedrive_inside"),
        (("taro@city.example.jp",), "users", "onedrive_inside"),
        (("x@other.example.com",), "users", "onedrive_guest"),
        ((), "organization", "onedrive_inside"),
        ((), "anonymous", "onedrive_anonymous"),
    ],
)
async def test_file_of_a_library_is_shared_inside_at_least(rig, people, scope, place):
    drive = (await site(rig))["drives"][0]["id"]
    file = put(rig, drive, by=rig.user)
    if scope:
        body = {"scope": scope, "recipients": list(people)}
        await rig.admin("POST", f"drives/{drive}/items/{file.id}/links", body)
    found = await seen(rig, drive, file)
    assert (found.place, found.owner) == (place, rig.user.id)


async def test_file_that_nobody_made_has_no_owner_to_tell(rig):
    drive = (await site(rig))["drives"][0]["id"]
    assert (await seen(rig, drive, put(rig, drive))).owner == ""


@pytest.mark.parametrize(
    ("members", "kind", "place"),
    [((), "user", "onedrive_inside"), ((GUEST,), "guest", "onedrive_guest")],
)
async def test_library_of_a_team_with_guests_is_shared_with_them(rig, members, kind, place):
    for each in members:
        rig.world.add_user(each, "外部")
    body = {"name": "福祉課", "members": [rig.UPN, *members]}
    drive = (await rig.admin("POST", "teams", body))["site"]["drive_id"]
    found = await seen(rig, drive, put(rig, drive, by=rig.user))
    assert (found.place, kind in found.sharing) == (place, True)


async def test_group_that_cannot_be_read_counts_as_one_with_guests(rig):
    drive = (await site(rig, group="gone"))["drives"][0]["id"]
    found = await seen(rig, drive, put(rig, drive, by=rig.user))
    assert (found.place, "members_unread" in found.sharing) == ("onedrive_guest", True)


async def test_file_of_a_library_is_stopped_and_let_alone_afterwards(rig):
    drive = (await site(rig))["drives"][0]["id"]
    file = put(rig, drive, by=rig.user)
    service = rig.drive(redigest=rig.redigest)
    item = Item("drive", file.id, drive, file.ctag)
    item = replace(item, context_hash=(await service._files.sharing(item)).digest)
    claim = rig.claim(item, Disposition.BLOCK)
    held = await rig.ledger.claim(item, rig.clock())
    outcome = await service.apply(claim)
    await rig.ledger.complete(held, outcome)
    assert outcome.state is OutcomeState.APPLIED
    assert "停止" in file.data.decode()
    assert len(file.versions) == 1
    now = (await service._files.sharing(item)).digest
    ours = replace(item, content_version=file.ctag, context_hash=now)
    assert await rig.ledger.is_own_write(ours)
