"""Out by SMTP: once, the oldest first, again where it must wait, back where it is refused."""

from __future__ import annotations

import email
import email.policy

import pytest
from aiosmtpd.smtp import SMTP

from relay.delivery import stamped
from relay.journal import DELIVERED, FAILED, ORDER, READY, REPORT
from relay.routes import route
from relay.spool import DEAD, OUTGOING
from shared.codec import decode
from shared.model import Envelope, Item
from shared.services.relay_delivery import Order
from tests.integration.relay.parts import Sink
from tests.unit.relay.inside import SENDER, TARO, Inside

MAIL = "Subject: x\r\nMessage-ID: <1@x>\r\n\r\n本文\r\n.点\r\n".encode()


class Exchange(Sink):
    """A sink that says what a test tells it to, and notes the parameters."""

    def __init__(self, **offers):
        super().__init__()
        self.answers, self.options = {}, []
        self.offers = {"enable_SMTPUTF8": True, **offers}
        self._controller.factory = lambda: Server(self)

    async def handle_MAIL(self, _server, _session, envelope, address, options):  # noqa: N802
        self.options.append(options)
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if answer := self.answers.get("data"):
            return answer
        return await super().handle_DATA(server, session, envelope)


class Server(SMTP):
    def __init__(self, sink):
        eight_bit = sink.offers.pop("eight_bit", True)
        super().__init__(sink, hostname="sink.example", decode_data=not eight_bit, **sink.offers)
        sink.offers["eight_bit"] = eight_bit


@pytest.fixture
def sink():
    with Exchange() as running:
        yield running


@pytest.fixture
async def inside(tmp_path, sink):
    made = Inside(tmp_path, sink.port)
    yield made
    await made.close()


def order(inside, number=1, **given):
    return Order(
        **{
            "key": f"{number:064x}", "sender": SENDER, "recipient": TARO, "disposition": "allow",
            "item": Item("gate", "mail/1.eml", "0", "v"), "first_seen": inside.clock(),
            "received_at": inside.clock(), **given,
        }
    )  # fmt: skip


def reports(inside):
    return [each for each in inside.journal.open() if each.kind == REPORT]


async def test_mail_goes_out_as_it_was_under_our_header(inside, sink):
    given = order(inside)
    await inside.outbox.put(ORDER, given, MAIL)
    await inside.send_due()
    assert sink.raw == [(SENDER, TARO, f"X-Sekisho-Id: {given.key}\r\n".encode() + MAIL)]
    assert inside.journal.get(given.key).state == DELIVERED
    assert await inside.send_due() == 0
    await inside.delivery.tell_all()
    (raw,) = inside.sky.waiting("relay-results")
    body = decode(raw, Envelope).body
    assert body == {"key": given.key, "state": "delivered", "code": "250 2.6.0"}
    assert inside.spool.names(OUTGOING) == []


async def test_oldest_mail_goes_first(inside, sink):
    late = order(inside, 1)
    inside.clock.passes(-3_600)
    early = order(inside, 2)
    inside.clock.passes(3_600)
    for each in (late, early):
        await inside.outbox.put(ORDER, each, MAIL)
    await inside.send_due()
    ids = [sink.header(data, "X-Sekisho-Id") for _, _, data in sink.raw]
    assert ids == [early.key, late.key]


async def test_refusal_for_now_is_tried_again_after_growing_pauses(inside, sink):
    given = order(inside)
    await inside.outbox.put(ORDER, given, MAIL)
    sink.answers["data"] = "451 4.7.1 greylisted for taro@city.example"
    for attempt, pause in enumerate((60, 120, 240), start=1):
        assert await inside.send_due() == 1
        entry = inside.journal.get(given.key)
        assert (entry.state, entry.attempts, entry.code) == (READY, attempt, "451 4.7.1")
        inside.clock.passes(pause - 1)
        assert await inside.send_due() == 0
        inside.clock.passes(1)
    sink.answers.clear()
    await inside.send_due()
    assert len(sink.raw) == 1
    assert reports(inside) == []


@pytest.mark.parametrize("where", ["rcpt", "data"])
async def test_refusal_for_good_goes_to_the_dead_with_a_report(inside, sink, where):
    if where == "rcpt":
        sink.refuse = {TARO: "550 5.1.1 taro@city.example unknown"}
    else:
        sink.answers["data"] = "554 5.7.1 content"
    given = order(inside)
    await inside.outbox.put(ORDER, given, MAIL)
    await inside.send_due()
    entry = inside.journal.get(given.key)
    assert entry.state == FAILED
    assert entry.code in {"550 5.1.1", "554 5.7.1"}
    await inside.delivery.tell_all()
    assert inside.spool.names(DEAD) == [given.key]
    assert decode(inside.sky.waiting("relay-results")[0], Envelope).body["state"] == "failed"
    assert len(reports(inside)) == 1
    sink.answers.clear()
    await inside.send_due()
    ((sender, to, data),) = sink.raw
    assert (sender, to) == ("<>", SENDER)
    assert email.message_from_bytes(data).get_content_type() == "multipart/report"


