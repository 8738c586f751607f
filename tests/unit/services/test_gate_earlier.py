"""PPAP with the password first, at the same time or in the mail itself; nothing is kept for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local.graph.routes.drafts import received
from shared.codec import decode
from shared.duties import Scanner
from shared.errors import GoneError, MalformedError, PermanentError, UnavailableError
from shared.model import Envelope
from shared.services.gate.earlier import LOOKS, Mailbox
from shared.services.gate.locked import LOOK
from tests.unit.services.gate_parts import Whole, locked_zip, mail, read
from tests.unit.services.test_gate_passwords import CANARY, WORDS, delivered, members

SAID = f"先ほどの資料のパスワードは {CANARY} です。\n"


@pytest.fixture
def whole(rig):
    """A gate that looks into mailboxes, as it is wired in the cloud."""
    made = Whole(rig)
    looking = replace(
        made.locks, mailbox=Mailbox(rig.graph, read), queue=rig.stores.queue("scan-items")
    )
    made.locks = made.service._locks = looking
    return made


def locked(body="資料です。\n"):
    return mail("資料", body, attach=[("資料.zip", locked_zip(CANARY, members()))])


async def looks(whole):
    """What the queue's reader does with the messages that wait, whatever their delay; opened?"""
    queue, found = whole.rig.account.queues["scan-items"], []
    for message in list(queue):
        envelope = decode(bytes(message.body), Envelope)
        if envelope.kind == LOOK:
            queue.remove(message)
            found.append(await whole.locks.look(envelope))
    return found


async def passes(whole, raw, name="mail/a.eml"):
    (outcome,) = await whole.passes(name, raw)
    return outcome.action


async def test_password_that_came_first_opens_it_without_a_person(whole):
    assert await passes(whole, mail("パスワード", SAID, number=2), "mail/p.eml") == "deliver"
    assert await passes(whole, locked()) == "hold"
    assert await looks(whole) == [True, False, False]
    assert [each.action for each in await whole.scan_landed()] == ["deliver"]
    assert len(delivered(whole)) == 2


async def test_password_in_the_mail_itself_opens_it(whole):
    assert await passes(whole, locked(SAID)) == "hold"
    assert (await looks(whole))[0]
    assert [each.action for each in await whole.scan_landed()] == ["deliver"]


async def test_password_that_was_on_its_way_at_the_same_moment_is_found_by_a_later_look(whole, rig):
    """It was scanned before the lock stood, and came into the mailbox after the first look."""
    assert await passes(whole, locked()) == "hold"
    first, *_ = [m for m in rig.account.queues["scan-items"] if b"look" in bytes(m.body)]
    assert not await whole.locks.look(decode(bytes(first.body), Envelope))
    received(rig.user, mail("パスワード", SAID, number=2), "inbox")
    assert any(await looks(whole))
    assert [each.action for each in await whole.scan_landed()] == ["deliver"]


async def test_page_of_html_is_read_as_its_words(whole, rig):
    html = f"<p>パスワード：<b>{CANARY.replace('#', '&#35;')}</b></p>"
    message = received(rig.user, mail("件", "", number=2), "inbox")
    message.values["body"] = {"contentType": "html", "content": html}
    assert await passes(whole, locked()) == "hold"
    assert any(await looks(whole))


@pytest.mark.parametrize("other", ["sender", "old", "words"])
async def test_mail_of_another_sender_or_day_or_without_the_password_opens_nothing(
    whole, rig, other
):
    sender = "x@other.example.com" if other == "sender" else "s@other.example.com"
    text = "別の件です\n" if other == "words" else SAID
    message = received(rig.user, mail("件", text, number=2, sender=sender), "inbox")
    if other == "old":
        message.values["receivedDateTime"] = "2026-03-01T00:00:00Z"
    assert await passes(whole, locked()) == "hold"
    assert await looks(whole) == [False] * len(LOOKS)
    assert await whole.landing.get_tags("mail/a.eml") == {"state": "held"}


async def test_recipient_without_a_mailbox_types_it(whole):
    (item,) = await whole.land("mail/a.eml", locked(), recipients=("alias@city.example.jp",))
    # The letter with the link has no mailbox to go to either; the relay would carry it.
    whole.locks = whole.service._locks = replace(whole.locks, url="")
    assert (await whole.scan(item)).action == "hold"
    assert await looks(whole) == [False] * len(LOOKS)


class Failing:
    """A Graph that answers with an error."""

    def __init__(self, error):
        self.error = error

    async def send(self, *_args, **_given):
        raise self.error


async def test_mailbox_that_may_not_be_read_is_no_failure_and_an_outage_is_tried_again(whole):
    await passes(whole, locked())
    envelope = Envelope(LOOK, first_seen=whole.rig.clock(), body={"lock": await lock_name(whole)})
    for error in (PermanentError("no permission"), GoneError("no mailbox")):
        closed = replace(whole.locks, mailbox=Mailbox(Failing(error), read))
        assert not await closed.look(envelope)
    away = replace(whole.locks, mailbox=Mailbox(Failing(UnavailableError("away")), read))
    with pytest.raises(UnavailableError):
        await away.look(envelope)


async def lock_name(whole):
    (name,) = [each async for each in whole.envelopes.names("locked/")]
    return name


async def test_looks_after_the_end_do_nothing_and_forged_ones_are_dead_letters(whole):
    await passes(whole, locked(SAID))
    assert await looks(whole) == [True, False, False]
    for name in ("", "locked/../landing.json", "mail/a.eml"):
        with pytest.raises(MalformedError):
            await whole.locks.look(
                Envelope(LOOK, first_seen=whole.rig.clock(), body={"lock": name})
            )


async def test_scanner_hands_a_look_to_the_locks(whole):
    await passes(whole, locked(SAID))
    scanner = Scanner(whole.app(), {LOOK: whole.locks.look})
    first = next(iter(whole.rig.account.queues["scan-items"]))
    await scanner.scan(decode(bytes(first.body), Envelope))
    assert [each.action for each in await whole.scan_landed()] == ["deliver"]


async def test_password_that_came_first_is_in_no_blob_row_queue_or_log(whole, caplog):
    """The mail that carries it is delivered, and with it the last copy that the gate had goes."""
    caplog.set_level(0)
    await passes(whole, mail("パスワード", SAID, number=2), "mail/p.eml")
    await passes(whole, locked(f"前便の {WORDS}。\n"))
    before = await whole.everything()
    await looks(whole)
    await whole.scan_landed()
    after = await whole.everything() + repr(whole.results).encode() + caplog.text.encode()
    for form in (CANARY.encode(), CANARY.encode("cp932"), repr(CANARY)[1:-1].encode()):
        assert form not in before
        assert form not in after
