"""Subscriptions: one an account and source, alive, whatever was killed or lost in between."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiohttp import web

from shared.errors import PermanentError, UnavailableError
from shared.graph.subscriptions import LIFETIME, Subscriptions
from shared.graph.webhook import account_ref, verify_client_state
from shared.model import Envelope

KEY = b"client state key for tests"


@pytest.fixture
async def address(rig):
    """A receiver that answers Graph's handshake; ``rig.subscriptions`` uses it."""

    async def receive(request):
        return web.Response(text=request.query.get("validationToken", ""))

    app = web.Application()
    app.router.add_post("/{tail:.*}", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    rig.subscriptions._notification_url = f"{url}/notifications"
    rig.subscriptions._lifecycle_url = f"{url}/lifecycle"
    # the stand-in judges expiry by the real clock

    rig.clock.now = datetime.now(UTC)
    yield url
    await runner.cleanup()


async def enrolled(rig, source):
    account = await rig.subscriptions.register(source, rig.UPN)
    return await rig.subscriptions.enrol(source, account.ref)


async def row(rig, source):
    return await rig.stores.table("subscriptions").get(source, account_ref(source, rig.UPN))


def alive(rig):
    return list(rig.world.subscriptions.values())


@pytest.mark.usefixtures("address")
async def test_enrol_subscribes_to_messages_with_immutable_ids(rig):
    account = await enrolled(rig, "mail")
    (made,) = alive(rig)
    assert made.resource == f"users/{rig.UPN}/messages"
    assert made.change_types == {"created", "updated"}
    assert made.immutable
    assert verify_client_state((KEY,), made.client_state) == ("mail", account.ref)
    assert (await row(rig, "mail")).values["subscription"] == made.id


@pytest.mark.usefixtures("address")
async def test_enrol_subscribes_to_the_drive_behind_a_user_with_sharing_changes(rig):
    account = await enrolled(rig, "drive")
    (made,) = alive(rig)
    assert account.drive == rig.user.drive.id
    assert made.resource == f"drives/{rig.user.drive.id}/root"
    assert made.change_types == {"updated"}
    assert made.security


@pytest.mark.usefixtures("address")
async def test_enrol_twice_subscribes_once(rig):
    await enrolled(rig, "mail")
    await enrolled(rig, "mail")
    assert len(alive(rig)) == 1


@pytest.mark.usefixtures("address")
async def test_enrol_renews_when_half_of_the_life_is_over(rig):
    await enrolled(rig, "mail")
    (made,) = alive(rig)
    table, before = rig.stores.table("subscriptions"), await row(rig, "mail")
    near = rig.clock() + LIFETIME["mail"] * 0.35
    await table.put(type(before)("mail", before.key, {**before.values, "expires": near}))
    made.expires = near
    await enrolled(rig, "mail")
    assert made.expires > near
    assert len(alive(rig)) == 1


async def test_renewals_of_many_accounts_are_spread(rig):
    now, life = rig.clock.now, LIFETIME["mail"]
    moments = set()
    for number in range(200):
        made = await rig.subscriptions.register("mail", f"user{number}@city.example.jp")
        found = await rig.stores.table("subscriptions").get("mail", made.ref)
        values = {**found.values, "expires": now + life}
        for percent in range(40, 60):
            rig.clock.now = now + life * (percent / 100)
            if rig.subscriptions._due(type(found)("mail", made.ref, values)):
                moments.add(percent)
                break
    rig.clock.now = now
    assert min(moments) >= 49
    assert len(moments) >= 8


@pytest.mark.usefixtures("address")
async def test_renew_of_a_lost_subscription_makes_a_new_one(rig):
    account = await enrolled(rig, "mail")
    rig.world.subscriptions.clear()
    await rig.subscriptions.renew("mail", account.ref)
    (made,) = alive(rig)
    assert (await row(rig, "mail")).values["subscription"] == made.id


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.usefixtures("address")
async def test_enrol_killed_while_creating_ends_with_one_subscription(rig, moment):
    account = await rig.subscriptions.register("mail", rig.UPN)
    rig.graph.die_at = (len(rig.graph.calls), moment)
    with pytest.raises(rig.Killed):
        await rig.subscriptions.enrol("mail", account.ref)
    rig.graph.die_at = None
    await rig.subscriptions.enrol("mail", account.ref)
    (made,) = alive(rig)
    assert (await row(rig, "mail")).values["subscription"] == made.id


async def test_address_that_does_not_answer_yet_is_tried_again(rig):
    """Our own function may be starting while Graph validates it."""
    rig.clock.now = datetime.now(UTC)
    account = await rig.subscriptions.register("mail", rig.UPN)
    with pytest.raises(UnavailableError):
        await rig.subscriptions.enrol("mail", account.ref)
    assert alive(rig) == []


async def test_row_stands_before_graph_is_asked(rig):
    """The first notification may come before Graph's answer does."""
    account = await rig.subscriptions.register("mail", rig.UPN)
    assert (await rig.subscriptions.account("mail", account.ref)).user == rig.UPN


async def test_unknown_account_is_a_permanent_error(rig):
    with pytest.raises(PermanentError):
        await rig.subscriptions.account("mail", "0" * 32)


@pytest.mark.usefixtures("address")
async def test_timer_asks_only_for_what_is_new_or_due(rig):
    wanted = {"mail": (rig.UPN,), "drive": (rig.UPN,)}
    first = [each.body async for each in rig.subscriptions.jobs(wanted)]
    assert [(each["job"], each["source"]) for each in first] == [
        ("enrol", "mail"),
        ("enrol", "drive"),
    ]
    await enrolled(rig, "mail")
    assert [each.body["source"] async for each in rig.subscriptions.jobs(wanted)] == ["drive"]


async def test_accounts_are_listed_page_by_page(rig):
    names = {f"u{number}@city.example.jp" for number in range(25)}
    for name in names:
        await rig.subscriptions.register("mail", name)
    assert {each.user async for each in rig.subscriptions.accounts("mail")} == names


async def test_without_an_address_accounts_are_enrolled_for_the_sweep_alone(rig):
    alone = Subscriptions(
        rig.graph,
        rig.stores.table("subscriptions"),
        key=KEY,
        notification_url="/notifications",
        lifecycle_url="/lifecycle",
        clock=rig.clock,
        nonce=lambda: "n",
    )
    account = await alone.register("drive", rig.UPN)
    assert (await alone.enrol("drive", account.ref)).drive == rig.user.drive.id
    await alone.renew("drive", account.ref)
    assert alive(rig) == []
    assert [each async for each in alone.jobs({"drive": (rig.UPN,)})] == []


@pytest.mark.usefixtures("address")
async def test_lifecycle_job_renews_through_the_resolver(rig):
    account = await enrolled(rig, "mail")
    rig.world.subscriptions.clear()
    body = {"job": "renew", "source": "mail", "account": account.ref}
    await rig.resolver().job(Envelope("job", rig.clock(), body=body))
    assert len(alive(rig)) == 1


@pytest.mark.usefixtures("address")
async def test_account_that_is_watched_no_more_is_ended(rig):
    account = await enrolled(rig, "mail")
    (ended,) = [each async for each in rig.subscriptions.jobs({"mail": ()})]
    assert ended.body == {"job": "end", "source": "mail", "account": account.ref}
    for _ in range(2):
        await rig.resolver().job(ended)
    assert alive(rig) == []
    assert await row(rig, "mail") is None
