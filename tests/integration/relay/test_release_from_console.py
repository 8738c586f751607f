"""A mail in the relay's spool, released from the console: over a real Azurite and SMTP."""

from __future__ import annotations

import email
import email.policy
from urllib.parse import urlencode

import pytest

from relay.requests import Request as Wish
from relay.spool import HELD
from shared.codec import decode
from shared.console.session import COOKIE, User
from shared.console.web import Request
from shared.model import Envelope
from shared.policy import Policy, default_text
from shared.services.release_header import message_id
from tests.integration.relay.parts import Sink
from tests.integration.relay.sky import ORIGIN, AzuriteSky
from tests.unit.relay.inside import HEADER, KEY, TARO, Inside, finding
from tests.unit.relay.test_releasing import HOSTILE, UNREADABLE

pytestmark = pytest.mark.integration
POLICY = Policy.load([default_text()])
REASON = "本人の同意を得て業務に用いるため"


@pytest.fixture
def sink():
    with Sink() as running:
        yield running


@pytest.fixture
async def inside(tmp_path, azurite, sink):
    sky = AzuriteSky(azurite.connection_string, POLICY, KEY)
    made = Inside(tmp_path, sink.port, policy=POLICY, sky=sky)
    made.bench.findings = (finding(),)
    made.settings.notices = "off"
    yield made
    await made.close()
    await sky.cloud.close()


async def call(sky, method, path, who, **form):
    until = int(sky.clock().timestamp()) + 3_600
    user = User(who, who, ("reviewer",), f"session-{who}", until)
    headers = {"cookie": f"{COOKIE}={sky.sessions.seal(user)}", "origin": ORIGIN}
    body = urlencode({"csrf": sky.sessions.csrf(user), **form}).encode()
    return await sky.console.handle(Request(method, path, {}, headers, body, "127.0.0.1"))


async def granted(sky, incident):
    """Asked for by one reviewer, approved by another; the page between the two."""
    path = f"incidents/{incident}/release"
    form = {"step": "release", "reason": REASON, "days": "7"}
    assert (await call(sky, "POST", path, "oid-a", **form)).status == 303
    (asked,) = [each for each in await sky.granted.listed() if each.state == "requested"]
    step = {"step": "approve", "id": asked.id, "scope": asked.scope}
    assert (await call(sky, "POST", path, "oid-a", **step)).status == 409, "one person is not two"
    await sky.anew.run()
    assert await sky.take("relay-deliver") == [], "nothing is asked of the relay yet"
    assert (await call(sky, "POST", path, "oid-b", **step)).status == 303
    return (await call(sky, "GET", f"incidents/{incident}", "oid-c")).body.decode()


async def fetched(inside):
    """The timer asks, the relay looks, carries out, delivers and tells."""
    await inside.sky.anew.run()
    assert await inside.orders.look() == 1
    assert await inside.keeper.attend()
    while await inside.send_due():
        pass
    await inside.delivery.tell_all()
    await inside.sky.audit()


async def test_two_reviewers_release_and_the_relay_fetches_delivers_and_says_so(inside, sink):
    sky = inside.sky
    name = inside.accept(HOSTILE)
    await inside.forwarder.forward(name)
    await inside.keeper.attend()
    (incident,) = await sky.audit()
    page = (await call(sky, "GET", f"incidents/{incident}", "oid-a")).body.decode()
    assert "庁内の中継サーバで保管中のメール" in page
    assert 'value="release"' in page
    page = await granted(sky, incident)
    assert "中継サーバが取りに来るのを待っています" in page
    assert sink.raw == []
    await fetched(inside)
    ((_, recipient, clean),) = sink.raw
    assert recipient == TARO
    assert b"<script" not in clean
    body = email.message_from_bytes(clean, policy=email.policy.default).get_body(("html",))
    assert "a number" in body.get_content()
    held = next(each for each in sky.events if each.action == "hold")
    assert HEADER.origin(clean, message_id(clean, "")) == held.item.place_key()
    (applies,) = await sky.granted.applying("0" * 64, held.item.place_key())
    assert applies.people == ("oid-a", "oid-b")
    told = [(each.action, each.action_state) for each in sky.events if each.item.id == held.item.id]
    for each in (("release", "applied"), ("deliver", "applied")):
        assert each in told
    by = next(each for each in sky.events if each.action == "release")
    assert [each.result for each in by.steps if each.name == "by"] == ["oid-a", "oid-b"]
    assert await sky.take("scan-items") == [], "nothing of the spool can be scanned in the cloud"

    page = (await call(sky, "GET", f"incidents/{incident}", "oid-c")).body.decode()
    assert "原本は中継サーバに残っています" in page
    assert "取りに来るのを待っています" not in page
    assert inside.spool.names(HELD) == [name]
    sky.clock.passes(60)
    page = await granted(sky, incident)  # the same two people, for the original this time
    await fetched(inside)
    assert HOSTILE in sink.raw[-1][2]
    assert sink.seen()[TARO, "<1@x>"] == 1
    assert inside.spool.names(HELD) == []
    page = (await call(sky, "GET", f"incidents/{incident}", "oid-c")).body.decode()
    assert "原本は中継サーバに残っています" not in page


async def test_mail_that_cannot_be_sanitised_is_offered_again_and_then_goes_as_it_came(
    inside, sink
):
    sky = inside.sky
    name = inside.accept(UNREADABLE)
    await inside.forwarder.forward(name)
    await inside.keeper.attend()
    (incident,) = await sky.audit()
    await granted(sky, incident)
    await sky.anew.run()
    await inside.orders.look()
    await inside.keeper.attend()
    assert sink.raw == []
    (again,) = await sky.audit()
    page = (await call(sky, "GET", f"incidents/{again}", "oid-c")).body.decode()
    assert "無害化" in page
    assert 'value="release"' in page, "the release that runs did not know of it"
    sky.clock.passes(60)
    await granted(sky, again)
    await fetched(inside)
    ((_, _, sent),) = sink.raw
    assert sent.endswith(UNREADABLE)
    assert inside.spool.names(HELD) == []


async def test_list_and_local_release_pass_through_the_real_queues(inside, sink):
    sky = inside.sky
    await sky.list.publish()
    await inside.exceptions.look()
    assert inside.exceptions.now() == ()
    name = inside.accept(b"Subject: x\r\nMessage-ID: <4@x>\r\n\r\na number\r\n", sender=TARO)
    await inside.forwarder.forward(name)
    await inside.keeper.attend()
    await inside.keeper.decide(Wish(name, "release", ("hanako", "taro")))
    await inside.keeper.attend()
    while await inside.send_due():
        pass
    ((_, _, sent),) = sink.raw
    for raw in await sky.take("relay-results"):
        await sky.delivery.settle(decode(raw, Envelope))
    await sky.audit()
    held = next(each for each in sky.events if each.action == "hold")
    (applies,) = await sky.granted.applying("0" * 64, held.item.place_key())
    assert applies.people == ("relay:hanako", "relay:taro")
    assert HEADER.origin(sent, "<4@x>") == held.item.place_key()
    assert "exception_granted" in [each.action for each in sky.events]
