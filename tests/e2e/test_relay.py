"""A real client → the relay → Azurite → the host → the relay → a server that plays Exchange."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import json
import re
import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.demo.watch import Storage
from local.samples.numbers import numbers, person
from local.stack import Stack
from shared.codec import decode, encode
from shared.model import Envelope, Item
from shared.services.relay_delivery import RelayDelivery
from shared.storage.stores import AzureStores
from tests.e2e.canaries import canaries
from tests.e2e.canary import blobs, planted, queues, tables
from tests.e2e.conftest import until
from tests.integration.relay.parts import INSIDE, OUTSIDE, RelayProcess, Sink

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
TARO, HANAKO = f"taro@{INSIDE}", f"hanako@{INSIDE}"
SENDER = f"sato@{OUTSIDE}"

INVITATION = b"""BEGIN:VCALENDAR\r
METHOD:REQUEST\r
PRODID:-//test//ja\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:relay-1@partner.example\r
DTSTAMP:20261128T000000Z\r
DTSTART;TZID=Asia/Tokyo:20261201T100000\r
DTEND;TZID=Asia/Tokyo:20261201T110000\r
SUMMARY:\xe5\xae\x9a\xe4\xbe\x8b\xe4\xbc\x9a\xe8\xad\xb0\r
ORGANIZER:mailto:sato@partner.example\r
ATTENDEE;RSVP=TRUE:mailto:taro@city.example\r
END:VEVENT\r
END:VCALENDAR\r
"""


class House:
    def __init__(self, town, relay, sink):
        self.town, self.relay, self.sink = town, relay, sink
        self.storage = Storage(town.storage)
        self.blobs = BlobServiceClient.from_connection_string(town.storage)

    def names(self, container):
        client = self.blobs.get_container_client(container)
        return list(client.list_blob_names()) if client.exists() else []

    def mail(self, address, message_id, seconds=60):
        def found():
            return next((d for d in self.sink.for_(address) if message_id.encode() in d), None)

        return until(found, seconds, f"{message_id} to {address}")

    def notices(self, address, since):
        found = [email.message_from_bytes(d, policy=email.policy.default)
                 for d in self.sink.for_(address)[since:]]  # fmt: skip
        return [each for each in found if "関所" in str(each["Subject"])]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("relay")
    overrides = {
        "SEKISHO_GATE_DELIVERY": "relay",
        "SEKISHO_SANITISE": "none",  # byte for byte is the promise where nothing is sanitised
        "SEKISHO_LEASE_SECONDS": "10",
        "SEKISHO_TEAMS": "off",
        "SEKISHO_WATCH": "",
    }
    with (
        Sink() as sink,
        Stack(folder / "town", users={"関所 太郎": TARO}, overrides=overrides) as town,
        RelayProcess(folder / "relay", town.storage, sink.port) as relay,
    ):
        yield House(town, relay, sink)


def message(message_id, text, to=TARO):
    made = EmailMessage(policy=email.policy.SMTP)
    made["From"], made["To"] = f"佐藤 <{SENDER}>", to
    made["Subject"], made["Message-ID"] = "定例会議のご案内（資料あり）", message_id
    made["Date"] = "Sat, 28 Nov 2026 09:00:00 +0900"
    made.set_content(text)
    return made


def test_mail_arrives_byte_for_byte_with_names_and_invitation(house):
    made = message("<clean@partner.example>", "会議の資料を送ります。\n.点で始まる行\n")
    made.add_attachment("資料の本文\n".encode(), maintype="text", subtype="plain",
                        filename="会議資料（第１回）.txt")  # fmt: skip
    part = email.message.MIMEPart(policy=email.policy.SMTP)
    part["Content-Type"] = 'text/calendar; charset="utf-8"; method=REQUEST'
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload(base64.encodebytes(INVITATION).replace(b"\n", b"\r\n").decode())
    made.attach(part)
    sent = made.as_bytes()
    house.relay.send(SENDER, [TARO, HANAKO], sent)
    for address in (TARO, HANAKO):
        got = house.mail(address, "<clean@partner.example>")
        assert got.endswith(sent), "nothing behind our own header lines has changed"
        ours = got.removesuffix(sent).decode()
        assert re.fullmatch(r"X-Sekisho-Id: [0-9a-f]{64}\r\nReceived: from .*\r\n", ours, re.DOTALL)
        read = email.message_from_bytes(got, policy=email.policy.default)
        assert read["Subject"] == "定例会議のご案内（資料あり）"
        assert next(read.iter_attachments()).get_filename() == "会議資料（第１回）.txt"
        calendar = next(each for each in read.walk() if each.get_content_type() == "text/calendar")
        assert calendar.get_param("method") == "REQUEST"
        assert calendar.get_payload(decode=True) == INVITATION
    until(lambda: not house.names("relay") and not house.names("landing"), 30, "copies go")
    assert house.relay.names("incoming") == house.relay.names("outgoing") == []


def test_eight_bit_mail_in_iso_2022_jp_and_utf8_is_not_touched(house):
    raw = (
        b"From: sato@partner.example\r\nTo: taro@city.example\r\n"
        b"Message-ID: <raw@partner.example>\r\n"
        b"Subject: =?iso-2022-jp?B?GyRCMnE1RBsoQg==?=\r\nX-Folded: a\r\n\tb\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + "連絡です。  \r\n..\r\n.\r\n".encode()
    )
    house.relay.send(SENDER, [TARO], raw, ["BODY=8BITMIME"])
    assert house.mail(TARO, "<raw@partner.example>").endswith(raw)


def test_what_the_relay_delivers_leaves_its_content_nowhere_else(house):
    """Numbers that nobody takes for one, so that the mail passes: the copy's containers aside."""
    some, mine = canaries()[-12:], "<passes@partner.example>"
    made = message(mine, "\n".join(f"管理番号 {each} の控え" for each in some[:6]))
    made.replace_header("Subject", f"管理番号 {some[6]} の控え")
    text = "\n".join(f"管理番号 {each}" for each in some[7:11]).encode()
    name = f"管理番号 {some[11]}.txt"
    made.add_attachment(text, maintype="text", subtype="plain", filename=name)
    house.relay.send(SENDER, [TARO], made.as_bytes())
    assert planted(house.mail(TARO, mine), some) == set(some)
    until(lambda: house.names("landing") == house.names("relay") == [], 60, "it is settled")
    storage, azurite = house.town.storage, house.town.folder / "azurite"
    for where, data in (*queues(storage, azurite), *tables(storage), *blobs(storage)):
        assert planted(data, some) == set(), where
    spooled = [path for path in (house.relay.folder / "spool").rglob("*") if path.is_file()]
    for path in (house.town.folder / "host.log", house.relay.log, *spooled):
        assert planted(path.read_bytes(), some) == set(), path.name


