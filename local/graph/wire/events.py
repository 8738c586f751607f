"""Calendar events as Graph's JSON, and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.graph.state import ids
from local.graph.state.calendar import Event
from local.graph.wire.errors import fail
from local.graph.wire.mail import expanded

type Json = dict[str, Any]
WINDOWS = {"Tokyo Standard Time": "Asia/Tokyo", "UTC": "UTC", "tzone://Microsoft/Utc": "UTC"}
TIMES = {"start", "end"}
CONTENT = {"subject", "body", "location", "locations", "attendees", "isAllDay", "importance"}
WRITABLE = CONTENT | {
    "categories",
    "sensitivity",
    "showAs",
    "isReminderOn",
    "reminderMinutesBeforeStart",
    "isOnlineMeeting",
    "onlineMeetingProvider",
    "responseRequested",
    "allowNewTimeProposals",
    "hideAttendees",
    "recurrence",
    "transactionId",
}


def zone(name: str) -> tzinfo:
    """A time zone by its Windows or IANA name; 400 for another."""
    try:
        return ZoneInfo(WINDOWS.get(name, name))
    except (ZoneInfoNotFoundError, ValueError):
        return fail(400, "TimeZoneNotSupportedException", f"Unknown time zone: {name}")


def moment(value: Any) -> datetime:
    """A dateTimeTimeZone in UTC; 400 where it is none."""
    try:
        when = datetime.fromisoformat(value["dateTime"])
        name = value.get("timeZone") or "UTC"
        return (when if when.tzinfo else when.replace(tzinfo=zone(name))).astimezone(UTC)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return fail(400, "RequestBodyRead", "A date or its time zone could not be read.")


def bound(text: str | None, name: str) -> datetime:
    """``startDateTime`` or ``endDateTime`` of a view; UTC where it names no offset."""
    if not text:
        fail(400, "ErrorInvalidParameter", f"The query parameter '{name}' is required.")
    try:
        when = datetime.fromisoformat(text.replace(" ", "+"))  # a + that was not escaped
    except ValueError:
        fail(400, "ErrorInvalidParameter", f"The value of '{name}' is not a date and time.")
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def event(
    one: Event, *, tz: str = "UTC", select: str | None = None, expand: str | None = None
) -> Json:
    """An event in the asked time zone (``Prefer: outlook.timezone``), UTC otherwise."""
    wanted = {name.strip().lower() for name in (select or "").split(",") if name.strip()}
    everything: Json = {
        "@odata.etag": one.etag,
        "id": one.id,
        "changeKey": one.change_key,
        **one.values,
        "start": _shown(one.start, tz),
        "end": _shown(one.end, tz),
    }
    result = {
        key: value
        for key, value in everything.items()
        if key in {"@odata.etag", "id"} or not wanted or key.lower() in wanted
    }
    return result | expanded(one.attachments, one.extended, expand or "")


def _shown(when: datetime, tz: str) -> Json:
    local = when.astimezone(zone(tz)).replace(tzinfo=None)
    return {"dateTime": f"{local.isoformat(timespec='microseconds')}0", "timeZone": tz}


def made(body: Json, organizer: Json) -> Event:
    """A new event from a client's JSON; defaults as Outlook fills them in."""
    when = ids.timestamp(ids.now())
    values: Json = {
        "createdDateTime": when,
        "lastModifiedDateTime": when,
        "iCalUId": f"040000008200E00074C5B7101A82E008{ids.guid().replace('-', '').upper()}",
        "subject": "",
        "body": {"contentType": "html", "content": ""},
        "location": {"displayName": ""},
        "attendees": [],
        "categories": [],
        "importance": "normal",
        "sensitivity": "normal",
        "showAs": "busy",
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 15,
        "type": "singleInstance",
        "hasAttachments": False,
        "organizer": organizer,
        "responseStatus": {"response": "organizer", "time": when},
        "originalStartTimeZone": str((body.get("start") or {}).get("timeZone") or "UTC"),
    }
    start, end = moment(body.get("start")), moment(body.get("end"))
    one = Event(start, end, values)
    change(one, body)
    return one


def change(one: Event, body: Json) -> None:
    """Set what may be set; 400 for what may not, before anything is changed."""
    skipped = {"id", "attachments", "singleValueExtendedProperties"}
    given = {k: v for k, v in body.items() if k not in skipped and not k.startswith("@")}
    for key in given:
        if key not in WRITABLE | TIMES:
            fail(400, "ErrorInvalidPropertySet", f"The property '{key}' cannot be set.")
    start = moment(given.pop("start")) if "start" in given else one.start
    end = moment(given.pop("end")) if "end" in given else one.end
    if end < start:
        fail(400, "ErrorCalendarEndDateIsEarlierThanStartDate", "The end is before the start.")
    one.start, one.end = start, end
    one.values |= given
    text = re.sub(r"<[^>]+>", " ", str((one.values.get("body") or {}).get("content", "")))
    one.values["bodyPreview"] = re.sub(r"\s+", " ", text).strip()[:255]
    if "recurrence" in given:
        one.values["type"] = "seriesMaster" if given["recurrence"] else "singleInstance"
