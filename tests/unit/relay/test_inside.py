"""Judged, held, sent up, let go: what becomes of a mail that was accepted, crashes included."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay import requests
from relay.journal import NOTICE, RELEASED
from relay.notes import Note
from relay.requests import CLOUD, Request
from relay.spool import DEAD, HELD, INCOMING, OUTGOING, Letter
from shared.codec import decode, encode
from shared.errors import MalformedError, UnavailableError
from shared.model import Envelope, Gap, GapCode, Level
from shared.services import sidecar
from tests.unit.relay.inside import SENDER, TARO, Inside, finding

NUMBER = b"Subject: x\r\nMessage-ID: <1@x>\r\n\r\na number\r\n"


@pytest.fixture
async def inside(tmp_path):
    made = Inside(tmp_path)
    made.bench.findings = (finding(),)
    yield made
    await made.close()


def events(inside):
    return [decode(raw, Envelope).event for raw in inside.sky.waiting("scan-results")]


async def test_clean_mail_lands_with_its_envelope_and_leaves_the_spool(inside):
    name = inside.accept(to=(TARO, "b@city.example"))
    inside.forwarder.arrived(name)
    await inside.forwarder.forward(name)
    blob = await inside.sky.stores.blobs("landing").get(f"mail/{name}.eml")
    assert blob.data.endswith(b"hi\r\n")
    read = await sidecar.read(inside.sky.stores.blobs("envelopes"), f"mail/{name}.eml")
    assert (read.recipients, read.sender, read.via) == ((TARO, "b@city.example"), SENDER, "relay")
    assert inside.spool.names(INCOMING) == []


async def test_mail_that_landed_before_a_crash_is_not_landed_again(inside):
    """Whatever the gate did meanwhile: the blob is there, or an outcome is."""
    name = inside.accept()
    letter, data = inside.spool.read(INCOMING, name, Letter)
    await inside.sky.cloud.land(name, letter, data, first=True)  # and then we were killed
    landing, envelopes = (inside.sky.stores.blobs(each) for each in ("landing", "envelopes"))
    await inside.forwarder.forward(name)
    assert len(await inside.sky.names("landing")) == 1
    inside.spool.put(INCOMING, name, letter, data)
    await envelopes.put(f"mail/{name}.eml.0.etag.outcome", b"{}")
    await landing.delete(f"mail/{name}.eml")
    await inside.forwarder.forward(name)
    assert await inside.sky.names("landing") == []
    assert inside.spool.names(INCOMING) == []


async def test_mail_waits_while_the_cloud_is_away_and_is_judged_once(inside):
    name = inside.accept()
    inside.sky.away = True
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await inside.forwarder.forward(name)
    assert inside.spool.names(INCOMING) == [name]
    inside.sky.away = False
    await inside.forwarder.forward(name)
    assert inside.bench.asked == [name]


async def test_stopped_mail_is_kept_recorded_and_told_of_and_is_not_in_the_cloud(inside):
    name = inside.accept(NUMBER)
    await inside.forwarder.forward(name)
    assert await inside.keeper.attend()
    assert await inside.sky.names("landing") == []
    assert inside.spool.names(HELD) == [name]
    (event,) = events(inside)
    assert (event.item.id, event.action, event.disposition) == (f"relay/{name}", "hold", "block")
    assert [(s.name, s.result) for s in event.steps] == [("spool", "kept"), ("landing", "not_sent")]
    assert (event.place, event.owner) == ("relay_spool", TARO)
    rows = inside.journal.open()
    assert [each.kind for each in rows] == [NOTICE, NOTICE]
    await inside.keeper.attend()
    inside.keeper.recover()
    await inside.keeper.attend()
    assert len(events(inside)) == 1, "noted as done"
    assert len(inside.journal.open()) == 2


async def test_what_the_landing_container_may_not_hold_stays_though_the_spool_might(inside):
    inside.bench.findings = (finding("resident_record_code"),)
    name = inside.accept(NUMBER)
    await inside.forwarder.forward(name)
    note = inside.spool.noted(name, Note)
    assert note.intent.decision.disposition.name == "BLOCK"
    assert note.intent.context.place == "landing"


async def test_doubtful_mail_goes_up_to_be_held_there(inside):
    inside.bench.findings = (finding(level=Level.MEDIUM),)
    inside.bench.gaps = (Gap(GapCode.ENCRYPTED, "添付1"),)
    name = inside.accept(NUMBER)
    await inside.forwarder.forward(name)
    assert await inside.sky.names("landing") == [f"mail/{name}.eml"]


async def test_mail_that_nothing_could_judge_stays_inside(inside):
    inside.bench.judged, inside.bench.gaps = False, (Gap(GapCode.CRASHED, ""),)
    name = inside.accept()
    await inside.forwarder.forward(name)
    assert inside.spool.names(HELD) == [name]
    assert await inside.sky.names("landing") == []


async def test_crash_between_note_and_move_judges_again(inside):
    name = inside.accept(NUMBER)
    await inside.forwarder.forward(name)
    inside.spool.move(name, HELD, INCOMING)  # as if the move had not come to the disk
    inside.keeper.recover()
    await inside.keeper.attend()
    assert events(inside) == []
    await inside.forwarder.forward(name)
    await inside.keeper.attend()
    assert len(events(inside)) == 1


async def test_record_waits_for_the_cloud_and_notices_do_not(inside):
    name = inside.accept(NUMBER)
    await inside.forwarder.forward(name)
    inside.sky.away = True
    assert not await inside.keeper.attend()
    assert len(inside.journal.open()) == 2
    inside.sky.away = False
    assert await inside.keeper.attend()
    assert len(events(inside)) == 1


@pytest.mark.parametrize(
    ("notices", "head", "sender", "told"),
    [
        ("all", b"", SENDER, 2),
        ("inside", b"", SENDER, 1),
        ("off", b"", SENDER, 0),
        ("all", b"Auto-Submitted: auto-replied\r\n", SENDER, 1),
        ("all", b"", "", 1),
    ],
)
async def test_notices_go_to_those_who_may_be_told(inside, notices, head, sender, told):
    inside.settings.notices = notices
    name = inside.accept(head + NUMBER, sender=sender)
    await inside.forwarder.forward(name)
    await inside.keeper.attend()
    assert len(inside.journal.open()) == told


async def held(inside):
    name = inside.accept(NUMBER, to=(TARO, "b@city.example"))
    inside.settings.notices = "off"
    await inside.forwarder.forward(name)
    await inside.keeper.attend()
    return name


async def test_release_takes_two_people_of_one_channel(inside):
    name = await held(inside)
    assert await inside.keeper.decide(Request(name, "release", ("taro",))) == "waits"
    assert await inside.keeper.decide(Request(name, "release", ("taro",))) == "waits"
    assert await inside.keeper.decide(Request(name, "release", ("hanako",), CLOUD)) == "waits"
    assert await inside.keeper.decide(Request(name, "delete", ("jiro",))) == "waits"
    assert await inside.keeper.decide(Request(name, "release", ("hanako",))) == "release"
    await inside.keeper.attend()
    assert [each.kind for each in inside.journal.open()] == [RELEASED, RELEASED]
    assert inside.spool.names(HELD) == inside.spool.noted_names() == []
    said = events(inside)[-1]
    assert (said.action, said.disposition) == ("release", "none")
    assert [step.result for step in said.steps] == ["taro", "hanako"]
    assert await inside.sky.names("landing") == []


async def test_release_carried_out_twice_by_a_crash_is_one(inside, monkeypatch):
    name = await held(inside)
    await inside.keeper.decide(Request(name, "release", ("a", "b")))
    remove = inside.spool.remove

    def killed(*_):
        raise UnavailableError(name)

    monkeypatch.setattr(inside.spool, "remove", killed)
    assert not await inside.keeper.attend()
    monkeypatch.setattr(inside.spool, "remove", remove)
    inside.keeper.recover()
    await inside.keeper.attend()
    assert len(inside.journal.open()) == 2
    assert len({each.id for each in events(inside)}) == 2, "held and released"


async def test_deleted_mail_is_gone_and_on_the_record(inside):
    name = await held(inside)
    await inside.keeper.decide(Request(name, "delete", ("a", "b")))
    await inside.keeper.attend()
    assert (inside.spool.names(HELD), inside.journal.open()) == ([], [])
    assert events(inside)[-1].action == "delete"


async def test_request_is_of_the_user_who_owns_its_file(inside, monkeypatch):
    name = await held(inside)
    monkeypatch.setattr(requests, "user_of", lambda _uid: "owner")
    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "taro")
    requests.ask(inside.spool.folder, name, "release")
    (found,) = requests.take_requests(inside.spool.folder)
    by_root = inside.spool.folder.stat().st_uid == 0  # who runs this test
    assert found.people == (("taro",) if by_root else ("owner",))
    assert requests.take_requests(inside.spool.folder) == []


@pytest.mark.parametrize(
    "raw",
    [b"{}", b'{"name":"../../x","action":"release","people":[]}', b"x" * 9_000,
     b'{"name":"a","action":"burn","people":[]}'],
)  # fmt: skip
async def test_request_that_is_none_is_dropped(inside, raw):
    (inside.spool.folder / "requests" / "a.ask").write_bytes(raw)
    assert requests.take_requests(inside.spool.folder) == []


def test_request_names_a_held_mail():
    with pytest.raises(MalformedError):
        requests.check(Request("../x", "release", ()))


# ---- orders of the cloud


async def order(inside, key="ab" * 32, kind="deliver", **body):
    body = body or {"key": key}
    envelope = Envelope(kind, first_seen=inside.clock(), body=body)
    await inside.sky.stores.queue("relay-deliver").put(encode(envelope))


async def handed(inside):
    from tests.unit.relay.test_relay_delivery import SIDECAR, claim  # noqa: PLC0415 - the gate's end

    given = claim()
    await inside.sky.delivery.hand_over(replace(given, key="ab" * 32), SIDECAR, b"mail\r\n")
    return "ab" * 32


async def test_order_is_fetched_once_however_often_it_comes(inside):
    key = await handed(inside)
    await order(inside, key)
    assert await inside.orders.look() == 2
    assert inside.spool.names(OUTGOING) == [key]
    assert inside.sky.waiting("relay-deliver") == []
    await order(inside, key)
    await inside.orders.look()
    assert len(inside.journal.open()) == 1


async def test_order_that_is_settled_is_told_of_again(inside):
    key = await handed(inside)
    await inside.orders.look()
    inside.journal.done(key, 1.0, "delivered", "250")
    await inside.delivery.tell_all()
    assert inside.spool.names(OUTGOING) == []
    await order(inside, key)
    await inside.orders.look()
    await inside.delivery.tell_all()
    assert len(inside.sky.waiting("relay-results")) == 2


@pytest.mark.parametrize("body", [{"key": "no"}, {"key": "cd" * 32}, {"x": "y"}])
async def test_order_that_is_none_or_has_no_copy_becomes_a_dead_letter(inside, body):
    await order(inside, **body)
    await inside.orders.look()
    assert inside.sky.waiting("relay-deliver") == []
    assert len(inside.sky.waiting("relay-deliver-poison")) == 1


async def test_order_stays_on_the_queue_while_its_copy_cannot_be_read(inside, monkeypatch):
    await handed(inside)

    async def away(_key):
        raise UnavailableError(_key)

    monkeypatch.setattr(inside.sky.cloud, "order", away)
    await inside.orders.look()
    assert len(inside.sky.waiting("relay-deliver")) == 1
    assert await inside.orders.look() == 0, "not before its time"
    monkeypatch.undo()
    inside.clock.passes(200)
    assert await inside.orders.look() == 1
    assert len(inside.spool.names(OUTGOING)) == 1


async def test_no_order_is_taken_that_the_spool_has_no_room_for(inside):
    await handed(inside)
    inside.room.min_free = 10**18
    assert await inside.orders.look() == 0
    assert len(inside.sky.waiting("relay-deliver")) == 1


async def test_decision_of_the_cloud_is_carried_out(inside):
    name = await held(inside)
    await order(inside, kind="release", id=name, by="hanako\ntaro")
    await inside.orders.look()
    await inside.keeper.attend()
    assert len(inside.journal.open()) == 2


async def test_recovery_makes_spool_and_journal_agree(inside):
    key = await handed(inside)
    await inside.orders.look()
    inside.journal._db.execute("delete from delivery")  # the row never came to the disk
    assert inside.outbox.recover() == 0
    assert [each.key for each in inside.journal.open()] == [key]
    inside.journal.sending(key, 1.0)
    assert inside.outbox.recover() == 1
    inside.journal.done(key, 2.0, "failed", "550")
    inside.journal.told(key, 2.0)
    inside.outbox.recover()
    assert (inside.spool.names(OUTGOING), inside.spool.names(DEAD)) == ([], [key])


async def test_retry_sends_on_what_lies_with_the_dead(inside):
    key = await handed(inside)
    await inside.orders.look()
    inside.journal.done(key, 1.0, "failed", "550")
    await inside.delivery.tell_all()
    assert inside.spool.names(DEAD) == [key]
    assert await inside.keeper.decide(Request(key, "retry", ("taro",))) == "retry"
    assert ([each.key for each in inside.journal.open()], inside.spool.names(DEAD)) == ([key], [])
    name = inside.accept()
    inside.spool.move(name, INCOMING, DEAD)
    told = []
    inside.keeper.arrived = told.append
    assert await inside.keeper.decide(Request(name, "retry", ("taro",))) == "retry"
    assert (told, inside.spool.names(INCOMING)) == ([name], [name])
    assert await inside.keeper.decide(Request("0" * 24, "retry", ("taro",))) == "unknown"


async def test_notice_that_cannot_be_delivered_is_not_kept(inside):
    await inside.forwarder.forward(inside.accept(NUMBER))
    await inside.keeper.attend()
    for entry in inside.journal.open():
        inside.journal.done(entry.key, 1.0, "failed", "550 5.1.1")
    await inside.delivery.tell_all()
    assert inside.spool.names(DEAD) == inside.spool.names(OUTGOING) == []


async def test_order_that_fails_in_a_way_nobody_foresaw_is_set_aside_in_the_end(
    inside, monkeypatch
):
    key = await handed(inside)

    async def broken(_key):
        raise RuntimeError(_key)

    monkeypatch.setattr(inside.sky.cloud, "order", broken)
    for _ in range(5):
        assert inside.sky.waiting("relay-deliver")
        await inside.orders.look()
        inside.clock.passes(200)
    assert inside.sky.waiting("relay-deliver") == []
    assert key.encode() in inside.sky.waiting("relay-deliver-poison")[0]
