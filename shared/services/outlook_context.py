"""What policy sees of a mail or an event: whose it is, who sent it, which domains it goes to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from shared.model import Context, Item


def outlook_context(
    item: Item, sender: object, people: Iterable[object], received: object
) -> Context:
    """``sender`` and ``people`` as Graph writes recipients and attendees, ``received`` a time."""
    domains = dict.fromkeys(filter(None, map(domain, people)))
    return Context(
        source=item.source,
        place="own_mailbox",
        owner=item.recipient,
        sender_domain=domain(sender),
        recipient_domains=tuple(domains),
        received_at=moment(received),
    )


def domain(person: object) -> str:
    """The mail domain of a recipient as Graph writes one, or empty."""
    try:
        address = person["emailAddress"]["address"]  # type: ignore[index] # JSON of unknown shape
    except (KeyError, TypeError):
        return ""
    return str(address).rpartition("@")[2].casefold() if "@" in str(address) else ""


def moment(text: object) -> datetime | None:
    """A time as Graph writes it, in UTC, or None."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None