def test_my_number_reaches_neither_the_cloud_nor_anyone_and_both_are_told(house):
    before = {each: len(house.sink.for_(each)) for each in (TARO, SENDER)}
    made = message("<stopped@partner.example>", f"個人番号は {person(3)} です。\n")
    made.add_attachment(f"氏名,個人番号\n関所 太郎,{person(4)}\n".encode(), maintype="text",
                        subtype="csv", filename=f"{person(5)}.csv")  # fmt: skip
    house.relay.send(SENDER, [TARO], made.as_bytes())
    (name,) = until(lambda: house.relay.names("held"), 40, "held")
    lines = until(
        lambda: [x for x in house.storage.lines() if x.key[1] == f"relay/{name}"], 60, "record"
    )
    assert (lines[0].disposition, lines[0].event["action"]) == ("block", "hold")
    assert lines[0].event["place"] == "relay_spool"
    for address in (TARO, SENDER):
        (notice,) = until(lambda a=address: house.notices(a, before[a]), 40, "notices")
        text = notice.get_body(("plain",)).get_content()
        for word in (
            "個人番号",
            "My Number",
            "受付番号",
            "reference",
            "情報政策課 内線1234",
            "添付1",
        ):
            assert word in text, word
        assert notice["Auto-Submitted"] == "auto-generated"
    told = b"".join(d for a in before for d in house.sink.for_(a)[before[a] :])
    assert b"<stopped@partner.example>" not in told
    assert planted(told, numbers()) == set()
    for path in (house.town.folder / "azurite").rglob("*"):
        if path.is_file():
            assert planted(path.read_bytes(), numbers()) == set(), path.name
    for log in (house.town.folder / "host.log", house.relay.log):
        raw = log.read_bytes()
        assert planted(raw, numbers()) == set()
        assert b"@" + INSIDE.encode() not in raw, "no address in a log"
    spooled = (house.relay.folder / "spool" / "held" / f"{name}.mail").read_bytes()
    assert planted(spooled, numbers()) == set()
    shown = house.relay.command("show", name) + house.relay.command("list")
    assert "my-number-high" in shown
    assert planted(shown.encode(), numbers()) == set()


