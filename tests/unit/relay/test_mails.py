"""Mails of the relay's own: notices and reports, as a mail program reads them."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime

import pytest

from relay.mails import (
    DELAYED,
    FAILED,
    RELAYED,
    Post,
    automatic,
    first_headers,
    report_order,
    wanted,
)
from shared.model import Item
from shared.services.relay_delivery import Order

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
POST = Post("relay.city.example", "sekisho@city.example")
HEAD = (
    b"Received: from x by y\r\nFrom: =?utf-8?B?5L2Q6Jek?= <a@x.example>\r\nTo: b@city.example\r\n"
    b"Subject: =?utf-8?B?5Lya6K2w?=\r\n =?utf-8?B?44Gu5Lu2?=\r\nX-Secret: s\r\n"
    b"Message-ID: <1@x.example>\r\n\r\nbody that stays\r\n"
)


def order(**given):
    return Order(
        **{
            "key": "a" * 64, "sender": "a@x.example", "recipient": "b@city.example",
            "disposition": "allow", "item": Item("gate", "mail/1.eml", "0", "v"),
            "first_seen": NOW, "received_at": NOW, **given,
        }
    )  # fmt: skip


@pytest.mark.parametrize("action", [FAILED, DELAYED, RELAYED])
def test_report_is_what_rfc_3464_says(action):
    given = order(
        mail_options=("ENVID=QQ314",),
        recipient_options=("NOTIFY=FAILURE,SUCCESS,DELAY", "ORCPT=rfc822;bob@city.example"),
    )
    raw = POST.report(action, given, "550 5.1.1", HEAD, NOW)
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert read.get_content_type() == "multipart/report"
    assert read.get_param("report-type") == "delivery-status"
    assert (read["Auto-Submitted"], read["To"]) == ("auto-generated", "a@x.example")
    text, status, shown = read.iter_parts()
    assert "b@city.example" in text.get_content()
    assert status.get_content_type() == "message/delivery-status"
    of_mail, of_one = status.get_payload()
    assert of_mail["Reporting-MTA"] == "dns; relay.city.example"
    assert of_mail["Original-Envelope-Id"] == "QQ314"
    assert of_one["Action"] == action
    assert of_one["Status"] == "5.1.1"
    assert of_one["Final-Recipient"] == "rfc822; b@city.example"
    assert of_one["Original-Recipient"] == "rfc822;bob@city.example"
    headers = shown.get_payload()
    assert "Message-ID: <1@x.example>" in headers
    assert "=?utf-8?B?44Gu5Lu2?=" in headers
    assert b"X-Secret" not in raw
    assert b"body that stays" not in raw
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("notify", "told"),
    [
        ((), {FAILED, DELAYED}),
        (("NOTIFY=NEVER",), set()),
        (("NOTIFY=SUCCESS",), {RELAYED}),
        (("NOTIFY=failure,delay", "ORCPT=rfc822;x"), {FAILED, DELAYED}),
    ],
)
def test_sender_is_told_what_they_asked_for(notify, told):
    given = order(recipient_options=notify)
    assert {each for each in (FAILED, DELAYED, RELAYED) if wanted(each, given)} == told


def test_nobody_is_told_of_a_mail_without_a_sender():
    assert not wanted(FAILED, order(sender=""))


def test_each_report_is_sent_once():
    first, again = report_order(FAILED, order(), NOW), report_order(FAILED, order(), NOW)
    assert first.key == again.key != report_order(DELAYED, order(), NOW).key
    assert (first.sender, first.recipient) == ("", "a@x.example")


@pytest.mark.parametrize(
    ("head", "machine"),
    [
        (b"From: a\r\n", False),
        (b"Auto-Submitted: no\r\n", False),
        (b"auto-submitted: Auto-Replied; x\r\n", True),
        (b"Precedence: BULK\r\n", True),
        (b"List-Id: <x>\r\n", True),
        (b"Subject: List-Id: x\r\n", False),
    ],
)
def test_machines_and_lists_are_not_answered(head, machine):
    assert automatic(first_headers(head + b"\r\nPrecedence: bulk\r\n")) is machine