async def test_too_old_is_given_up_and_late_is_told_once(inside, sink):
    given = order(inside)
    await inside.outbox.put(ORDER, given, MAIL)
    sink.answers["data"] = "451 4.3.0 no"
    sink.refuse = {SENDER: "450 4.2.0 wait"}
    for _ in range(3):
        inside.clock.passes(5 * 3_600)
        await inside.delivery.attempt(inside.journal.get(given.key))
    assert len(reports(inside)) == 1, "one report of the delay"
    inside.clock.passes(5 * 86_400)
    await inside.delivery.attempt(inside.journal.get(given.key))
    assert inside.journal.get(given.key).state == FAILED
    assert len(reports(inside)) == 2


async def test_next_hop_that_is_away_is_tried_again(inside):
    inside.settings.routes["*"] = route("plain://127.0.0.1:9")
    given = order(inside)
    await inside.outbox.put(ORDER, given, MAIL)
    await inside.send_due()
    assert inside.journal.get(given.key).code == "421 4.4.1"


async def test_next_hop_without_tls_gets_nothing_where_it_is_required(inside, sink):
    inside.settings.routes["*"] = route(f"starttls://127.0.0.1:{sink.port}")
    given = order(inside)
    await inside.outbox.put(ORDER, given, MAIL)
    await inside.send_due()
    assert inside.journal.get(given.key).state == READY
    assert sink.raw == []


async def test_kept_connection_that_died_is_replaced(inside, sink):
    await inside.outbox.put(ORDER, order(inside, 1), MAIL)
    await inside.send_due()
    for idle in inside.hops._idle.values():
        for smtp in idle:
            smtp._server_closed = True
            smtp.transport.close() if smtp.transport else None
    await inside.outbox.put(ORDER, order(inside, 2), MAIL)
    await inside.send_due()
    assert len(sink.raw) == 2


async def test_success_is_reported_where_the_next_hop_does_not_do_so(inside, sink):
    given = order(inside, recipient_options=("NOTIFY=SUCCESS",), mail_options=("RET=HDRS",))
    await inside.outbox.put(ORDER, given, MAIL)
    await inside.send_due()
    (report,) = reports(inside)
    assert b"Action: relayed" in inside.spool.read(OUTGOING, report.key, dict)[1]
    assert all("RET=HDRS" not in each for each in sink.options)


async def test_what_the_next_hop_cannot_take_goes_back_by_name(inside, sink):
    sink.offers.update(enable_SMTPUTF8=False, eight_bit=False)
    wide = order(inside, 1, sender="佐藤@x.example")
    eight = order(inside, 2)
    for each in (wide, eight):
        await inside.outbox.put(ORDER, each, MAIL)
    await inside.send_due()
    assert inside.journal.get(wide.key).code == "550 5.6.7"
    assert inside.journal.get(eight.key).code == "554 5.6.3"


async def test_mail_to_nowhere_waits_and_is_named(inside):
    inside.settings.routes.clear()
    given = order(inside)
    await inside.outbox.put(ORDER, given, MAIL)
    await inside.send_due()
    assert inside.journal.get(given.key).code == "451 4.4.4"


async def test_damaged_mail_is_said_to_be_so_and_stops_nobody(inside, sink):
    for number in (1, 2):
        await inside.outbox.put(ORDER, order(inside, number), MAIL)
    inside.spool.path(OUTGOING, f"{1:064x}").write_bytes(b"damaged")
    await inside.send_due()
    assert inside.journal.get(f"{1:064x}").state == FAILED
    assert len(sink.raw) == 1


def test_message_id_is_added_only_where_there_is_none(tmp_path):
    inside = Inside(tmp_path)
    given = order(inside)
    assert stamped(given, MAIL) == f"X-Sekisho-Id: {given.key}\r\n".encode() + MAIL
    without = b"Subject: x\r\n\r\nMessage-ID: <in the body>\r\n"
    assert f"Message-ID: <{given.key}@sekisho.invalid>".encode() in stamped(given, without)
    assert stamped(given, without).endswith(without)
    inside.journal.close()
