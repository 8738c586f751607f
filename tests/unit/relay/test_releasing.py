"""A release carried out: sanitised, marked for the watch, its original kept, known to the cloud."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import timedelta

import pytest

from relay.journal import RELEASED
from relay.notes import SENT, UNCLEAN, Note
from relay.outbox import Outgoing
from relay.requests import CLOUD, LOCAL, Request
from relay.spool import HELD, OUTGOING
from shared.codec import decode
from shared.errors import UnavailableError
from shared.model import Envelope
from shared.policy.exemption import Kind
from shared.services.relay_granted import CONTAINER, NAME, Publishing, list_key
from shared.services.release_header import PASSED, message_id
from shared.storage.exceptions import Exceptions
from shared.storage.exceptions import Request as Asked
from tests.unit.relay.inside import HEADER, KEY, SENDER, TARO, Inside, finding

HOSTILE = (
    b"From: a@x.example\r\nSubject: x\r\nMessage-ID: <1@x>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b"<html><body><script>alert(1)</script><p>a number</p></body></html>\r\n"
)
UNREADABLE = (
    b"From: a@x.example\r\nSubject: x\r\nMessage-ID: <2@x>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
    b"a number\r\n--b\r\nContent-Type: application/octet-stream\r\n"
    b'Content-Disposition: attachment; filename="x.lzh"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n"
    b"IgAtbGg1LQAAAAAAAAAAAAAAAAAgAQV4LnR4dAAATQAAAAA=\r\n--b--\r\n"
)
PEOPLE = ("hanako", "taro")


@pytest.fixture
async def inside(tmp_path):
    made = Inside(tmp_path)
    made.bench.findings = (finding(),)
    made.settings.notices = "off"
    yield made
    await made.close()


def events(inside):
    return [decode(raw, Envelope).event for raw in inside.sky.waiting("scan-results")]


async def held(inside, data=HOSTILE, sender=SENDER):
    name = inside.accept(data, to=(TARO, "b@city.example"), sender=sender)
    await inside.forwarder.forward(name)
    await inside.keeper.attend()
    return name


async def release(inside, name, channel=CLOUD):
    await inside.keeper.decide(Request(name, "release", PEOPLE, channel))
    assert await inside.keeper.attend()


def outgoing(inside):
    return [inside.spool.read(OUTGOING, each, Outgoing) for each in inside.spool.names(OUTGOING)]


async def test_released_mail_from_outside_is_sanitised_and_its_original_stays(inside):
    name = await held(inside)
    await release(inside, name)
    sent = outgoing(inside)
    assert {out.order.recipient for out, _ in sent} == {TARO, "b@city.example"}
    for out, data in sent:
        assert out.kind == RELEASED
        assert out.order.changed
        assert b"script" not in data
        mail = email.message_from_bytes(data, policy=email.policy.default)
        assert "a number" in mail.get_body(("html",)).get_content()
    assert inside.spool.names(HELD) == [name]
    note = inside.spool.noted(name, Note)
    assert (note.clean, note.decided, note.approvals) == (SENT, "", {})
    said = [(each.name, each.result) for each in events(inside)[-1].steps]
    assert said == [
        ("by", "hanako"), ("by", "taro"), ("sanitised", "clean"), ("original", "kept"),
    ]  # fmt: skip
    await inside.keeper.attend()
    assert len(outgoing(inside)) == 2, "once"
    assert await inside.sky.names("landing") == [], "never by way of the cloud"


async def test_original_goes_as_it_came_when_people_release_once_more(inside):
    name = await held(inside)
    await release(inside, name)
    before = {out.order.key for out, _ in outgoing(inside)}
    assert await inside.keeper.decide(Request(name, "release", ("hanako",), CLOUD)) == "waits"
    await release(inside, name)
    later = [(out, data) for out, data in outgoing(inside) if out.order.key not in before]
    assert len(later) == 2
    for out, data in later:
        assert (out.order.sender, out.order.changed) == ("", True)
        assert HOSTILE in data, "whole, inside a mail of its own"
        assert message_id(data, "") != "<1@x>", "a mailbox drops a second mail of one id"
    assert inside.spool.names(HELD) == inside.spool.noted_names() == []
    last = events(inside)[-1]
    assert (last.action, last.steps[-1].result) == ("release", "delivered")
    assert len({each.id for each in events(inside) if each.action_state == "applied"}) == 3


async def test_original_that_nobody_asks_for_goes_at_its_end(inside):
    name = await held(inside)
    await release(inside, name)
    inside.keeper.recover()  # a start in between
    await inside.keeper.attend()
    inside.clock.passes(30 * 86_400 - 1)
    await inside.keeper.attend()
    assert inside.spool.names(HELD) == [name]
    inside.clock.passes(1)
    await inside.keeper.attend()
    assert inside.spool.names(HELD) == inside.spool.noted_names() == []
    last = events(inside)[-1]
    assert (last.action, last.disposition) == ("delete", "none")
    assert [(each.name, each.result) for each in last.steps] == [("original", "expired")]


async def test_mail_that_cannot_be_sanitised_stays_and_says_why_until_people_know(inside):
    name = await held(inside, UNREADABLE)
    await release(inside, name)
    assert outgoing(inside) == []
    note = inside.spool.noted(name, Note)
    assert (note.clean, note.decided) == (UNCLEAN, "")
    said = events(inside)[-1]
    assert (said.action, said.disposition) == ("hold", "block")
    assert said.gaps[-1].location.startswith("無害化")
    assert [each.name for each in said.steps] == ["sanitise"]
    await release(inside, name)
    sent = outgoing(inside)
    assert len(sent) == 2
    assert all(data.endswith(UNREADABLE) for _, data in sent)
    assert inside.spool.names(HELD) == []
    assert set(events(inside)[-1].gaps) >= set(note.gaps)


async def test_own_mail_and_clean_mail_go_byte_for_byte(inside):
    inner = HOSTILE.replace(b"a@x.example", TARO.encode())
    for data, sender in (
        (inner, TARO),
        (b"Subject: x\r\nMessage-ID: <3@x>\r\n\r\na number\r\n", SENDER),
    ):
        before = {out.order.key for out, _ in outgoing(inside)}
        name = await held(inside, data, sender)
        await release(inside, name)
        sent = [each for out, each in outgoing(inside) if out.order.key not in before]
        assert len(sent) == 2
        assert all(each.split(b"\r\n", 1)[1] == data for each in sent)
        assert inside.spool.names(HELD) == []


async def test_copy_says_under_a_mac_of_what_it_is_the_released_copy(inside):
    name = await held(inside)
    place = inside.spool.noted(name, Note)
    item = events(inside)[0].item
    assert place is not None
    await release(inside, name)
    for out, data in outgoing(inside):
        assert data.startswith(PASSED.encode())
        assert HEADER.origin(data, message_id(data, "")) == item.place_key()
        assert HEADER.origin(data, "<another@x>") == ""
        assert out.order.item.recipient in {"0", "1"}


async def test_release_killed_at_each_step_is_one_release(inside, monkeypatch):
    name = await held(inside)
    await inside.keeper.decide(Request(name, "release", PEOPLE, LOCAL))
    for place, method in (
        (inside.sky.cloud, "record"), (inside.sky.cloud, "released"), (inside.outbox, "put"),
        (inside.spool, "note"),
    ):  # fmt: skip
        with monkeypatch.context() as patch:

            def killed(*_, **__):
                raise UnavailableError(name)

            patch.setattr(place, method, killed)
            assert not await inside.keeper.attend(), method
    inside.keeper.recover()
    assert await inside.keeper.attend()
    assert len(outgoing(inside)) == 2
    assert inside.spool.noted(name, Note).clean == SENT
    assert len({each.id for each in events(inside)}) == 2


async def test_mail_over_which_something_unforeseen_breaks_stops_no_other(inside, monkeypatch):
    name, other = await held(inside), await held(inside)
    for each in (name, other):
        await inside.keeper.decide(Request(each, "release", PEOPLE, CLOUD))
    clean = inside.bench.clean

    async def broken(state, given):
        if given == name:
            raise RuntimeError(given)
        return await clean(state, given)

    releasing = replace(inside.keeper._releasing, clean=broken)
    monkeypatch.setattr(inside.keeper, "_releasing", releasing)
    assert not await inside.keeper.attend()
    assert len(outgoing(inside)) == 2
    assert inside.spool.noted(name, Note).decided == "release", "it is tried again"


async def test_cloud_hears_that_more_people_are_needed_or_that_the_mail_is_gone(inside):
    name = await held(inside)
    for _ in range(2):
        assert await inside.keeper.decide(Request(name, "release", ("hanako",), CLOUD)) == "waits"
    await release(inside, name)
    await release(inside, name)  # the original too: nothing is left
    assert await inside.keeper.decide(Request(name, "release", PEOPLE, CLOUD)) == "unknown"
    said = {each.id: (each.action_state, each.steps[0].result) for each in events(inside)
            if each.action == "release"}  # fmt: skip
    assert list(said.values()) == [
        ("unchanged", "1/2"), ("applied", "hanako"), ("applied", "hanako"), ("gone", "gone"),
    ]  # fmt: skip
    assert {each.item.place_key() for each in events(inside)} == {
        events(inside)[0].item.place_key()
    }


async def test_release_by_users_of_the_machine_is_an_exception_in_the_cloud_once(inside):
    name = await held(inside)
    item = events(inside)[0].item
    await release(inside, name, LOCAL)
    (raw,) = inside.sky.waiting("relay-results")
    for _ in range(2):
        await inside.sky.delivery.settle(decode(raw, Envelope))
    granted = inside.sky.delivery.exceptions
    (request,) = await granted.listed()
    assert (request.state, request.people) == ("granted", ("relay:hanako", "relay:taro"))
    assert request.item is None, "its beginning asks the relay for nothing"
    (applies,) = await granted.applying("0" * 64, item.place_key())
    rules = [each for each in inside.policy.rules if each.id in request.rules]
    assert rules
    assert all(applies.sets_aside(each, (finding(),), (), "own_mailbox") for each in rules)
    told = [each for each in events(inside) if each.action.startswith("exception_")]
    assert len({each.id for each in told}) == 1


# ---- what people granted in the cloud


class Office:
    """The cloud's exceptions, and the list that the relay fetches."""

    def __init__(self, inside):
        self.inside = inside
        stores = inside.sky.stores
        self.exceptions = Exceptions(stores.table("exceptions"), inside.clock)
        self.blobs = stores.blobs(CONTAINER)
        self.list = Publishing(self.exceptions, self.blobs, list_key(KEY), inside.clock)

    async def suppress(self, days=7):
        now, value = self.inside.clock(), finding().fingerprint
        await self.exceptions.request(
            Asked("e" * 32, Kind.SUPPRESSION, value, (), (), (), "誤検出と確かめたため", "", ("a",),
                  1, now, now + timedelta(days=days))
        )  # fmt: skip
        await self.list.publish()

    async def passes(self):
        """Whether a mail with the value passes the relay now."""
        name = self.inside.accept(b"Subject: x\r\n\r\na number\r\n")
        await self.inside.forwarder.forward(name)
        return not self.inside.spool.has(HELD, name)


