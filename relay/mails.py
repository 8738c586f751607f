"""Mails that the relay itself writes: notices of what it stopped, reports of what did not arrive.

They have the empty sender (so that nothing ever answers them), say that a machine wrote them
(RFC 3834) and never hold a value or the stopped mail's words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime

from shared.model import AuditEvent, Item
from shared.policy.notices import Notice, Notices
from shared.services.relay_delivery import Order

FAILED, DELAYED, RELAYED = "failed", "delayed", "relayed"
# What a report shows of the mail: what its sender knows it by, and no other header.
_SHOWN = ("from", "to", "subject", "date", "message-id")
_WORDS = {
    FAILED: (
        "【関所】メールを届けられませんでした / [Sekisho] Your mail could not be delivered",
        "次の宛先に届けられませんでした。もう一度送ることはありません。",
        "Your mail could not be delivered to this address, and will not be tried again.",
    ),
    DELAYED: (
        "【関所】メールがまだ届いていません / [Sekisho] Your mail is delayed",
        "次の宛先にまだ届いていません。引き続き配送を試みますので、送り直す必要はありません。",
        "Your mail has not been delivered to this address yet. It is tried again; do not resend.",
    ),
    RELAYED: (
        "【関所】メールを中継しました / [Sekisho] Your mail was relayed",
        "次のサーバに渡しました。その先の到着は、そのサーバからは知らされません。",
        "Your mail was handed on to a server that does not report delivery.",
    ),
}
_NEEDED = {FAILED: "FAILURE", DELAYED: "DELAY", RELAYED: "SUCCESS"}


@dataclass(frozen=True, slots=True)
class Post:
    """The relay as a writer of mails: its host name and the address that notices come from."""

    hostname: str
    sender: str

    def notice(
        self, notices: Notices, kind: str, event: AuditEvent, to: str
    ) -> tuple[Order, bytes]:
        """A notice, kind ``sender`` or ``recipient``; the same event, kind, address: one key."""
        rendered = notices.render(kind, [event])
        order = _order(_key(event.id, kind, to), to, event)
        return order, self._mail(order, rendered)

    def _mail(self, order: Order, notice: Notice) -> bytes:
        message = self._started(order, notice.subject)
        message.set_content(notice.text, cte="base64")
        message.add_alternative(notice.html, subtype="html", cte="base64")
        return message.as_bytes()

    def _started(self, order: Order, subject: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender or f"postmaster@{self.hostname}"
        message["To"] = order.recipient
        message["Subject"] = subject
        message["Date"] = format_datetime(order.first_seen)
        message["Message-ID"] = f"<{order.key}@{self.hostname}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        return message

    def report(self, action: str, order: Order, code: str, head: bytes, now: datetime) -> bytes:
        """A delivery status notification (RFC 3464) to the order's sender; ``head``: its mail's."""
        made = report_order(action, order, now)
        subject, ja, en = _WORDS[action]
        message = self._started(made, subject)
        text = EmailMessage(policy=SMTP)
        text.set_content(f"{ja}\n{en}\n\n  {order.recipient}\n  SMTP {code}\n", cte="base64")
        status = Message(policy=SMTP)
        status["Content-Type"] = "message/delivery-status"
        status.set_payload([self._of_mail(order), _of_one(action, order, code)])
        shown = Message(policy=SMTP)
        shown["Content-Type"] = "text/rfc822-headers"
        shown.set_payload(_headers(head))
        message["MIME-Version"] = "1.0"
        message["Content-Type"] = 'multipart/report; report-type="delivery-status"'
        message.set_payload([text, status, shown])
        return message.as_bytes()

    def _of_mail(self, order: Order) -> Message:
        fields = Message(policy=SMTP)
        fields["Reporting-MTA"] = f"dns; {self.hostname}"
        for each in order.mail_options:
            if each.upper().startswith("ENVID="):
                fields["Original-Envelope-Id"] = each[6:]
        if order.received_at:
            fields["Arrival-Date"] = format_datetime(order.received_at)
        return fields


def wanted(action: str, order: Order) -> bool:
    """Whether the sender asked to be told (RFC 3461, 4.1): failures are, unless they said no."""
    if not order.sender:
        return False
    asked = [each[7:].upper() for each in order.recipient_options if each.upper()[:7] == "NOTIFY="]
    if not asked:
        return action != RELAYED
    return _NEEDED[action] in asked[0].split(",")


def report_order(action: str, order: Order, now: datetime) -> Order:
    """Where a report goes; its key is the order's and the action's, so each is sent once."""
    return Order(
        key=_key(order.key, "report", action),
        sender="",
        recipient=order.sender,
        disposition="allow",
        item=order.item,
        first_seen=now,
    )


def _order(key: str, to: str, event: AuditEvent) -> Order:
    item = Item("gate", event.item.id, "notice", event.item.content_version)
    return Order(key, "", to, "allow", item, event.time)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _of_one(action: str, order: Order, code: str) -> Message:
    fields = Message(policy=SMTP)
    for each in order.recipient_options:
        if each.upper().startswith("ORCPT="):
            fields["Original-Recipient"] = each[6:]
    digits, _, enhanced = code.partition(" ")
    fields["Final-Recipient"] = f"rfc822; {order.recipient}"
    fields["Action"] = action
    fields["Status"] = enhanced or f"{digits[:1]}.0.0"
    fields["Diagnostic-Code"] = f"smtp; {code}"
    return fields


def _headers(head: bytes) -> str:
    """The lines of the mail's own headers that its sender knows it by, as they were."""
    kept, taking = [], False
    for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        if line[:1] not in {b" ", b"\t"}:
            taking = line.partition(b":")[0].strip().lower().decode("ascii", "replace") in _SHOWN
        if taking:
            kept.append(line.decode("ascii", "replace"))
    return "\r\n".join(kept) + "\r\n"


def automatic(head: Mapping[str, str]) -> bool:
    """Whether a machine or a list wrote the mail: whoever it names must not be answered."""
    submitted = head.get("auto-submitted", "no").split(";")[0].strip().lower()
    precedence = head.get("precedence", "").strip().lower()
    return submitted != "no" or precedence in {"bulk", "junk", "list"} or "list-id" in head


def first_headers(data: bytes) -> dict[str, str]:
    """The first of each header, by its name in small letters; for questions of form alone."""
    found: dict[str, str] = {}
    for line in data.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        name, colon, value = line.decode("latin-1").partition(":")
        if colon and name and name[0] not in " \t":
            found.setdefault(name.strip().lower(), value.strip())
    return found
