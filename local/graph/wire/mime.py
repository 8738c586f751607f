"""MIME to the properties that Graph gives a message, and back for drafts made of JSON."""

from __future__ import annotations

import base64
import email
import email.policy
import html
import re
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import format_datetime, getaddresses, parsedate_to_datetime
from typing import Any

from local.graph.state import ids

type Json = dict[str, Any]


def properties(raw: bytes) -> tuple[Json, list[Json]]:
    """The JSON properties and the attachments of a message as received.

    A best reading, as Exchange makes one: what cannot be decoded is replaced, never refused.
    """
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    kind, text = _body(message)
    attachments = _attachments(message)
    when = ids.timestamp(ids.now())
    values: Json = {
        "createdDateTime": when,
        "receivedDateTime": when,
        "sentDateTime": _date(message) or when,
        "hasAttachments": any(not each["isInline"] for each in attachments),
        "internetMessageId": _header(message, "Message-ID") or f"<{ids.guid()}@stand-in.invalid>",
        "subject": _header(message, "Subject"),
        "bodyPreview": preview(text),
        "importance": "normal",
        "body": {"contentType": kind, "content": text},
        "internetMessageHeaders": [
            {"name": name, "value": _header(message, name, nth)} for name, nth in _names(message)
        ],
    }
    for header, name in (("To", "toRecipients"), ("Cc", "ccRecipients"), ("Bcc", "bccRecipients")):
        values[name] = _recipients(message, header)
    values["replyTo"] = _recipients(message, "Reply-To")
    senders = _recipients(message, "From")
    if senders:
        values["from"] = senders[0]
        values["sender"] = (_recipients(message, "Sender") or senders)[0]
    return values, attachments


def preview(text: object) -> str:
    """The beginning of a body without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", str(text or ""))).strip()[:255]


def compose(values: Json, attachments: list[Json]) -> bytes:
    """The MIME of a message that was made of JSON."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = str(values.get("subject") or "").replace("\r", " ").replace("\n", " ")
    for header, name in (("To", "toRecipients"), ("Cc", "ccRecipients"), ("From", "from")):
        people = values.get(name) or []
        people = people if isinstance(people, list) else [people]
        if people:
            message[header] = ", ".join(each["emailAddress"]["address"] for each in people)
    message["Message-ID"] = values["internetMessageId"]
    message["Date"] = format_datetime(ids.now())
    for each in values.get("internetMessageHeaders") or []:
        if str(each.get("name", "")).lower().startswith("x-"):  # Graph takes no other
            message[str(each["name"])] = str(each.get("value", ""))
    body = values.get("body") or {}
    kind = "html" if str(body.get("contentType", "text")).lower() == "html" else "plain"
    message.set_content(str(body.get("content") or ""), subtype=kind)
    for each in attachments:
        main, _, sub = (each.get("contentType") or "application/octet-stream").partition("/")
        message.add_attachment(
            base64.b64decode(each.get("contentBytes") or ""),
            maintype=main,
            subtype=sub or "octet-stream",
            filename=each.get("name") or "attachment",
        )
    return message.as_bytes()


def _names(message: Message) -> list[tuple[str, int]]:
    seen: dict[str, int] = {}
    result = []
    for name in message.keys():  # noqa: SIM118 - the keys repeat where a header does; a dict's would not
        seen[name] = seen.get(name, -1) + 1
        result.append((name, seen[name]))
    return result


def _header(message: Message, name: str, nth: int = 0) -> str:
    values = message.get_all(name) or []
    return _decoded(values[nth]) if nth < len(values) else ""


def _decoded(value: Any) -> str:
    """RFC 2047 words decoded, folding undone; as it stands where that fails."""
    text = re.sub(r"\r?\n[ \t]*", " ", str(value))
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, UnicodeError, HeaderParseError, ValueError):
        return text


def _filename(part: Message) -> str:
    try:
        return _decoded(part.get_filename() or "")
    except (LookupError, UnicodeError, ValueError, TypeError):
        return "attachment"


def _date(message: Message) -> str | None:
    try:
        when = parsedate_to_datetime(_header(message, "Date"))
    except (ValueError, TypeError):
        return None
    return ids.timestamp(when if when.tzinfo else when.replace(tzinfo=UTC))


def _recipients(message: Message, name: str) -> list[Json]:
    return [
        {"emailAddress": {"name": person or address, "address": address}}
        for person, address in getaddresses([_header(message, name)])
        if address
    ]


def _text(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    charset = (part.get_content_charset() or "utf-8").lower()
    charset = "iso2022_jp_ext" if charset == "iso-2022-jp" else charset
    try:
        return data.decode(charset, errors="replace")
    except LookupError:
        return data.decode("utf-8", errors="replace")


def _body(message: Message) -> tuple[str, str]:
    found: dict[str, str] = {}
    for part in message.walk():
        kind = part.get_content_type()
        if _filename(part) or part.get_content_disposition() == "attachment":
            continue
        if kind in {"text/plain", "text/html"}:
            found.setdefault(kind, _text(part))
        if kind == "message/rfc822":
            break
    if "text/html" in found:
        return "html", found["text/html"]
    return "text", html.unescape(found.get("text/plain", ""))


def _attachments(message: Message) -> list[Json]:
    if message.get_content_maintype() != "multipart":
        single = _filename(message) or message.get_content_disposition() == "attachment"
        return [_attachment(message)] if single else []
    found: list[Json] = []
    parts = message.get_payload()
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, Message):
            continue
        is_file = bool(_filename(part)) or part.get_content_disposition() == "attachment"
        if part.get_content_type() == "message/rfc822" or is_file:
            found.append(_attachment(part))
        elif part.get_content_maintype() == "multipart":
            found += _attachments(part)
        elif part.get_content_maintype() != "text":
            found.append(_attachment(part))
    return found


def _attachment(part: Message) -> Json:
    common: Json = {
        "id": ids.attachment_id(),
        "lastModifiedDateTime": ids.timestamp(datetime.now(UTC)),
        "name": _filename(part),
        "contentType": part.get_content_type(),
        "isInline": part.get_content_disposition() == "inline" or "Content-ID" in part,
    }
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        child = inner[0] if isinstance(inner, list) and inner else None
        data = child.as_bytes() if isinstance(child, Message) else b""
        subject = _header(child, "Subject") if isinstance(child, Message) else ""
        name = common["name"] or subject or "message"
        item = {"@odata.type": "#microsoft.graph.itemAttachment", **common, "name": name}
        return {**item, "size": len(data), "_raw": data}
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        **common,
        "size": len(data),
        "contentId": (part.get("Content-ID") or "").strip("<>") or None,
        "contentBytes": base64.b64encode(data).decode(),
    }