async def test_value_that_people_declared_a_false_positive_passes_until_its_end(inside):
    office = Office(inside)
    await inside.exceptions.look()
    assert not await office.passes(), "there is no list"
    await office.suppress()
    assert not await office.passes(), "nothing is fetched yet"
    await inside.exceptions.look()
    assert await office.passes()
    raw = (await office.blobs.get(NAME)).data
    assert "誤検出".encode() not in raw
    inside.clock.passes(7 * 86_400)
    await office.list.publish()
    await inside.exceptions.look()
    assert not await office.passes()


async def test_list_runs_out_by_itself_and_the_stricter_decision_stands(inside):
    office = Office(inside)
    await office.suppress()
    await inside.exceptions.look()
    inside.sky.away = True
    inside.clock.passes(14 * 60)
    await inside.exceptions.look()
    assert inside.exceptions.now()
    inside.clock.passes(60)
    assert inside.exceptions.now() == ()
    inside.sky.away = False
    await inside.exceptions.look()
    assert inside.exceptions.now() == (), "an old list fetched again is still old"
    assert not await office.passes()


@pytest.mark.parametrize("spoil", [b"", b"{}", b'{"mac":"00","granted":"{}"}', None])
async def test_list_that_is_not_the_clouds_grants_nothing(inside, spoil):
    office = Office(inside)
    await office.suppress()
    raw = (await office.blobs.get(NAME)).data
    await inside.exceptions.look()
    assert inside.exceptions.now()
    wrong = raw.replace(b"k1:ab", b"k1:cd") if spoil is None else spoil
    await office.blobs.put(NAME, wrong)
    await inside.exceptions.look()
    assert inside.exceptions.now() == ()


async def test_revoked_value_is_stopped_again_with_the_next_list(inside):
    office = Office(inside)
    await office.suppress()
    await inside.exceptions.look()
    (asked,) = await office.exceptions.listed()
    await office.exceptions.end(asked.scope, asked.id)
    await office.list.publish()
    await inside.exceptions.look()
    assert not await office.passes()