async def test_release_needs_the_people_that_policy_asks_for(house):
    stopped = "<stopped@partner.example>"
    if not house.relay.names("held"):  # the test that has one stopped comes later
        stopped = "<released@partner.example>"
        made = message(stopped, f"個人番号は {person(3)} です。\n")
        house.relay.send(SENDER, [TARO], made.as_bytes())
    (name,) = until(lambda: house.relay.names("held"), 40, "held")
    house.relay.command("release", name)  # one person, inside
    await asyncio.sleep(4)
    assert house.relay.names("held") == [name]
    async with AzureStores(connection_string=house.town.storage) as stores:
        ask = _asking(stores)
        item = Item("gate", f"relay/{name}", "0", "")
        await ask("release", item, ["hanako"])
        await asyncio.sleep(4)
        assert house.relay.names("held") == [name], "one inside and one in the cloud are not two"
        await ask("release", item, ["hanako", "taro"])
    assert person(3) in house.mail(TARO, stopped).decode()
    until(lambda: not house.relay.names("held"), 20, "the spool is empty")
    said = until(
        lambda: [x.event for x in house.storage.lines()
                 if (x.event["action"], x.event["action_state"]) == ("release", "applied")], 60
    )  # fmt: skip
    assert [step["result"] for step in said[0]["steps"]] == ["hanako", "taro"]
    until(
        lambda: [x for x in house.storage.lines()
                 if x.key[1] == f"relay/{name}" and x.event["action"] == "deliver"],
        60, "that it was delivered is on the record too",
    )  # fmt: skip


def _asking(stores):
    async def ask(action, item, people):
        cloud = RelayDelivery(
            stores.blobs("relay"), stores.queue("relay-deliver"), stores.queue("scan-results"),
            None, None, lambda: datetime.now(UTC),
        )  # fmt: skip
        await cloud.ask(action, item, people)

    return ask


def test_refusal_for_good_goes_back_to_the_sender_and_is_a_dead_letter(house):
    house.sink.refuse = {f"gone@{INSIDE}": "550 5.1.1 no such user"}
    made = message("<gone@partner.example>", "だれもいない宛先です。\n", f"gone@{INSIDE}")
    before = len(house.sink.for_(SENDER))
    house.relay.send(SENDER, [f"gone@{INSIDE}"], made.as_bytes(), ["ENVID=QQ314"])
    until(lambda: len(house.sink.for_(SENDER)) > before, 60, "the report")
    report = email.message_from_bytes(house.sink.for_(SENDER)[before], policy=email.policy.default)
    assert report.get_content_type() == "multipart/report"
    kinds = [each.get_content_type() for each in report.iter_parts()]
    assert kinds == ["text/plain", "message/delivery-status", "text/rfc822-headers"]
    status = house.sink.for_(SENDER)[before].decode()
    for words in ("Status: 5.1.1", "Action: failed", "Original-Envelope-Id: QQ314",
                  f"Final-Recipient: rfc822; gone@{INSIDE}", "<gone@partner.example>"):  # fmt: skip
        assert words in status
    (letter,) = until(lambda: house.names("deadletters"), 60, "a dead letter")
    assert letter.startswith("relay-deliver/")
    assert house.relay.names("dead")
    house.sink.refuse = {}
    raw = json.loads(house.blobs.get_blob_client("deadletters", letter).download_blob().readall())
    envelope = decode(base64.b64decode(raw["raw"]), Envelope)
    again = encode(Envelope(**{**_fields(envelope), "replayed": envelope.first_seen}))
    queue = QueueServiceClient.from_connection_string(house.town.storage)
    queue.get_queue_client("relay-deliver").send_message(base64.b64encode(again).decode())
    house.mail(f"gone@{INSIDE}", "<gone@partner.example>")
    until(lambda: not house.names("relay") and not house.relay.names("dead"), 40, "settled")


def _fields(envelope):
    return {name: getattr(envelope, name) for name in envelope.__dataclass_fields__}


def test_mail_is_taken_while_the_cloud_is_away_and_goes_on_oldest_first(house):
    house.town.azurite.stop()
    sent = []
    for number in range(5):
        made = message(f"<away{number}@partner.example>", f"{number}通目です。\n")
        house.relay.send(SENDER, [TARO], made.as_bytes())
        sent.append(f"<away{number}@partner.example>")
    assert len(house.relay.names("incoming")) == 5
    found = json.loads(house.relay.command("status", "--json"))
    assert found["incoming"] == 5
    assert found["oldest_incoming_seconds"] > 0
    house.town.azurite.start()
    for each in sent:
        house.mail(TARO, each, 120)


def test_stop_is_graceful_and_what_waits_is_there_after_the_start(house):
    house.town.azurite.stop()
    made = message("<stop@partner.example>", "止める前の一通です。\n")
    house.relay.send(SENDER, [TARO], made.as_bytes())
    with smtplib.SMTP("127.0.0.1", house.relay.port) as idle:
        idle.ehlo()
        assert house.relay.stop() == 0
    assert len(house.relay.names("incoming")) == 1
    house.town.azurite.start()
    house.relay.start()
    house.mail(TARO, "<stop@partner.example>", 60)
    assert house.relay.command("health").strip() == "healthy"


def test_second_relay_on_one_spool_is_refused(house):
    assert house.relay.command("rekey", check=False) == "", (
        "it says so on stderr, and changes nothing"
    )
